// Functional operations of networks: each returns its result, so that a layer reads like its formula. Images are
// (rows, h, w, c), tokens (rows, n, c). Bias, activation, factors and residual are part of one fused product
// (kernels::Epilogue).
#pragma once
#include <array>
#include <span>

#include "engine/nn/parameters.h"

namespace meander::nn {

using kernels::Activation;

struct LinearOptions {
    Activation activation = Activation::None;
    Tensor multiply;  // of the result's shape: factor after the activation (gated units: GEGLU, SwiGLU)
    Tensor gate;      // (rows, out): factor per row of the batch (adaLN-Zero)
    Tensor onto;      // of the result's shape: added last; the result is written in its memory
};
// x Wᵀ + b over the last dimension; the rows of x may be strided.
Tensor linear(const Tensor& x, const Linear& w, const LinearOptions& o = {});

struct ConvOptions {
    Activation activation = Activation::None;  // before the residual
    Tensor rowBias;                            // (rows, out): added per image
    Tensor residual;                           // of the result's shape: added last
    bool inPlace = false;                      // the result is written in the memory of `residual`
    float scale = 1;                           // of the sum
};
Tensor conv(const Tensor& x, const Conv& w, const ConvOptions& o = {});

Tensor groupNorm(const Tensor& x, const Norm& n, int groups, float eps, Activation a = Activation::None);
Tensor layerNorm(const Tensor& x, const Norm& n, float eps);
// x / √(mean x² + eps) · gamma over the last dimension (Zhang & Sennrich 2019).
Tensor rmsNorm(const Tensor& x, const Tensor& gamma, float eps);
// norm(x) · (1 + scale) + shift, with scale and shift (rows, c) per row of the batch (adaLN); the rows of x may be
// strided.
Tensor modulatedNorm(const Tensor& x, const Tensor& shift, const Tensor& scale, float eps);

// softmax(q kᵀ/√d) v per head; q (rows, n, c), k and v (rows, m, c), which may be columns of a wider tensor.
struct Attention {
    Tensor q, k, v;
    int heads = 1;
    bool causal = false;
    Tensor probabilities;  // (rows, heads, n, m) F32; where given, the softmax is written here too
    Attention rows(std::int64_t first, std::int64_t count) const;
};
void attend(const Attention& a, const Tensor& y);
Tensor attend(const Attention& a);

Tensor silu(const Tensor& x);
// a + b; b may have fewer dimensions, which repeat along the leading ones of a.
Tensor add(const Tensor& a, const Tensor& b);
// Equal parts of the last dimension, sharing x's memory.
template <std::size_t N> std::array<Tensor, N> chunk(const Tensor& x) {
    std::array<Tensor, N> parts;
    const std::int64_t width = x.shape()[-1] / std::int64_t(N);
    for (std::size_t i = 0; i < N; ++i) parts[i] = x.columns(std::int64_t(i) * width, width);
    return parts;
}
// Tokens [first, first + count) of x (rows, n, c), sharing its memory; strided where x has several rows.
Tensor tokens(const Tensor& x, std::int64_t first, std::int64_t count);
// Columns [first, first + count) as a dense tensor.
Tensor columns(const Tensor& x, std::int64_t first, std::int64_t count);
Tensor concat(const Tensor& a, const Tensor& b);  // along the last dimension
Tensor upsample2(const Tensor& x);                // nearest neighbour
Tensor pixelShuffle(const Tensor& x, int factor);
Tensor pixelUnshuffle(const Tensor& x, int factor);
// Rows of a table (n, c); ids are checked by the kernel.
Tensor embedding(std::span<const int> ids, const Tensor& table);
// Sinusoids (times, dim) F32; see kernels::Backend::timestepEmbedding.
Tensor timestepEmbedding(Backend& backend, std::span<const double> times, int dim, bool cosFirst, double shift);

}  // namespace meander::nn
