#include <array>

#include "kernels/verify/sample_call.h"

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

std::string named(const char* operation, DType type, const std::string& what) {
    return std::string(operation) + "/" + kernels::nameOf(type) + " " + what;
}

struct Extents {
    std::int64_t n, h, w, c;
    std::string text() const { return Shape{n, h, w, c}.text(); }
};
constexpr Extents images[] = {{1, 1, 1, 1}, {2, 3, 5, 17}, {1, 8, 8, 64}};

// add(type, extents) for all types and images.
template <class Add> void forImages(const Add& add) {
    for (DType type : activationTypes)
        for (const Extents& e : images) add(type, e);
}

}  // namespace

void addUpsampleNearest2Cases(Cases& cases) {
    forImages([&](DType type, Extents e) {
        cases.push_back({named("upsampleNearest2", type, e.text()), type, 0,
                         [=](Backend& b) { return upsampleError(b, e.n, e.h, e.w, e.c, type); }});
    });
}

SampleCall sampleUpsampleNearest2(DType type) {
    return sample({input("x", {2, 3, 4, 5}, type), output("y", {2, 6, 8, 5}, type)},
                  [](Backend& b, std::span<const View> v) { b.upsampleNearest2(v[0], v[1]); });
}

void addDownsampleMean2Cases(Cases& cases) {
    forImages([&](DType type, Extents e) {
        cases.push_back({named("downsampleMean2", type, e.text()), type, tolerance(type),
                         [=](Backend& b) { return downsampleError(b, e.n, e.h, e.w, e.c, type); }});
    });
}

SampleCall sampleDownsampleMean2(DType type) {
    return sample({input("x", {2, 6, 8, 5}, type), output("y", {2, 3, 4, 5}, type)},
                  [](Backend& b, std::span<const View> v) { b.downsampleMean2(v[0], v[1]); });
}

void addPixelShuffleCases(Cases& cases) {
    forImages([&](DType type, Extents e) {
        for (int f : {1, 2, 3})
            cases.push_back({named("pixelShuffle", type, e.text() + " by " + std::to_string(f)), type, 0,
                             [=](Backend& b) { return shuffleError(b, e.n, e.h, e.w, e.c, f, type); }});
    });
}

SampleCall samplePixelShuffle(DType type) {
    return sample({input("x", {2, 3, 4, 8}, type), output("y", {2, 6, 8, 2}, type)},
                  [](Backend& b, std::span<const View> v) { b.pixelShuffle(v[0], 2, v[1]); });
}

void addPixelUnshuffleCases(Cases& cases) {
    forImages([&](DType type, Extents e) {
        for (int f : {1, 2, 3})
            cases.push_back({named("pixelUnshuffle", type, e.text() + " by " + std::to_string(f)), type, 0,
                             [=](Backend& b) { return unshuffleError(b, e.n, e.h, e.w, e.c, f, type); }});
    });
}

SampleCall samplePixelUnshuffle(DType type) {
    return sample({input("x", {2, 6, 8, 2}, type), output("y", {2, 3, 4, 8}, type)},
                  [](Backend& b, std::span<const View> v) { b.pixelUnshuffle(v[0], 2, v[1]); });
}

void addConcatLastCases(Cases& cases) {
    for (DType type : activationTypes)
        for (auto [left, right] : {std::array<std::int64_t, 2>{1, 1}, {3, 17}, {64, 32}})
            cases.push_back({named("concatLast", type, std::to_string(left) + " and " + std::to_string(right)), type, 0,
                             [=, left = left, right = right](Backend& b) {
                                 return concatError(b, {5, 3}, left, right, type);
                             }});
}

SampleCall sampleConcatLast(DType type) {
    return sample({input("a", {2, 3, 5}, type), input("b", {2, 3, 6}, type), output("y", {2, 3, 11}, type)},
                  [](Backend& b, std::span<const View> v) { b.concatLast(v[0], v[1], v[2]); });
}

void addSliceLastCases(Cases& cases) {
    for (DType type : activationTypes)
        for (std::int64_t first : {0, 5, 14})
            cases.push_back(
                {named("sliceLast", type, "3 from " + std::to_string(first) + " of 17"), type, 0, [=](Backend& b) {
                     return movedError(
                         b, {4, 5, 17}, {4, 5, 3}, type, [=](std::int64_t i) { return i / 3 * 17 + first + i % 3; },
                         [&](View x, View y) { b.sliceLast(x, first, y); });
                 }});
}

SampleCall sampleSliceLast(DType type) {
    return sample({input("x", {2, 3, 11}, type), output("y", {2, 3, 6}, type)},
                  [](Backend& b, std::span<const View> v) { b.sliceLast(v[0], 2, v[1]); });
}

void addChannelsLastCases(Cases& cases) {
    forImages([&](DType type, Extents e) {
        cases.push_back({named("channelsLast", type, e.text()), type, 0, [=](Backend& b) {
                             const std::int64_t c = e.c, pixels = e.h * e.w;
                             return movedError(
                                 b, {e.n, c, e.h, e.w}, {e.n, e.h, e.w, c}, type,
                                 [=](std::int64_t i) { return (i / c / pixels * c + i % c) * pixels + i / c % pixels; },
                                 [&](View x, View y) { b.channelsLast(x, y); });
                         }});
    });
}

SampleCall sampleChannelsLast(DType type) {
    return sample({input("x", {2, 5, 3, 4}, type), output("y", {2, 3, 4, 5}, type)},
                  [](Backend& b, std::span<const View> v) { b.channelsLast(v[0], v[1]); });
}

void addChannelsFirstCases(Cases& cases) {
    forImages([&](DType type, Extents e) {
        cases.push_back(
            {named("channelsFirst", type, e.text()), type, 0, [=](Backend& b) {
                 const std::int64_t c = e.c, pixels = e.h * e.w;
                 return movedError(
                     b, {e.n, e.h, e.w, c}, {e.n, c, e.h, e.w}, type,
                     [=](std::int64_t i) { return (i / pixels / c * pixels + i % pixels) * c + i / pixels % c; },
                     [&](View x, View y) { b.channelsFirst(x, y); });
             }});
    });
}

SampleCall sampleChannelsFirst(DType type) {
    return sample({input("x", {2, 3, 4, 5}, type), output("y", {2, 5, 3, 4}, type)},
                  [](Backend& b, std::span<const View> v) { b.channelsFirst(v[0], v[1]); });
}

}  // namespace meander::kernels::verify
