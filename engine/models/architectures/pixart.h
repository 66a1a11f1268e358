// PixArtTransformer2DModel of diffusers (Chen et al. 2023): a diffusion transformer with cross-attention to text and
// one shared adaLN projection plus a table per block.
#pragma once
#include "engine/core/json.h"
#include "engine/models/denoiser.h"
#include "engine/models/layers/builder.h"
#include "engine/models/layers/modulated_block.h"
#include "engine/models/layers/trunks.h"

namespace meander {

struct PixArtConfig {
    int heads = 16, headWidth = 72, layers = 28, patch = 2, inChannels = 4, outChannels = 8, sampleSize = 32,
        captionWidth = 4096;
    double interpolationScale = 1;
    bool takesSize = false;  // added to the time: height and width in pixels, and their ratio (PixArt-α at 1024 pixels)
    int width() const { return heads * headWidth; }
};
// Throws Failure.
PixArtConfig pixArtConfig(const Json& json, const std::string& what);
// The transformer blocks in execution order, for the sample size.
std::vector<TapSite> transformerBlocks(const PixArtConfig& config);
// Estimated activation memory of one row, in bytes; `element`: bytes of a number.
std::size_t bytesPerRow(const PixArtConfig& config, int height, int width, std::size_t element);

class PixArt final : public Denoiser {
public:
    PixArt(const PixArtConfig& config, NetworkBuilder& builder);

    // Raw: context (1, tokens, captionWidth), and size (1, 2), height and width, where it is taken. Prepared: context,
    // the keys and values of all cross-attentions side by side; size, its embedding (1, width).
    Conditions prepare(const Conditions& raw) override;
    Tensor forward(const DenoiserInput& in) override;
    std::size_t bytesPerRow(int height, int width) const override;
    const PixArtConfig& config() const { return m_config; }

private:
    Tensor timeEmbedding(const DenoiserInput& in) const;
    Tensor sizeEmbedding(const Tensor& size) const;
    // silu(embedding) through the shared projection: shift, scale, gate of attention and feed-forward, each (rows,
    // width).
    std::vector<Tensor> modulations(const Tensor& embedding) const;
    Tensor embedPatches(const Tensor& x);
    const Tensor& positions(nn::Grid grid);

    PixArtConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_time1, m_time2, m_modulation, m_resolution1, m_resolution2, m_aspect1, m_aspect2, m_caption1,
        m_caption2, m_textAll, m_output;
    Tensor m_outputTable;  // (2, width): shift, scale
    std::vector<const ModulatedBlock*> m_blocks;
    TrunkBlocks m_trunk;
    Tensor m_positions;  // of the grid used last
    nn::Grid m_positionsGrid;
};

}  // namespace meander
