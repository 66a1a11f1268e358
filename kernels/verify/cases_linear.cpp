#include <array>

#include "kernels/verify/epilogue_case.h"

namespace meander::kernels::verify {
namespace {

struct Size {
    std::int64_t rows, in, out;
};

double linearError(Backend& backend, Size s, DType type, const EpilogueCase& c, bool isHalfWeight) {
    Fixture t(backend);
    const double scale = 1 / std::sqrt(double(s.in));
    const DType weightType = isHalfWeight ? DType::F16 : DType::F32;
    Host x = random({s.rows, s.in}, type, 1), w = random({s.out, s.in}, type, 2, scale);
    if (isHalfWeight)
        for (double& v : w.v) v = roundedTo(type, roundedTo(DType::F16, v));
    const HostEpilogue parts(c, s.rows, s.out, s.rows % 2 == 0 ? 2 : 1, type);

    Host want({s.rows, s.out});
    for (std::int64_t r = 0; r < s.rows; ++r)
        for (std::int64_t o = 0; o < s.out; ++o) {
            double sum = 0;
            for (std::int64_t k = 0; k < s.in; ++k) sum += x[r * s.in + k] * w[o * s.in + k];
            want[r * s.out + o] = parts.finished(sum, r, o, s.rows, s.out);
        }

    const HostWeights weight(w, weightType), bias(parts.bias, DType::F32);
    const auto packed = backend.packLinear(weight.view, bias.view, type);
    const View y = t.room({s.rows, s.out}, type);
    backend.linear(t.put(x, type), *packed, y, parts.on(t, c, y));
    return difference(t.get(y), want);
}

void addLinear(Cases& cases, Size s, DType type, const EpilogueCase& c, bool isHalfWeight = false) {
    const std::string name = std::string("linear/") + kernels::nameOf(type) + " (" + std::to_string(s.rows) + ", "
                             + std::to_string(s.in) + ") -> " + std::to_string(s.out) + c.text()
                             + (isHalfWeight ? " f16 weights" : "");
    cases.push_back(
        {name, type, tolerance(type), [=](Backend& b) { return linearError(b, s, type, c, isHalfWeight); }});
}

double batchedError(Backend& backend, std::int64_t batch, std::int64_t m, std::int64_t k, std::int64_t n,
                    bool transposeB, DType type) {
    Fixture t(backend);
    const Host a = random({batch, m, k}, type, 1),
               b = random(transposeB ? Shape{batch, n, k} : Shape{batch, k, n}, type, 2);
    Host want({batch, m, n});
    for (std::int64_t i = 0; i < batch; ++i)
        for (std::int64_t r = 0; r < m; ++r)
            for (std::int64_t c = 0; c < n; ++c) {
                double sum = 0;
                for (std::int64_t j = 0; j < k; ++j)
                    sum += a[(i * m + r) * k + j] * (transposeB ? b[(i * n + c) * k + j] : b[(i * k + j) * n + c]);
                want[(i * m + r) * n + c] = 0.5 * sum;
            }
    const View y = t.room({batch, m, n}, type);
    backend.batchedMatmul(t.put(a, type), t.put(b, type), y, transposeB, 0.5f);
    return difference(t.get(y), want);
}

}  // namespace

void addLinearCases(Cases& cases) {
    const Size odd{7, 33, 35}, usual{130, 320, 96};
    for (DType type : activationTypes) {
        for (Size s : {Size{1, 1, 1}, Size{1, 3, 17}, Size{5, 17, 3}, Size{2, 320, 80}, usual, Size{97, 300, 260},
                       Size{64, 1100, 48}})
            addLinear(cases, s, type, {Bias});
        addLinear(cases, odd, type, {});
        addLinear(cases, usual, type, {});
        for (Activation a :
             {Activation::Silu, Activation::GeluErf, Activation::GeluTanh, Activation::QuickGelu, Activation::Relu})
            addLinear(cases, odd, type, {Bias, a});
        for (unsigned part : {unsigned(RowBias), unsigned(Multiply), unsigned(Gate), unsigned(Residual),
                              unsigned(Residual | InPlace), unsigned(Scale)})
            addLinear(cases, {12, 33, 35}, type, {part});
        addLinear(cases, {12, 33, 35}, type, {AllParts, Activation::Silu});
        addLinear(cases, usual, type, {AllParts | InPlace, Activation::GeluErf});
        addLinear(cases, usual, type, {Multiply | Bias, Activation::GeluTanh});
        addLinear(cases, {40, 64, 64}, type, {Bias | Residual});
        addLinear(cases, {40, 64, 64}, type, {Bias}, true);
        for (bool transposeB : {false, true})
            for (auto [b, m, k, n] :
                 {std::array<std::int64_t, 4>{1, 1, 1, 1}, {3, 5, 17, 9}, {2, 33, 64, 48}, {5, 1, 300, 3}})
                cases.push_back({std::string("batchedMatmul/") + kernels::nameOf(type) + " " + Shape{b, m, k, n}.text()
                                     + (transposeB ? " transposed" : ""),
                                 type, tolerance(type), [=](Backend& backend) {
                                     return batchedError(backend, b, m, k, n, transposeB, type);
                                 }});
    }
}

}  // namespace meander::kernels::verify
