// Parts of the U-Net. Activations are (rows, h, w, c); tokens are the same memory read as (rows, h·w, c). Pass::vectors
// is (rows, Σ channels) F32: the time projections of all residual blocks.
#pragma once
#include <string>
#include <vector>

#include "engine/models/layers/builder.h"
#include "engine/nn/module.h"
#include "engine/nn/pass.h"

namespace meander {

// What all parts of one network share while it is built, and their places in the two projections that they share.
struct UNetLayout {
    NetworkBuilder& builder;
    int groups;
    float eps;
    bool linearProjection;  // projections of a transformer are matrices, not 1 × 1 filters
    std::vector<NetworkBuilder::Part> time{}, text{};
    std::int64_t timeWidth = 0, textWidth = 0;
};

class ResidualBlock final : public nn::Module {
public:
    // height · width: the grid for the sample size.
    ResidualBlock(std::string path, UNetLayout& layout, int in, int out, nn::Grid grid, float outputScale = 1);
    Tensor operator()(const nn::Pass& pass, const Tensor& x) const;

private:
    int m_out, m_groups;
    float m_eps, m_outputScale;
    std::int64_t m_timeOffset;
    Norm m_norm1, m_norm2;
    Conv m_conv1, m_conv2;
    Linear m_shortcut;  // null: identity
};

// Self-attention, cross-attention and gated feed-forward, each with a residual (BasicTransformerBlock).
class TransformerBlock final : public nn::Module {
public:
    TransformerBlock(std::string path, UNetLayout& layout, int channels, int heads, int stride);
    // x (rows, n, c), may be written into.
    Tensor operator()(const nn::Pass& pass, const Tensor& x) const;

private:
    const nn::Site &m_block, &m_selfAttention, &m_crossAttention, &m_feedForward;
    Norm m_norm1, m_norm2, m_norm3;
    Linear m_qkv, m_out1, m_query, m_out2, m_gate, m_value, m_down;
};

// Transformer2DModel: norm, projection in, blocks, projection out, residual.
class SpatialTransformer final : public nn::Module {
public:
    SpatialTransformer(std::string path, UNetLayout& layout, int channels, int heads, int layers, int stride);
    // May write into x.
    Tensor operator()(const nn::Pass& pass, const Tensor& x) const;

private:
    int m_groups;
    Norm m_norm;
    Linear m_projectIn, m_projectOut;
    std::vector<const TransformerBlock*> m_blocks;
};

// Residual blocks of one resolution, each with a transformer or none, then the resampler to the next.
struct ResolutionStage final : nn::Module {
    using Module::add;
    using Module::at;
    explicit ResolutionStage(std::string path) : Module(std::move(path)) {}

    std::vector<const ResidualBlock*> residual;
    std::vector<const SpatialTransformer*> attention;  // empty, or one per residual block
    std::vector<const nn::Site*> skips;                // on the way up: one per residual block
    Conv resample;                                     // down- or upsampler; null at the last level
};

}  // namespace meander
