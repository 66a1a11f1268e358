#include "engine/models/layers/modulated_block.h"

namespace meander {
namespace {

constexpr float eps = 1e-6f;

}  // namespace

TokenScratch::TokenScratch(Backend& backend, const Shape& t, DType type)
    : normed(backend, t, type), attended(backend, t, type), wide(backend, {t[0], t[1], 4 * t[2]}, type) {}

void SelfAttentionHalf::operator()(Backend& b, const Tensor& tokens, SelfAttention site, const Modulation& m,
                                   const TokenScratch& s, const RowInterventions* changes,
                                   AttentionCapture* capture) const {
    const std::int64_t rows = tokens.shape()[0], n = tokens.shape()[1], w = tokens.shape()[2], all = rows * n;
    const View flat = tokens.view().reshaped({all, w}), normed = s.normed.view().reshaped({all, w});
    const View fused = s.wide.view().reshaped({all * 4 * w}).slice(0, 0, all * 3 * w).reshaped({all, 3 * w});
    b.layerNorm(flat, {}, {}, eps, m.scale, m.shift, normed);
    b.linear(normed, *qkv, fused);
    site.fused = fused.reshaped({rows, n, 3 * w});
    selfAttention(b, site, s.attended, changes, capture);
    kernels::Epilogue add;
    add.gate = m.gate;
    add.residual = flat;
    b.linear(s.attended.view().reshaped({all, w}), *out, flat, add);
}

void FeedForwardHalf::operator()(Backend& b, const Tensor& tokens, const Modulation& m, const TokenScratch& s) const {
    const std::int64_t all = tokens.shape()[0] * tokens.shape()[1], w = tokens.shape()[2];
    const View flat = tokens.view().reshaped({all, w}), normed = s.normed.view().reshaped({all, w}),
               wide = s.wide.view().reshaped({all, 4 * w});
    b.layerNorm(flat, {}, {}, eps, m.scale, m.shift, normed);
    kernels::Epilogue gelu, add;
    gelu.activation = kernels::Activation::GeluTanh;
    b.linear(normed, *up, wide, gelu);
    add.gate = m.gate;
    add.residual = flat;
    b.linear(wide, *down, flat, add);
}

}  // namespace meander
