#include <algorithm>
#include <limits>

#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

struct Size {
    std::int64_t batch, queries, keys, heads, d, dv;
};
enum Extra : unsigned { Causal = 1, KeyBias = 2, Probabilities = 4, Fused = 8 };

// What the plain loops say.
struct Answer {
    Host y, p;
};

Answer attend(const Size& s, const Host& q, const Host& k, const Host& v, const Host& keyBias, double scale,
              bool causal) {
    Answer a{Host({s.batch, s.queries, s.heads * s.dv}), Host({s.batch, s.heads, s.queries, s.keys})};
    for (std::int64_t b = 0; b < s.batch; ++b)
        for (std::int64_t h = 0; h < s.heads; ++h)
            for (std::int64_t i = 0; i < s.queries; ++i) {
                double* row = &a.p[((b * s.heads + h) * s.queries + i) * s.keys];
                double top = -std::numeric_limits<double>::infinity(), sum = 0;
                for (std::int64_t j = 0; j < s.keys; ++j) {
                    double dot = 0;
                    for (std::int64_t c = 0; c < s.d; ++c)
                        dot += q[((b * s.queries + i) * s.heads + h) * s.d + c]
                               * k[((b * s.keys + j) * s.heads + h) * s.d + c];
                    row[j] = dot * scale + (keyBias ? keyBias[b * s.keys + j] : 0);
                    if (causal && j > i) row[j] = -std::numeric_limits<double>::infinity();
                    top = std::max(top, row[j]);
                }
                for (std::int64_t j = 0; j < s.keys; ++j) sum += row[j] = std::exp(row[j] - top);
                for (std::int64_t j = 0; j < s.keys; ++j) row[j] /= sum;
                for (std::int64_t c = 0; c < s.dv; ++c) {
                    double out = 0;
                    for (std::int64_t j = 0; j < s.keys; ++j)
                        out += row[j] * v[((b * s.keys + j) * s.heads + h) * s.dv + c];
                    a.y[((b * s.queries + i) * s.heads + h) * s.dv + c] = out;
                }
            }
    return a;
}

// q, k and v as slices of one (b, t, 3 c) projection.
void fuse(Fixture& t, AttentionArgs& a, const Size& s, const Host& q, const Host& k, const Host& v, DType type) {
    const std::int64_t c = s.heads * s.d, wide = 3 * c;
    Host all({s.batch, s.keys, wide});
    for (std::int64_t row = 0; row < s.batch * s.keys; ++row)
        for (std::int64_t i = 0; i < c; ++i) {
            all[row * wide + i] = q[row * c + i];
            all[row * wide + c + i] = k[row * c + i];
            all[row * wide + 2 * c + i] = v[row * c + i];
        }
    const View fused = t.put(all, type);
    a.q = fused.columns(0, c), a.k = fused.columns(c, c), a.v = fused.columns(2 * c, c);
}

double attentionError(Backend& backend, const Size& s, DType type, unsigned extra) {
    Fixture t(backend);
    const Host q = random({s.batch, s.queries, s.heads * s.d}, type, 1, 2),
               k = random({s.batch, s.keys, s.heads * s.d}, type, 2, 2),
               v = random({s.batch, s.keys, s.heads * s.dv}, type, 3);
    Host keyBias;
    if (extra & KeyBias) {
        keyBias = random({s.batch, s.keys}, DType::F32, 4);
        for (std::int64_t j = 1; j < s.keys; j += 3) keyBias[j] = -std::numeric_limits<double>::infinity();
    }
    const double scale = float(1 / std::sqrt(double(s.d)));
    const Answer want = attend(s, q, k, v, keyBias, scale, extra & Causal);

    AttentionArgs a;
    if (extra & Fused) fuse(t, a, s, q, k, v, type);
    else a.q = t.put(q, type), a.k = t.put(k, type), a.v = t.put(v, type);
    a.heads = int(s.heads);
    a.scale = float(scale);
    a.causal = extra & Causal;
    a.keyBias = t.put(keyBias, DType::F32);
    if (extra & Probabilities) a.probabilities = t.room({s.batch, s.heads, s.queries, s.keys}, DType::F32);
    const View y = t.room({s.batch, s.queries, s.heads * s.dv}, type);
    backend.attention(a, y);
    double error = difference(t.get(y), want.y);
    if (extra & Probabilities) error = std::max(error, difference(t.get(a.probabilities), want.p));
    return error;
}

double softmaxError(Backend& backend, Shape shape, DType type, bool inPlace) {
    Fixture t(backend);
    const Host x = random(shape, type, 1, 20);
    Host want(shape);
    const std::int64_t n = shape[-1];
    for (std::int64_t r = 0; r < shape.count() / n; ++r) {
        double top = x[r * n], sum = 0;
        for (std::int64_t i = 0; i < n; ++i) top = std::max(top, x[r * n + i]);
        for (std::int64_t i = 0; i < n; ++i) sum += want[r * n + i] = std::exp(x[r * n + i] - top);
        for (std::int64_t i = 0; i < n; ++i) want[r * n + i] /= sum;
    }
    const View vx = t.put(x, type), y = inPlace ? vx : t.room(shape, type);
    backend.softmax(vx, y);
    return difference(t.get(y), want);
}

}  // namespace

void addAttentionCases(Cases& cases) {
    const auto add = [&](Size s, DType type, unsigned extra) {
        std::string name = std::string("attention/") + kernels::nameOf(type) + " b" + std::to_string(s.batch) + " "
                           + std::to_string(s.queries) + "x" + std::to_string(s.keys) + " heads "
                           + std::to_string(s.heads) + " d " + std::to_string(s.d);
        if (s.dv != s.d) name += " dv " + std::to_string(s.dv);
        if (extra & Causal) name += " causal";
        if (extra & KeyBias) name += " keyBias";
        if (extra & Probabilities) name += " probabilities";
        if (extra & Fused) name += " fused";
        cases.push_back({name, type, type == DType::F32 ? 4e-5 : 1.5 * tolerance(type),
                         [=](Backend& b) { return attentionError(b, s, type, extra); }});
    };
    for (DType type : activationTypes) {
        for (Size s :
             {Size{1, 1, 1, 1, 1, 1}, Size{1, 3, 5, 1, 17, 17}, Size{2, 64, 64, 4, 32, 32}, Size{2, 100, 77, 2, 40, 40},
              Size{1, 130, 300, 3, 24, 24}, Size{1, 256, 256, 2, 72, 72}, Size{1, 17, 1030, 1, 64, 64},
              Size{1, 40, 33, 2, 16, 24}, Size{1, 20, 20, 1, 160, 160}, Size{1, 9, 14, 1, 512, 512}})
            add(s, type, 0);
        const Size usual{2, 45, 45, 3, 24, 24};
        for (unsigned extra : {unsigned(Causal), unsigned(KeyBias), unsigned(Probabilities), unsigned(Fused),
                               unsigned(Causal | Probabilities), unsigned(Causal | KeyBias | Probabilities | Fused)})
            add(usual, type, extra);
        add({2, 70, 77, 2, 40, 40}, type, KeyBias | Probabilities);
    }
}

SampleCall sampleAttention(DType type) {
    return sample({input("q", {2, 5, 12}, type), input("k", {2, 7, 12}, type), input("v", {2, 7, 10}, type),
                   output("y", {2, 5, 10}, type), input("keyBias", {2, 7}, DType::F32),
                   output("probabilities", {2, 2, 5, 7}, DType::F32)},
                  [](Backend& b, std::span<const View> v) {
                      AttentionArgs a{.q = v[0], .k = v[1], .v = v[2], .heads = 2, .scale = 0.4f};
                      a.keyBias = v[4];
                      a.probabilities = v[5];
                      b.attention(a, v[3]);
                  });
}

void addSoftmaxCases(Cases& cases) {
    for (DType type : activationTypes)
        for (Shape shape : {Shape{1, 1}, Shape{5, 17}, Shape{3, 4, 300}})
            cases.push_back({std::string("softmax/") + kernels::nameOf(type) + " " + shape.text(), type,
                             tolerance(type), [=](Backend& b) { return softmaxError(b, shape, type, shape[0] == 5); }});
}

SampleCall sampleSoftmax(DType type) {
    return sample({input("x", {4, 11}, type), output("y", {4, 11}, type)},
                  [](Backend& b, std::span<const View> v) { b.softmax(v[0], v[1]); });
}

}  // namespace meander::kernels::verify
