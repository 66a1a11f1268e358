// DiT (Peebles & Xie 2023), class-conditional with adaLN-Zero per block, as facebookresearch/DiT names its weights.
#pragma once
#include <memory>
#include <span>

#include "engine/models/layers/builder.h"
#include "engine/models/layers/modulated_block.h"

namespace meander {

struct DiTConfig {
    int width = 1152, layers = 28, heads = 16, patch = 2, channels = 4, gridHeight = 16, gridWidth = 16, classes = 1000;
    bool learnsVariance = true;  // twice the output channels, the second half not read
};
// DiT-XL/2 at 256 x 256: 675 129 632 weights, 256 tokens.
DiTConfig ditXl2Config();

class DiT final : public nn::Module {
public:
    DiT(const DiTConfig& config, NetworkBuilder& builder);

    // x (rows, h, w, c) F32; a time and a class per row; class `classes` is the unconditional one → (rows, h, w, c)
    // F32.
    Tensor forward(const Tensor& x, std::span<const double> times, std::span<const int> classes,
                   const nn::Hooks& hooks = {});
    std::size_t bytesPerRow() const;

    std::int64_t parameters = 0;
    std::size_t weightBytes = 0;

private:
    // silu(time + class) through the modulations of all blocks and of the end at once: (rows, 6·layers·width + 2·width)
    // F32.
    Tensor modulations(std::span<const double> times, std::span<const int> classes) const;

    DiTConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_time1, m_time2, m_modulations, m_output;
    Tensor m_classes, m_positions;
    std::vector<const ModulatedBlock*> m_blocks;
};

// Random weights, for benchmarks.
std::unique_ptr<DiT> makeRandomDiT(const DiTConfig& config, Backend& backend, DType type);

}  // namespace meander
