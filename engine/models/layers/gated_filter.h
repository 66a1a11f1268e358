// The feed-forward of SANA and of its codec (Xie et al. 2024): between two matrices a filter over the neighbours of
// each cell, channel by channel, and a gate. y = W₂ (a · silu(b)), a ‖ b = depthwise(silu(W₁ x)).
#pragma once
#include "engine/models/layers/builder.h"
#include "engine/nn/ops.h"

namespace meander {

// A filter of its own for each channel.
class DepthwiseFilter {
public:
    DepthwiseFilter() = default;
    // name.weight (channels, 1, kernel, kernel), name.bias (channels).
    DepthwiseFilter(NetworkBuilder& builder, const std::string& name, int channels, int kernel, bool bias);
    // x (rows, h, w, channels) → the same shape in F32; zeros beyond the border.
    Tensor operator()(const Tensor& x) const;

private:
    int m_kernel = 1;
    std::vector<Tensor> m_weights;  // (channels), place by place
    Tensor m_bias;                  // empty: none
};

class GatedFilter {
public:
    GatedFilter(NetworkBuilder& builder, const std::string& name, int channels, int inner);
    // (rows, h, w, channels) → the same shape; `last`: of the last matrix.
    Tensor operator()(const Tensor& x, const nn::LinearOptions& last = {}) const;

private:
    Linear m_up, m_down;
    DepthwiseFilter m_filter;
};

}  // namespace meander
