#include <algorithm>
#include <array>

#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

Host listed(const std::vector<double>& values) {
    Host h({std::int64_t(values.size())});
    h.v = values;
    return h;
}

double reduceError(Backend& backend, Reduction r, Shape shape, DType type) {
    Fixture t(backend);
    const Host x = random(shape, type, 1);
    const std::int64_t n = shape.rowCount();
    Host want({shape[0]});
    for (std::int64_t row = 0; row < shape[0]; ++row) {
        double result = r == Reduction::Min || r == Reduction::Max ? x[row * n] : 0;
        for (std::int64_t i = 0; i < n; ++i) {
            const double v = x[row * n + i];
            switch (r) {
            case Reduction::Sum: result += v; break;
            case Reduction::SumSquares: result += v * v; break;
            case Reduction::SumAbs: result += std::abs(v); break;
            case Reduction::Min: result = std::min(result, v); break;
            case Reduction::Max: result = std::max(result, v); break;
            }
        }
        want[row] = result;
    }
    return difference(listed(backend.reduceRows(r, t.put(x, type))), want);
}

double dotError(Backend& backend, Shape shape, DType type) {
    Fixture t(backend);
    const Host a = random(shape, type, 1), b = random(shape, type, 2);
    Host want({shape[0]});
    for (std::int64_t i = 0; i < shape.count(); ++i) want[i / shape.rowCount()] += a[i] * b[i];
    return difference(listed(backend.dotRows(t.put(a, type), t.put(b, type))), want);
}

double entropyError(Backend& backend, Shape shape) {
    Fixture t(backend);
    Host p = random(shape, DType::F32, 1);
    const std::int64_t keys = shape[3], queries = shape[2];
    Host want({shape[0] * shape[1]});
    for (std::int64_t row = 0; row < shape.count() / keys; ++row) {
        double sum = 0;
        for (std::int64_t i = 0; i < keys; ++i) sum += p[row * keys + i] = i % 5 == 4 ? 0 : std::abs(p[row * keys + i]);
        for (std::int64_t i = 0; i < keys; ++i) {
            double& v = p[row * keys + i];
            v = roundedTo(DType::F32, v / sum);
            if (v > 0) want[row / queries] -= v * std::log(v) / double(queries);
        }
    }
    return difference(listed(backend.attentionEntropy(t.put(p, DType::F32))), want);
}

}  // namespace

void addReduceRowsCases(Cases& cases) {
    const char* names[] = {"sum", "sum of squares", "sum of abs", "min", "max"};
    for (DType type : {DType::F32, DType::F64, DType::BF16})
        for (Shape shape : {Shape{1, 1}, Shape{3, 17, 5}, Shape{2, 40000}})
            for (int r = 0; r < 5; ++r)
                cases.push_back(
                    {std::string("reduceRows/") + kernels::nameOf(type) + " " + shape.text() + " " + names[r], type,
                     1e-9, [=](Backend& b) { return reduceError(b, Reduction(r), shape, type); }});
}

SampleCall sampleReduceRows(DType type) {
    return sample({input("x", {3, 11}, type)},
                  [](Backend& b, std::span<const View> v) { return b.reduceRows(Reduction::SumSquares, v[0]); });
}

void addDotRowsCases(Cases& cases) {
    for (DType type : {DType::F32, DType::F64, DType::BF16})
        for (Shape shape : {Shape{1, 1}, Shape{3, 17, 5}, Shape{2, 40000}})
            cases.push_back({std::string("dotRows/") + kernels::nameOf(type) + " " + shape.text(), type, 1e-9,
                             [=](Backend& b) { return dotError(b, shape, type); }});
}

SampleCall sampleDotRows(DType type) {
    return sample({input("a", {3, 11}, type), input("b", {3, 11}, type)},
                  [](Backend& b, std::span<const View> v) { return b.dotRows(v[0], v[1]); });
}

void addAttentionEntropyCases(Cases& cases) {
    for (Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 7, 19}, Shape{1, 2, 64, 77}})
        cases.push_back({"attentionEntropy/f32 " + shape.text(), DType::F32, 2e-5,
                         [=](Backend& b) { return entropyError(b, shape); }});
}

SampleCall sampleAttentionEntropy(DType) {
    return sample({input("p", {1, 2, 3, 5}, DType::F32)},
                  [](Backend& b, std::span<const View> v) { return b.attentionEntropy(v[0]); });
}

}  // namespace meander::kernels::verify
