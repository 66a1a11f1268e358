#include <array>

#include "kernels/verify/epilogue_case.h"
#include "kernels/verify/sample_call.h"

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
    }
}

SampleCall sampleLinear(DType type) {
    return sample(
        {input("x", {4, 18}, type), output("y", {4, 21}, type), input("multiply", {4, 21}, type),
         input("gate", {2, 21}, type), input("residual", {4, 21}, type), input("rowBias", {4, 21}, type)},
        [type](Backend& b, std::span<const View> v) {
            const HostWeights weight(random({21, 18}, type, 7), DType::F32), bias(random({21}, type, 8), DType::F32);
            Epilogue e{
                .activation = Activation::Silu, .multiply = v[2], .gate = v[3], .residual = v[4], .rowBias = v[5]};
            b.linear(v[0], *b.packLinear(weight.view, bias.view, type), v[1], e);
        });
}

// The same values give the same weights, whatever type they are stored in.
void addPackLinearCases(Cases& cases) {
    for (DType type : activationTypes)
        cases.push_back({std::string("packLinear/") + kernels::nameOf(type) + " from f32, f16 and bf16", type, 0,
                         [=](Backend& backend) {
                             Fixture t(backend);
                             Host w = random({33, 35}, DType::BF16, 1), bias = random({33}, DType::BF16, 2);
                             for (double& v : w.v) v = roundedTo(DType::F16, v);
                             const View x = t.put(random({6, 35}, type, 3), type);
                             std::vector<Host> results;
                             for (DType stored : {DType::F32, DType::F16, DType::BF16}) {
                                 const HostWeights weight(w, stored), b(bias, stored);
                                 const auto packed = backend.packLinear(weight.view, b.view, type);
                                 if (packed->in != 35 || packed->out != 33 || packed->bytes == 0) return 1.0;
                                 const View y = t.room({6, 33}, type);
                                 backend.linear(x, *packed, y);
                                 results.push_back(t.get(y));
                             }
                             return differing(results[1], results[0]) + differing(results[2], results[0]);
                         }});
}

SampleCall samplePackLinear(DType type) {
    return sample({{"weight", {5, 3}, DType::F32, false, true}, {"bias", {5}, DType::F32, false, true}},
                  [type](Backend& b, std::span<const View> v) { b.packLinear(v[0], v[1], type); });
}

void addBatchedMatmulCases(Cases& cases) {
    for (DType type : activationTypes)
        for (bool transposeB : {false, true})
            for (auto [b, m, k, n] :
                 {std::array<std::int64_t, 4>{1, 1, 1, 1}, {3, 5, 17, 9}, {2, 33, 64, 48}, {5, 1, 300, 3}})
                cases.push_back({std::string("batchedMatmul/") + kernels::nameOf(type) + " " + Shape{b, m, k, n}.text()
                                     + (transposeB ? " transposed" : ""),
                                 type, tolerance(type), [=](Backend& backend) {
                                     return batchedError(backend, b, m, k, n, transposeB, type);
                                 }});
}

SampleCall sampleBatchedMatmul(DType type) {
    return sample({input("a", {2, 3, 5}, type), input("b", {2, 5, 6}, type), output("y", {2, 3, 6}, type)},
                  [](Backend& b, std::span<const View> v) { b.batchedMatmul(v[0], v[1], v[2], false, 0.5f); });
}

}  // namespace meander::kernels::verify
