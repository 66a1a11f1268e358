// Parts of KL autoencoders (Rombach et al. 2022; names and order of diffusers' Encoder and Decoder). Activations are
// (1, h, w, c). What is handed over by value is written into and freed as early as possible: at the finest level one
// tensor of 256 channels takes 256 MiB for 512 × 512 pixels.
#pragma once
#include <string>
#include <vector>

#include "engine/models/codecs/kl_config.h"
#include "engine/models/layers/builder.h"
#include "engine/nn/module.h"

namespace meander {

class KlResidualBlock final : public nn::Module {
public:
    // `extent`: expected height and width.
    KlResidualBlock(std::string path, NetworkBuilder& builder, int groups, int in, int out, int extent);
    Tensor operator()(Tensor x) const;

private:
    int m_groups;
    Norm m_norm1, m_norm2;
    Conv m_conv1, m_conv2;
    Linear m_shortcut;  // null: identity
};

// One head over all cells, with a residual. Also under the names of the first diffusers: query, key, value, proj_attn.
class KlAttention final : public nn::Module {
public:
    KlAttention(std::string path, NetworkBuilder& builder, int groups, int channels);
    // Writes into x.
    Tensor operator()(Tensor x) const;

private:
    int m_groups;
    Norm m_norm;
    Linear m_qkv, m_out;
};

class KlMiddle final : public nn::Module {
public:
    KlMiddle(std::string path, NetworkBuilder& builder, const KlConfig& config, int channels);
    Tensor operator()(Tensor x) const;

private:
    const KlResidualBlock *m_first, *m_second;
    const KlAttention* m_attention = nullptr;
};

class KlEncoder final : public nn::Module {
public:
    KlEncoder(std::string path, NetworkBuilder& builder, const KlConfig& config);
    Tensor fine(Tensor pixels) const;   // (1, h, w, 3) in [−1, 1] → features per cell
    Tensor coarse(Tensor cells) const;  // → mean ‖ log-variance (1, h', w', 2·latent)

private:
    struct Level {
        std::vector<const KlResidualBlock*> blocks;
        Conv downsample;  // null at the last one
    };
    int m_groups;
    Conv m_convIn, m_convOut;
    std::vector<Level> m_levels;
    const KlMiddle* m_middle;
    Norm m_normOut;
};

class KlDecoder final : public nn::Module {
public:
    KlDecoder(std::string path, NetworkBuilder& builder, const KlConfig& config);
    Tensor coarse(const Tensor& latents) const;  // (1, h', w', latent) → features per cell
    Tensor fine(Tensor cells) const;             // → pixels (1, h, w, 3), about [−1, 1]

private:
    struct Level {
        std::vector<const KlResidualBlock*> blocks;
        Conv upsample;  // null at the last one
    };
    int m_groups;
    Conv m_convIn, m_convOut;
    const KlMiddle* m_middle;
    std::vector<Level> m_levels;
    Norm m_normOut;
};

}  // namespace meander
