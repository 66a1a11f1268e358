// PixArtTransformer2DModel of diffusers (Chen et al. 2023): a diffusion transformer with cross-attention to text and
// one shared adaLN projection plus a table per block.
#pragma once
#include "engine/core/json.h"
#include "engine/models/layers/builder.h"
#include "engine/models/layers/modulated_block.h"
#include "engine/models/layers/text_network.h"

namespace meander {

struct PixArtConfig {
    int heads = 16, headWidth = 72, layers = 28, patch = 2, inChannels = 4, outChannels = 8, sampleSize = 32,
        captionWidth = 4096;
    double interpolationScale = 1;
    int width() const { return heads * headWidth; }
};
// Throws Failure.
PixArtConfig pixArtConfig(const Json& json, const std::string& what);
// The transformer blocks in execution order, for the sample size.
std::vector<TapSite> transformerBlocks(const PixArtConfig& config);
// Estimate of what one row of a call holds while it is computed; `element`: bytes of a number.
std::size_t bytesPerRow(const PixArtConfig& config, int height, int width, std::size_t element);

class PixArt final : public TextNetwork {
public:
    PixArt(const PixArtConfig& config, NetworkBuilder& builder);

    Tensor prepareText(const Tensor& features) override;
    Tensor forward(const Tensor& x, std::span<const double> times, const Tensor& text, AttentionCapture* capture,
                   const RowInterventions* changes) override;
    std::vector<TapSite> sites(int height, int width, int tokens) const override;
    std::size_t bytesPerRow(int height, int width) const override;
    const PixArtConfig& config() const { return m_config; }

private:
    struct Block {
        SelfAttentionHalf attention;
        Linear query, out;  // of the cross-attention
        FeedForwardHalf feedForward;
        Tensor table;  // (6, width): shift, scale, gate of attention, then of the feed-forward
    };
    // (6, rows, width): shift, scale, gate, shift, scale, gate.
    Tensor modulation(const Tensor& shared, const Tensor& table) const;
    // What one call hands to its blocks.
    struct Pass {
        const Tensor &shared, &text;
        const TokenScratch& scratch;
        int height, width;  // of the grid of tokens
        AttentionCapture* capture;
        const RowInterventions* changes;
    };
    void run(const Block& block, int index, const Tensor& tokens, const Pass& pass) const;
    Tensor embedPatches(const Tensor& x);
    const Tensor& positions(int height, int width);

    PixArtConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_time1, m_time2, m_modulation, m_caption1, m_caption2, m_textAll, m_output;
    Tensor m_outputTable;  // (2, width): shift, scale
    std::vector<Block> m_blocks;
    Tensor m_positions;  // of the grid used last
    int m_positionsHeight = 0, m_positionsWidth = 0;
};

}  // namespace meander
