// CLIPTextModel of transformers (Radford et al. 2021): tokens → last hidden state after the final norm. Always F32: it
// runs once per prompt.
#pragma once
#include <span>
#include <vector>

#include "engine/core/json.h"
#include "engine/models/layers/builder.h"

namespace meander {

struct ClipTextConfig {
    int vocabulary = 49408, width = 768, layers = 12, heads = 12, inner = 3072, positions = 77;
    float eps = 1e-5f;
    kernels::Activation activation = kernels::Activation::QuickGelu;
};
// Throws Failure.
ClipTextConfig clipTextConfig(const Json& json, const std::string& what);

class ClipTextEncoder {
public:
    // The builder must compute in F32.
    ClipTextEncoder(const ClipTextConfig& config, NetworkBuilder& builder);

    // ids (tokens) → features (tokens, width) F32. `skipLast` layers are left out before the final norm ("clip skip";
    // 1: the penultimate).
    Tensor operator()(std::span<const int> ids, int skipLast = 0) const;
    const ClipTextConfig& config() const { return m_config; }

private:
    struct Layer {
        Norm norm1, norm2;
        Linear qkv, out, up, down;
    };
    ClipTextConfig m_config;
    Tensor m_tokens, m_positions;
    std::vector<Layer> m_layers;
    Norm m_norm;
};

}  // namespace meander
