#include "engine/nn/ops.h"

#include <cmath>
#include <cstring>

namespace meander::nn {
namespace {

// (rows of the last dimension, its extent)
View matrix(const Tensor& x) {
    const std::int64_t width = x.shape()[-1];
    return x.view().reshaped({x.count() / width, width});
}

}  // namespace

Tensor linear(const Tensor& x, const Linear& w, const LinearOptions& o) {
    const Tensor y = o.onto ? o.onto : Tensor(x.backend(), x.shape().with(-1, w->out), x.type());
    kernels::Epilogue e;
    e.activation = o.activation;
    if (o.multiply) e.multiply = matrix(o.multiply);
    e.gate = o.gate;
    if (o.onto) e.residual = matrix(o.onto);
    x.backend().linear(x, *w, y, e);
    return y;
}

Tensor conv(const Tensor& x, const Conv& w, const ConvOptions& o) {
    const auto extent = [&](std::int64_t n) { return (n + 2 * w->padding - w->kernel) / w->stride + 1; };
    const Shape s = x.shape();
    const Tensor y = o.inPlace ? o.residual : Tensor(x.backend(), {s[0], extent(s[1]), extent(s[2]), w->out}, x.type());
    kernels::Epilogue e;
    e.activation = o.activation;
    e.rowBias = o.rowBias;
    e.residual = o.residual;
    e.residualScale = o.scale;
    x.backend().conv2d(x, *w, y, e);
    return y;
}

Tensor groupNorm(const Tensor& x, const Norm& n, int groups, float eps, Activation a) {
    Tensor y(x.backend(), x.shape(), x.type());
    x.backend().groupNorm(x, n.gamma, n.beta, groups, eps, a, y);
    return y;
}

Tensor layerNorm(const Tensor& x, const Norm& n, float eps) {
    Tensor y(x.backend(), x.shape(), x.type());
    x.backend().layerNorm(matrix(x), n.gamma, n.beta, eps, {}, {}, matrix(y));
    return y;
}

Tensor rmsNorm(const Tensor& x, const Tensor& gamma, float eps) {
    Tensor y(x.backend(), x.shape(), x.type());
    x.backend().rmsNorm(x, gamma, eps, y);
    return y;
}

Tensor modulatedNorm(const Tensor& x, const Tensor& shift, const Tensor& scale, float eps) {
    Tensor y(x.backend(), x.shape(), x.type());
    x.backend().layerNorm(x, {}, {}, eps, scale, shift, y);
    return y;
}

Attention Attention::rows(std::int64_t first, std::int64_t count) const {
    Attention part = *this;
    for (Tensor* t : {&part.q, &part.k, &part.v, &part.probabilities})
        if (*t) *t = t->slice(first, count);
    return part;
}

void attend(const Attention& a, const Tensor& y) {
    kernels::AttentionArgs args;
    args.q = a.q;
    args.k = a.k;
    args.v = a.v;
    args.heads = a.heads;
    args.scale = 1.0f / std::sqrt(float(a.q.shape()[-1] / a.heads));
    args.causal = a.causal;
    if (a.probabilities) args.probabilities = a.probabilities;
    a.q.backend().attention(args, y);
}

Tensor attend(const Attention& a) {
    Tensor y(a.q.backend(), a.q.shape().with(-1, a.v.shape()[-1]), a.q.type());
    attend(a, y);
    return y;
}

Tensor silu(const Tensor& x) {
    Tensor y(x.backend(), x.shape(), x.type());
    x.backend().unary(kernels::Unary::Silu, x, y);
    return y;
}

Tensor add(const Tensor& a, const Tensor& b) {
    Tensor y(a.backend(), a.shape(), a.type());
    a.backend().binary(kernels::Binary::Add, a, b, y);
    return y;
}

Tensor tokens(const Tensor& x, std::int64_t first, std::int64_t count) {
    return x.transposed(0, 1).slice(first, count).transposed(0, 1);
}

Tensor columns(const Tensor& x, std::int64_t first, std::int64_t count) {
    Tensor y(x.backend(), x.shape().with(-1, count), x.type());
    x.backend().sliceLast(x, first, y);
    return y;
}

Tensor concat(const Tensor& a, const Tensor& b) {
    Tensor y(a.backend(), a.shape().with(-1, a.shape()[-1] + b.shape()[-1]), a.type());
    a.backend().concatLast(a, b, y);
    return y;
}

Tensor upsample2(const Tensor& x) {
    const Shape s = x.shape();
    Tensor y(x.backend(), {s[0], 2 * s[1], 2 * s[2], s[3]}, x.type());
    x.backend().upsampleNearest2(x, y);
    return y;
}

Tensor pixelShuffle(const Tensor& x, int factor) {
    const Shape s = x.shape();
    Tensor y(x.backend(), {s[0], s[1] * factor, s[2] * factor, s[3] / (factor * factor)}, x.type());
    x.backend().pixelShuffle(x, factor, y);
    return y;
}

Tensor pixelUnshuffle(const Tensor& x, int factor) {
    const Shape s = x.shape();
    Tensor y(x.backend(), {s[0], s[1] / factor, s[2] / factor, s[3] * factor * factor}, x.type());
    x.backend().pixelUnshuffle(x, factor, y);
    return y;
}

Tensor embedding(std::span<const int> ids, const Tensor& table) {
    Tensor y(table.backend(), {std::int64_t(ids.size()), table.shape()[1]}, table.type());
    table.backend().embedding(ids, table, y);
    return y;
}

Tensor timestepEmbedding(Backend& backend, std::span<const double> times, int dim, bool cosFirst, double shift) {
    Tensor y(backend, {std::int64_t(times.size()), dim});
    backend.timestepEmbedding(times, dim, cosFirst, shift, 10000, y);
    return y;
}

}  // namespace meander::nn
