// The two halves of a diffusion transformer's block: self-attention and feed-forward, each on a layer norm that the
// time (and class) scales and shifts, each added back through a gate (adaLN-Zero, Peebles & Xie 2023).
#pragma once
#include "engine/models/layers/builder.h"
#include "engine/models/layers/row_interventions.h"

namespace meander {

// Vectors (rows, width), one per image.
struct Modulation {
    View shift, scale, gate;
};

// Buffers that all blocks of one call share.
struct TokenScratch {
    TokenScratch(Backend& backend, const Shape& tokens, DType type);
    Tensor normed, attended;  // (rows, n, width)
    Tensor wide;              // (rows, n, 4·width): first the fused projections, later the feed-forward
};

struct SelfAttentionHalf {
    Linear qkv, out;
    // tokens (rows, n, width), in place.
    void operator()(Backend& b, const Tensor& tokens, int heads, const Modulation& m, const TokenScratch& s) const {
        (*this)(b, tokens, {{}, heads, 0, int(tokens.shape()[1]), 1}, m, s, nullptr, nullptr);
    }
    // The same as a block whose rows may be changed or tapped; `site` without its view.
    void operator()(Backend& b, const Tensor& tokens, SelfAttention site, const Modulation& m, const TokenScratch& s,
                    const RowInterventions* changes, AttentionCapture* capture) const;
};
struct FeedForwardHalf {
    Linear up, down;  // gelu (tanh) between
    void operator()(Backend& b, const Tensor& tokens, const Modulation& m, const TokenScratch& s) const;
};

}  // namespace meander
