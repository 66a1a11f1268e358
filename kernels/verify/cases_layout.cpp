#include <array>

#include "kernels/verify/fixture.h"

namespace meander::kernels::verify {
namespace {

// An operation that only moves elements: y[i] = x[source(i)], exactly.
template <class Source, class Operation>
double movedError(Backend& backend, Shape from, Shape to, DType type, const Source& source,
                  const Operation& operation) {
    Fixture t(backend);
    const Host x = random(from, type, 1);
    Host want(to);
    for (std::int64_t i = 0; i < to.count(); ++i) want[i] = x[source(i)];
    const View y = t.room(to, type);
    operation(t.put(x, type), y);
    return differing(t.get(y), want);
}

double upsampleError(Backend& b, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, DType type) {
    return movedError(
        b, {n, h, w, c}, {n, 2 * h, 2 * w, c}, type,
        [=](std::int64_t i) {
            const std::int64_t ch = i % c, x = i / c % (2 * w), row = i / c / (2 * w);  // rows of all images
            return ((row / (2 * h) * h + row % (2 * h) / 2) * w + x / 2) * c + ch;
        },
        [&](View x, View y) { b.upsampleNearest2(x, y); });
}

double downsampleError(Backend& backend, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, DType type) {
    Fixture t(backend);
    const Host x = random({n, 2 * h, 2 * w, c}, type, 1);
    Host want({n, h, w, c});
    for (std::int64_t row = 0; row < n * h; ++row)
        for (std::int64_t col = 0; col < w; ++col)
            for (std::int64_t ch = 0; ch < c; ++ch)
                for (int dy = 0; dy < 2; ++dy)
                    for (int dx = 0; dx < 2; ++dx)
                        want[(row * w + col) * c + ch] += 0.25 * x[((2 * row + dy) * 2 * w + 2 * col + dx) * c + ch];
    const View y = t.room(want.shape, type);
    backend.downsampleMean2(t.put(x, type), y);
    return difference(t.get(y), want);
}

// Element of (n, h, w, c f f) that pixelShuffle puts at element i of (n, h f, w f, c).
std::int64_t shuffled(std::int64_t i, std::int64_t w, std::int64_t c, int f) {
    const std::int64_t ch = i % c, x = i / c % (w * f),
                       row = i / c / (w * f);  // n h f is divisible by f, so row / f is the source row
    return ((row / f * w + x / f) * c + ch) * f * f + row % f * f + x % f;
}

double shuffleError(Backend& b, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, int f, DType type) {
    return movedError(
        b, {n, h, w, c * f * f}, {n, h * f, w * f, c}, type, [=](std::int64_t i) { return shuffled(i, w, c, f); },
        [&](View x, View y) { b.pixelShuffle(x, f, y); });
}

double unshuffleError(Backend& backend, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, int f,
                      DType type) {
    Fixture t(backend);
    const Host x = random({n, h * f, w * f, c}, type, 1);
    Host want({n, h, w, c * f * f});
    for (std::int64_t i = 0; i < x.shape.count(); ++i) want[shuffled(i, w, c, f)] = x[i];
    const View y = t.room(want.shape, type);
    backend.pixelUnshuffle(t.put(x, type), f, y);
    return differing(t.get(y), want);
}

// Columns, a transposed view and rows with gaps, each to a dense tensor and back into a strided one.
double stridedCopyError(Backend& backend, DType type) {
    Fixture t(backend);
    const Shape shape{3, 5, 7, 11};
    const View x = t.put(random(shape, type, 1), type), y = t.put(random(shape, type, 2), type);
    const auto parts = {std::array{x.columns(2, 6), y.columns(5, 6)}, std::array{x.slice(1, 1, 3), y.slice(1, 2, 3)},
                        std::array{x.transposed(1, 3), y.transposed(1, 3)},
                        std::array{x.slice(2, 0, 5).transposed(0, 1), y.slice(2, 2, 5).transposed(0, 1)}};
    double wrong = 0;
    for (const auto& [from, to] : parts) {
        const View dense = t.room(from.shape, type);
        backend.copy(from, dense);
        backend.copy(dense, to);
        wrong += differing(t.get(dense), t.get(from)) + differing(t.get(to), t.get(from));
    }
    return wrong;
}

double concatError(Backend& backend, Shape lead, std::int64_t left, std::int64_t right, DType type) {
    Fixture t(backend);
    const std::int64_t rows = lead.count(), c = left + right;
    const Host a = random({lead[0], lead[1], left}, type, 1), b = random({lead[0], lead[1], right}, type, 2);
    Host want({lead[0], lead[1], c});
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < c; ++i) want[r * c + i] = i < left ? a[r * left + i] : b[r * right + i - left];
    const View y = t.room(want.shape, type);
    backend.concatLast(t.put(a, type), t.put(b, type), y);
    return differing(t.get(y), want);
}

double embeddingError(Backend& backend, std::int64_t rows, std::int64_t n, std::int64_t c, DType type) {
    Fixture t(backend);
    const Host table = random({n, c}, type, 1);
    Host ids({rows}), want({rows, c});
    for (std::int64_t r = 0; r < rows; ++r) {
        ids[r] = double((r * 7 + 3) % n);
        for (std::int64_t i = 0; i < c; ++i) want[r * c + i] = table[std::int64_t(ids[r]) * c + i];
    }
    const View y = t.room(want.shape, type);
    backend.embedding(t.put(ids, DType::I32), t.put(table, type), y);
    return differing(t.get(y), want);
}

double timesError(Backend& backend, int dim, bool cosFirst, double shift, DType type) {
    Fixture t(backend);
    const std::vector<double> times = {0, 0.25, 1, 17, 999};
    const int half = dim / 2;
    Host want({std::int64_t(times.size()), dim});
    for (std::size_t n = 0; n < times.size(); ++n)
        for (int i = 0; i < half; ++i) {
            const double angle = times[n] * std::exp(-std::log(10000.0) * i / (half - shift));
            want[std::int64_t(n) * dim + i] = cosFirst ? std::cos(angle) : std::sin(angle);
            want[std::int64_t(n) * dim + half + i] = cosFirst ? std::sin(angle) : std::cos(angle);
        }
    const View y = t.room(want.shape, type);
    backend.timestepEmbedding(times, dim, cosFirst, shift, 10000.0, y);
    return difference(t.get(y), want);
}

}  // namespace

void addLayoutCases(Cases& cases) {
    for (DType type : activationTypes) {
        const auto add = [&](const std::string& name, double limit, std::function<double(Backend&)> error) {
            const auto slash = name.find(' ');
            cases.push_back({name.substr(0, slash) + "/" + kernels::nameOf(type) + name.substr(slash), type, limit,
                             std::move(error)});
        };
        for (auto [n, h, w, c] : {std::array<std::int64_t, 4>{1, 1, 1, 1}, {2, 3, 5, 17}, {1, 8, 8, 64}}) {
            const std::string shape = Shape{n, h, w, c}.text();
            add("upsampleNearest2 " + shape, 0,
                [=, n = n, h = h, w = w, c = c](Backend& b) { return upsampleError(b, n, h, w, c, type); });
            add("downsampleMean2 " + shape, tolerance(type),
                [=, n = n, h = h, w = w, c = c](Backend& b) { return downsampleError(b, n, h, w, c, type); });
            for (int f : {1, 2, 3}) {
                add("pixelShuffle " + shape + " by " + std::to_string(f), 0,
                    [=, n = n, h = h, w = w, c = c](Backend& b) { return shuffleError(b, n, h, w, c, f, type); });
                add("pixelUnshuffle " + shape + " by " + std::to_string(f), 0,
                    [=, n = n, h = h, w = w, c = c](Backend& b) { return unshuffleError(b, n, h, w, c, f, type); });
            }
            const std::int64_t pixels = h * w;
            add("channelsLast " + shape, 0, [=, n = n, h = h, w = w, c = c](Backend& b) {
                return movedError(
                    b, {n, c, h, w}, {n, h, w, c}, type,
                    [=](std::int64_t i) { return (i / c / pixels * c + i % c) * pixels + i / c % pixels; },
                    [&](View x, View y) { b.channelsLast(x, y); });
            });
            add("channelsFirst " + shape, 0, [=, n = n, h = h, w = w, c = c](Backend& b) {
                return movedError(
                    b, {n, h, w, c}, {n, c, h, w}, type,
                    [=](std::int64_t i) { return (i / pixels / c * pixels + i % pixels) * c + i / pixels % c; },
                    [&](View x, View y) { b.channelsFirst(x, y); });
            });
        }
        for (auto [left, right] : {std::array<std::int64_t, 2>{1, 1}, {3, 17}, {64, 32}})
            add("concatLast " + std::to_string(left) + " and " + std::to_string(right), 0,
                [=, left = left, right = right](Backend& b) {
                    return concatError(b, {5, 3}, left, right, type);
                });
        for (std::int64_t first : {0, 5, 14})
            add("sliceLast 3 from " + std::to_string(first) + " of 17", 0, [=](Backend& b) {
                return movedError(
                    b, {4, 5, 17}, {4, 5, 3}, type, [=](std::int64_t i) { return i / 3 * 17 + first + i % 3; },
                    [&](View x, View y) { b.sliceLast(x, first, y); });
            });
        add("copy strided", 0, [=](Backend& b) { return stridedCopyError(b, type); });
        add("embedding 6 of (9, 17)", 0, [=](Backend& b) { return embeddingError(b, 6, 9, 17, type); });
        add("timestepEmbedding 32 sin first", tolerance(type),
            [=](Backend& b) { return timesError(b, 32, false, 0, type); });
        add("timestepEmbedding 10 cos first shifted", tolerance(type),
            [=](Backend& b) { return timesError(b, 10, true, 1, type); });
    }
}

}  // namespace meander::kernels::verify
