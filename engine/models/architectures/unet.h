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
    Tensor forward(const Tensor& x, std::span<const double> times, const Tensor& context, const nn::Hooks& hooks = {},
                   std::span<const std::optional<double>> guidance = {}) override;
    std::size_t bytesPerRow(int height, int width) const override;

    const UNetConfig& config() const { return m_config; }

private:
    void buildDown(UNetLayout& layout, std::vector<int>& skips);
    void buildMiddle(UNetLayout& layout);
    void buildUp(UNetLayout& layout, std::vector<int>& skips);
    nn::Grid grid(int level) const { return {m_config.sampleHeight >> level, m_config.sampleWidth >> level}; }
    Tensor timeProjections(std::span<const double> times, std::span<const std::optional<double>> guidance) const;
    Tensor withGuidance(const Tensor& waves, std::span<const std::optional<double>> guidance) const;
    Tensor runDown(const nn::Pass& pass, Tensor x, std::vector<Tensor>& skips) const;
    Tensor runUp(const nn::Pass& pass, Tensor x, std::vector<Tensor>& skips) const;

    UNetConfig m_config;
    Backend& m_backend;
    DType m_type;
    Conv m_convIn, m_convOut;
    Linear m_time1, m_time2, m_timeAll, m_textAll, m_guidance;
    std::vector<const ResolutionStage*> m_down, m_up;
    const ResolutionStage* m_middle = nullptr;  // a residual block more than transformers
    Norm m_normOut;
};

// Random weights, for benchmarks.
std::unique_ptr<UNet> makeRandomUNet(const UNetConfig& config, Backend& backend, DType type);

}  // namespace meander
