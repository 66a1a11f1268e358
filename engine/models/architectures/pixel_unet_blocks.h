// Parts of the U-Nets of Ho et al. (2020) and Dhariwal & Nichol (2021). Activations are (rows, h, w, c). Pass::vectors
// is (rows, Σ) F32: the time projections of all residual blocks.
#pragma once
#include <string>
#include <vector>

#include "engine/models/layers/builder.h"
#include "engine/nn/module.h"
#include "engine/nn/pass.h"

namespace meander {

// What all parts of one network share while it is built.
struct PixelLayout {
    NetworkBuilder& builder;
    int groups;
    int heads, headWidth;  // one of both; neither: one head
    float eps;
    bool scales;            // the time scales and shifts the second norm; otherwise it is added before it
    bool interleavesHeads;  // q, k and v of a head follow each other in one matrix "to_qkv"
    std::vector<NetworkBuilder::Part> time{};
    std::int64_t timeWidth = 0;
};

enum class Resampling : std::uint8_t { None, Halves, Doubles };

class PixelBlock final : public nn::Module {
public:
    // `resampling`: of both branches, before the first filter. grid: of its result, for the sample size.
    PixelBlock(std::string path, PixelLayout& layout, int in, int out, nn::Grid grid,
               Resampling resampling = Resampling::None, float outputScale = 1);
    Tensor operator()(const nn::Pass& pass, const Tensor& x) const;

private:
    int m_out, m_groups;
    float m_eps, m_outputScale;
    bool m_scales;
    Resampling m_resampling;
    std::int64_t m_timeOffset;
    Norm m_norm1, m_norm2;
    Conv m_conv1, m_conv2;
    Linear m_shortcut;  // null: identity
};

// Self-attention of all cells, with a residual.
class PixelAttention final : public nn::Module {
public:
    PixelAttention(std::string path, PixelLayout& layout, int channels);
    // Writes into x.
    Tensor operator()(const nn::Pass& pass, const Tensor& x) const;

private:
    int m_groups, m_heads;
    float m_eps;
    Norm m_norm;
    Linear m_qkv, m_out;
};

// Residual blocks of one resolution, each with attention or none, then the resampler to the next.
struct PixelStage final : nn::Module {
    using Module::add;
    using Module::at;
    explicit PixelStage(std::string path) : Module(std::move(path)) {}

    std::vector<const PixelBlock*> residual;
    std::vector<const PixelAttention*> attention;  // empty, or one per residual block
    Conv filter;                                   // resampler, or
    const PixelBlock* block = nullptr;             // one that is a block; neither at the last level
};

}  // namespace meander
