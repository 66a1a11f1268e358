#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

struct RopeCase {
    Shape shape;  // (b, t, heads, d)
    RopePairing pairing;
    std::vector<std::int64_t> axes;
    std::int64_t pairs;
    bool isPerImage = false, isInPlace = false;

    std::string text() const {
        std::string s = shape.text() + (pairing == RopePairing::Interleaved ? " interleaved" : " halves");
        for (std::size_t i = 0; i < axes.size(); ++i) s += (i ? "+" : " axes ") + std::to_string(axes[i]);
        if (2 * pairs < shape[3]) s += " of " + std::to_string(pairs) + " pairs";
        if (isPerImage) s += " per image";
        return s + (isInPlace ? " in place" : "");
    }
};

// The pair at index `pair` of a head: the two channels by the definition of RopeArgs.
std::pair<std::int64_t, std::int64_t> channelsOf(const RopeCase& c, std::int64_t pair) {
    if (c.pairing == RopePairing::Interleaved) return {2 * pair, 2 * pair + 1};
    std::int64_t first = 0;  // pair of the axis
    for (std::int64_t n : c.axes.empty() ? std::vector{c.pairs} : c.axes) {
        if (pair < first + n) return {first + pair, first + pair + n};
        first += n;
    }
    return {0, 0};
}

double ropeError(Backend& backend, const RopeCase& c, DType type) {
    Fixture t(backend);
    const std::int64_t tokens = c.shape[1], heads = c.shape[2], d = c.shape[3];
    const Host x = random(c.shape, type, 1, 2);
    Host cosines(c.isPerImage ? Shape{c.shape[0], tokens, c.pairs} : Shape{tokens, c.pairs}), sines(cosines.shape);
    for (std::int64_t i = 0; i < cosines.shape.count(); ++i) {
        const double angle = 0.37 * double(i) - 11;
        cosines[i] = float(std::cos(angle));
        sines[i] = float(std::sin(angle));
    }
    Host want = x;
    for (std::int64_t row = 0; row < x.shape.count() / d; ++row)
        for (std::int64_t pair = 0; pair < c.pairs; ++pair) {
            const std::int64_t token = row / heads, at = (c.isPerImage ? token : token % tokens) * c.pairs + pair;
            const auto [i, j] = channelsOf(c, pair);
            const double a = x[row * d + i], b = x[row * d + j];
            want[row * d + i] = a * cosines[at] - b * sines[at];
            want[row * d + j] = b * cosines[at] + a * sines[at];
        }
    const View vx = t.put(x, type), y = c.isInPlace ? vx : t.room(c.shape, type);
    backend.rope(vx, {t.put(cosines, DType::F32), t.put(sines, DType::F32), c.pairing, c.axes}, y);
    return difference(t.get(y), want);
}

double embeddingError(Backend& backend, std::int64_t rows, std::int64_t n, std::int64_t c, DType type) {
    Fixture t(backend);
    const Host table = random({n, c}, type, 1);
    std::vector<std::int32_t> ids;
    Host want({rows, c});
    for (std::int64_t r = 0; r < rows; ++r) {
        ids.push_back(std::int32_t((r * 7 + 3) % n));
        for (std::int64_t i = 0; i < c; ++i) want[r * c + i] = table[ids.back() * c + i];
    }
    const View y = t.room(want.shape, type);
    backend.embedding(ids, t.put(table, type), y);
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

void addRopeCases(Cases& cases) {
    const RopePairing interleaved = RopePairing::Interleaved, halves = RopePairing::HalfSplit;
    for (DType type : activationTypes)
        for (const RopeCase& c :
             {RopeCase{{1, 1, 1, 2}, interleaved, {}, 1}, RopeCase{{2, 9, 3, 32}, interleaved, {}, 16},
              RopeCase{{2, 9, 3, 32}, halves, {}, 16}, RopeCase{{1, 20, 2, 128}, interleaved, {8, 28, 28}, 64},
              RopeCase{{1, 20, 2, 128}, halves, {8, 28, 28}, 64, false, true},
              RopeCase{{3, 5, 2, 24}, halves, {4, 3, 2}, 9, true},
              RopeCase{{3, 5, 2, 24}, interleaved, {}, 5, true, true}})
            cases.push_back({std::string("rope/") + kernels::nameOf(type) + " " + c.text(), type, tolerance(type),
                             [=](Backend& b) { return ropeError(b, c, type); }});
}

SampleCall sampleRope(DType type) {
    return sample({input("x", {2, 3, 2, 18}, type), input("cos", {3, 8}, DType::F32), input("sin", {3, 8}, DType::F32),
                   output("y", {2, 3, 2, 18}, type)},
                  [](Backend& b, std::span<const View> v) {
                      b.rope(v[0], {v[1], v[2], RopePairing::HalfSplit, {5, 3}}, v[3]);
                  });
}

void addEmbeddingCases(Cases& cases) {
    for (DType type : activationTypes)
        for (const std::int64_t rows : {6, 1300})
            cases.push_back(
                {std::string("embedding/") + kernels::nameOf(type) + " " + std::to_string(rows) + " of (9, 17)", type,
                 0, [=](Backend& b) { return embeddingError(b, rows, 9, 17, type); }});
}

SampleCall sampleEmbedding(DType type) {
    return sample({input("table", {5, 7}, type), output("y", {4, 7}, type)}, [](Backend& b, std::span<const View> v) {
        b.embedding(std::vector<std::int32_t>{3, 0, 2, 3}, v[0], v[1]);
    });
}

void addTimestepEmbeddingCases(Cases& cases) {
    for (DType type : activationTypes) {
        const std::string prefix = std::string("timestepEmbedding/") + kernels::nameOf(type);
        cases.push_back({prefix + " 32 sin first", type, tolerance(type),
                         [=](Backend& b) { return timesError(b, 32, false, 0, type); }});
        cases.push_back({prefix + " 10 cos first shifted", type, tolerance(type),
                         [=](Backend& b) { return timesError(b, 10, true, 1, type); }});
    }
}

SampleCall sampleTimestepEmbedding(DType type) {
    return sample({output("y", {2, 8}, type)}, [](Backend& b, std::span<const View> v) {
        b.timestepEmbedding(std::vector<double>{0.5, 700}, 8, true, 0, 10000, v[0]);
    });
}

}  // namespace meander::kernels::verify
