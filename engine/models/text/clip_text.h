// CLIPTextModel and CLIPTextModelWithProjection of transformers (Radford et al. 2021; OpenCLIP: Cherti et al. 2022).
// Always F32: it runs once per prompt.
#pragma once
#include <vector>

#include "engine/models/text/text_encoder.h"

namespace meander {

struct ClipTextConfig {
    int vocabulary = 49408, width = 768, layers = 12, heads = 12, inner = 3072, positions = 77;
    float eps = 1e-5f;
    kernels::Activation activation = kernels::Activation::QuickGelu;
    int projection = 0;  // width of the pooled vector; 0: not projected
    // The pooled state is that of the first token with this id; none: of the largest id (old configurations).
    std::optional<int> end;
};
// Throws Failure.
ClipTextConfig clipTextConfig(const Json& json, const std::string& what);

class ClipTextEncoder final : public TextEncoder {
public:
    // The builder must compute in F32.
    ClipTextEncoder(const ClipTextConfig& config, NetworkBuilder& builder);

    // Pooled: the state of the end token behind the final norm, through the projection where there is one.
    TextFeatures encode(std::span<const int> ids, const TextStates& wanted) const override;
    TextFeatures encode(std::span<const int> ids, const TextStates& wanted,
                        std::span<const std::span<const float>> vectors) const override;
    int width() const override { return m_config.width; }
    int longest() const override { return m_config.positions; }

private:
    Tensor pooled(std::span<const int> ids, const Tensor& last) const;

    struct Layer {
        Norm norm1, norm2;
        Linear qkv, out, up, down;
    };
    ClipTextConfig m_config;
    Tensor m_tokens, m_positions;
    std::vector<Layer> m_layers;
    Norm m_norm;
    Linear m_projection;  // null: none
};

}  // namespace meander
