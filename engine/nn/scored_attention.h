// Attention with its scores in memory, for what the fused kernel has no place for: a bias per pair of tokens, a soft
// cap, keys shared by several heads. For texts, which are short.
#pragma once
#include <optional>

#include "engine/nn/parameters.h"

namespace meander::nn {

// softmax(cap(scale · q kᵀ) + bias) v per head, with cap(s) = c · tanh(s/c).
struct ScoredAttention {
    Tensor q, k, v;  // q (n, heads·d), k and v (m, keyHeads·d); they may be columns of a wider tensor
    int heads = 1;
    int keyHeads = 1;  // each serves heads/keyHeads heads of q, one after the other (Ainslie et al. 2023)
    float scale = 1;
    std::optional<float> cap;
    Tensor bias;  // (heads, n, m) or (n, m) F32; −inf masks a pair
};
// (n, heads·d)
Tensor attend(const ScoredAttention& a);

}  // namespace meander::nn
