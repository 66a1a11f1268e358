// UNet2DConditionModel of diffusers, driven by its configuration: the same code runs the 0.9-million-weight built-in
// model and Stable Diffusion 1.5. Skip connections as in Ronneberger et al. 2015; residual blocks and transformers as
// in Rombach et al. 2022.
#pragma once
#include "engine/models/architectures/unet_blocks.h"
#include "engine/models/architectures/unet_config.h"
#include "engine/models/denoiser.h"
#include "engine/models/layers/trunks.h"
#include "engine/models/model.h"

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
    // What one skip connection spans: the layers from the one before it on the way down, and those up to the next on
    // the way up.
    struct Level {
        const ResolutionStage *down = nullptr, *up = nullptr;
        std::size_t downLayer = 0, upLayer = 0;
        bool isResampled = false;  // on the way down: the layer is the stage's resampler
    };
    void listLevels();
    Tensor runDown(const nn::Pass& pass, const Level& l, const Tensor& x) const;
    Tensor runUp(const nn::Pass& pass, const Level& l, Tensor x, Tensor skip) const;
    Tensor runMiddle(const nn::Pass& pass, const Tensor& x) const;

    UNetConfig m_config;
    Backend& m_backend;
    DType m_type;
    Conv m_convIn, m_convOut;
    Linear m_time1, m_time2, m_timeAll, m_textAll, m_guidance, m_added1, m_added2;
    std::vector<const ResolutionStage*> m_down, m_up;
    std::vector<Level> m_levels;  // outermost first
    TrunkLevels m_trunk;
    const ResolutionStage* m_middle = nullptr;  // a residual block more than transformers
    Norm m_normOut;
};

// What follows from a configuration without weights; Architecture::describe.
void describeUNet(const UNetConfig& config, ModelInfo& info);
// Random weights, for benchmarks.
std::unique_ptr<UNet> makeRandomUNet(const UNetConfig& config, Backend& backend, DType type);

}  // namespace meander
