#include "engine/nn/linear_attention.h"

#include "engine/nn/ops.h"

namespace meander::nn {
namespace {

// (rows, n, heads·d) → (rows·heads, n, d), dense F32.
Tensor byHead(const Tensor& x, std::int64_t heads) {
    const Shape s = x.shape();
    return x.reshaped({s[0], s[1], heads, s[2] / heads})
        .transposed(1, 2)
        .clone()
        .reshaped({s[0] * heads, s[1], s[2] / heads})
        .converted(DType::F32);
}

}  // namespace

Tensor linearAttention(const Tensor& q, const Tensor& k, const Tensor& v, int heads) {
    Backend& backend = v.backend();
    const Shape s = v.shape();
    const std::int64_t d = s[2] / heads, b = s[0] * heads, n = s[1];
    // Behind the values as many ones: their sums are the denominators.
    Tensor ones(backend, {b, n, d}), products(backend, {b, d, 2 * d}), y(backend, {b, n, 2 * d}), least(backend, {d});
    backend.fill(ones, 1);
    backend.fill(least, 1e-15);
    backend.batchedMatmul(byHead(k, heads).transposed(1, 2).clone(), concat(byHead(v, heads), ones), products, false);
    backend.batchedMatmul(byHead(q, heads), products, y, false);
    const Tensor sums = columns(y, 0, d), denominators = columns(y, d, d);
    backend.binary(kernels::Binary::Add, denominators, least, denominators);
    backend.binary(kernels::Binary::Div, sums, denominators, sums);
    return sums.reshaped({s[0], heads, n, d}).transposed(1, 2).clone().reshaped(s).converted(v.type());
}

}  // namespace meander::nn
