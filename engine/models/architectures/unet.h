// UNet2DConditionModel of diffusers, driven by its configuration: the same code runs the 0.9-million-weight built-in
// model and Stable Diffusion 1.5. Skip connections as in Ronneberger et al. 2015; residual blocks and transformers as
// in Rombach et al. 2022.
#pragma once
#include "engine/models/architectures/unet_blocks.h"
#include "engine/models/architectures/unet_config.h"
#include "engine/models/denoiser.h"

namespace meander {

class UNet final : public Denoiser {
public:
    UNet(const UNetConfig& config, NetworkBuilder& builder);

    // Raw: context (1, tokens, crossAttentionWidth); with addition embeddings pooled (1, width) and size (1, numbers);
    // with more channels at the input than at the output image (1, h, w, the further ones).
    // Prepared: context, the keys and values of all cross-attentions side by side; added (1, 4 · first channels);
    // image.
    Conditions prepare(const Conditions& raw) override;
    Tensor forward(const DenoiserInput& in) override;
    std::size_t bytesPerRow(int height, int width) const override;

    const UNetConfig& config() const { return m_config; }

private:
    void buildDown(UNetLayout& layout, std::vector<int>& skips);
    void buildMiddle(UNetLayout& layout);
    void buildUp(UNetLayout& layout, std::vector<int>& skips);
    nn::Grid grid(int level) const { return {m_config.sampleHeight >> level, m_config.sampleWidth >> level}; }
    Tensor timeProjections(const DenoiserInput& in) const;
    Tensor addedEmbedding(const Conditions& raw) const;
    Tensor withGuidance(const Tensor& waves, std::span<const std::optional<double>> guidance) const;
    Tensor runDown(const nn::Pass& pass, Tensor x, std::vector<Tensor>& skips) const;
    Tensor runUp(const nn::Pass& pass, Tensor x, std::vector<Tensor>& skips) const;

    UNetConfig m_config;
    Backend& m_backend;
    DType m_type;
    Conv m_convIn, m_convOut;
    Linear m_time1, m_time2, m_timeAll, m_textAll, m_guidance, m_added1, m_added2;
    std::vector<const ResolutionStage*> m_down, m_up;
    const ResolutionStage* m_middle = nullptr;  // a residual block more than transformers
    Norm m_normOut;
};

// Random weights, for benchmarks.
std::unique_ptr<UNet> makeRandomUNet(const UNetConfig& config, Backend& backend, DType type);

}  // namespace meander
