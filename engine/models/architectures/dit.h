// DiT (Peebles & Xie 2023), class-conditional with adaLN-Zero per block, as facebookresearch/DiT names its weights; a
// SiT (Ma et al. 2024) is the same network. DiTTransformer2DModel of diffusers.
#pragma once
#include <memory>
#include <span>

#include "engine/core/json.h"
#include "engine/models/denoiser.h"
#include "engine/models/layers/builder.h"
#include "engine/models/layers/modulated_block.h"
#include "engine/models/layers/trunks.h"

namespace meander {

struct DiTConfig {
    int width = 1152, layers = 28, heads = 16, patch = 2, channels = 4, gridHeight = 16, gridWidth = 16, classes = 1000;
    bool learnsVariance = true;  // twice the output channels, the second half not read
    float secondEps = 1e-6f;     // of the norm before the feed-forward
};
// DiT-XL/2 at 256 x 256: 675 129 632 weights, 256 tokens.
DiTConfig ditXl2Config();
// In diffusers' words. Throws Failure.
DiTConfig ditConfig(const Json& json, const std::string& what);

class DiT final : public Denoiser {
public:
    DiT(const DiTConfig& config, NetworkBuilder& builder);

    // Raw: class (1), none: no condition. Prepared: class, its embedding (1, width) F32.
    Conditions prepare(const Conditions& raw) override;
    Tensor forward(const DenoiserInput& in) override;
    // With a class per row; class `classes` is the unconditional one.
    Tensor forward(const Tensor& x, std::span<const double> times, std::span<const int> classes,
                   const nn::Hooks& hooks = {});
    std::size_t bytesPerRow(int height, int width) const override;

private:
    // silu(time + class) through the modulations of all blocks and of the end at once: (rows, 6·layers·width + 2·width)
    // F32.
    Tensor modulations(const DenoiserInput& in) const;
    const Tensor& positions(nn::Grid grid);

    DiTConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_time1, m_time2, m_modulations, m_output;
    Tensor m_classes;
    Tensor m_positions;  // of the grid used last
    nn::Grid m_positionsGrid;
    std::vector<const ModulatedBlock*> m_blocks;
    TrunkBlocks m_trunk;
};

// Random weights, for benchmarks.
std::unique_ptr<DiT> makeRandomDiT(const DiTConfig& config, Backend& backend, DType type);

}  // namespace meander
