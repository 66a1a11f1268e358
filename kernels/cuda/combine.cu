// Linear combinations of states: all the arithmetic a sampler does, y = Σ factor · value.
//
// The sum is taken in double, term by term and with separate multiplication and addition (no fused ones: the same
// roundings as the CPU's), and rounded once into y. Factors and addresses travel in the kernel's own parameters, so
// nothing is copied ahead. `combine` is `combineRows` with a single row. More terms than fit one launch are carried
// over in a double accumulator.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int maxTerms = 16, maxRows = 16;  // 2.2 KB of the 4 KB that parameters may take

struct Coefficients {
    const void* value[maxTerms];  // each points at the first row of this launch
    double factor[maxTerms][maxRows];
    int terms, rows;
};

// carryIn and carryOut (rows, n) hold unfinished sums; y is written when there is no carryOut.
template <class T>
__global__ void combineKernel(const Coefficients c, std::int64_t n, const double* carryIn, double* carryOut, T* y) {
    const std::int64_t total = n * c.rows;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const int row = int(quotient(i, n));
        double sum = carryIn ? carryIn[i] : 0.0;
        for (int t = 0; t < c.terms; ++t) {
            const double x = toReal(static_cast<const T*>(c.value[t])[i]);
            const double product = __dmul_rn(c.factor[t][row], x);
            sum = t == 0 && !carryIn ? product : __dadd_rn(sum, product);
        }
        if (carryOut) carryOut[i] = sum;
        else y[i] = fromReal<T>(sum);
    }
}

// `factorOf(term, row)`; y has `rows` rows of n elements.
template <class T, class ValueOf, class FactorOf>
void run(Device& device, std::int64_t terms, ValueOf valueOf, FactorOf factorOf, T* y, std::int64_t rows,
         std::int64_t n) {
    for (std::int64_t firstRow = 0; firstRow < rows; firstRow += maxRows) {
        const int rowsNow = int(std::min<std::int64_t>(maxRows, rows - firstRow));
        const std::int64_t count = rowsNow * n, offset = firstRow * n;
        Buffer carry;
        if (terms > maxTerms) carry = Buffer(device, std::size_t(count) * sizeof(double));
        for (std::int64_t first = 0; first < terms; first += maxTerms) {
            Coefficients c{};
            c.terms = int(std::min<std::int64_t>(maxTerms, terms - first));
            c.rows = rowsNow;
            for (int t = 0; t < c.terms; ++t) {
                c.value[t] = static_cast<const T*>(valueOf(first + t)) + offset;
                for (int r = 0; r < rowsNow; ++r) c.factor[t][r] = factorOf(first + t, firstRow + r);
            }
            const bool isLast = first + maxTerms >= terms;
            launch(device, combineKernel<T>, elementwiseBlocks(device, count), elementwiseThreads, c, n,
                   first > 0 ? carry.as<const double>() : nullptr, isLast ? nullptr : carry.as<double>(), y + offset);
        }
    }
}

}  // namespace

void CudaBackend::doCombine(std::span<const Term> terms, View y) {
    Device& device = this->device();
    dispatchFloat(y.type, [&](auto zero) {
        using T = decltype(zero);
        run<T>(
            device, std::int64_t(terms.size()), [&](std::int64_t t) { return terms[std::size_t(t)].value.data; },
            [&](std::int64_t t, std::int64_t) { return terms[std::size_t(t)].factor; }, y.as<T>(), 1, y.count());
    });
}

void CudaBackend::doCombineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) {
    Device& device = this->device();
    const std::int64_t rows = y.shape[0];
    dispatchFloat(y.type, [&](auto zero) {
        using T = decltype(zero);
        run<T>(
            device, std::int64_t(values.size()), [&](std::int64_t t) { return values[std::size_t(t)].data; },
            [&](std::int64_t t, std::int64_t row) { return factors[std::size_t(t)][std::size_t(row)]; }, y.as<T>(),
            rows, y.count() / rows);
    });
}

}  // namespace meander::kernels::cuda
