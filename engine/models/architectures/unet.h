// UNet2DConditionModel of diffusers, driven by its configuration: the same code runs the 0.9-million-weight built-in
// model and Stable Diffusion 1.5. Skip connections as in Ronneberger et al. 2015; residual blocks and transformers as
// in Rombach et al. 2022.
#pragma once
#include "engine/models/architectures/unet_blocks.h"
#include "engine/models/architectures/unet_config.h"
#include "engine/models/layers/text_network.h"

namespace meander {

class UNet final : public TextNetwork {
public:
    UNet(const UNetConfig& config, NetworkBuilder& builder);

    Tensor prepareText(const Tensor& features) override;
    Tensor forward(const Tensor& x, std::span<const double> times, const Tensor& text, AttentionCapture* capture,
                   const RowInterventions* changes) override;
    std::vector<TapSite> sites(int height, int width, int tokens) const override;
    std::size_t bytesPerRow(int height, int width) const override;

    const UNetConfig& config() const { return m_config; }

private:
    struct ResolutionStage {
        std::vector<ResidualBlock> residual;
        std::vector<SpatialTransformer> attention;  // empty, or one per residual block
        Conv resample;                              // down- or upsampler; null at the last level
    };
    void buildDown(NetworkBuilder& b, SharedProjections& shared, std::vector<int>& skips);
    void buildMiddle(NetworkBuilder& b, SharedProjections& shared);
    void buildUp(NetworkBuilder& b, SharedProjections& shared, std::vector<int>& skips);
    Tensor timeProjections(std::span<const double> times, const RowInterventions* changes) const;
    Tensor withGuidance(const Tensor& waves, const RowInterventions& changes) const;
    void runDown(const UNetPass& pass, Tensor& x, std::vector<Tensor>& skips) const;
    void runUp(const UNetPass& pass, Tensor& x, std::vector<Tensor>& skips) const;

    UNetConfig m_config;
    Backend& m_backend;
    DType m_type;
    Conv m_convIn, m_convOut;
    Linear m_time1, m_time2, m_timeAll, m_textAll, m_guidance;
    std::int64_t m_timeWidth = 0, m_textWidth = 0;
    std::vector<ResolutionStage> m_down, m_up;
    std::vector<ResidualBlock> m_middleResidual;
    std::vector<SpatialTransformer> m_middleAttention;
    Norm m_normOut;
    struct Site {
        std::string path;
        int heads, level;  // the grid is the state's, halved `level` times
    };
    std::vector<Site> m_sites;
};

// Random weights, for benchmarks.
std::unique_ptr<UNet> makeRandomUNet(const UNetConfig& config, Backend& backend, DType type);

}  // namespace meander
