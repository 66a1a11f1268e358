// Attention without a softmax, whose cost grows with the tokens and not with their square (Katharopoulos et al. 2020;
// with ReLU: Cai et al. 2023, Xie et al. 2024).
#pragma once
#include "engine/nn/parameters.h"

namespace meander::nn {

// y = q (kᵀ v) / (q Σ k + 1e-15) per head; q, k not negative, all (rows, n, heads·d), possibly columns of a wider
// tensor → (rows, n, heads·d) of v's type, computed in F32.
Tensor linearAttention(const Tensor& q, const Tensor& k, const Tensor& v, int heads);

}  // namespace meander::nn
