// Language models as text encoders: one block of a decoder with switches for Qwen 2.5 and 3, Gemma 2 and Mistral. A
// token attends to itself and those before it.
//
//   x += norm₂?(attention(norm(x)));  x += norm₄?(down(act(gate h) · up h)), h = norm₃(x)
#pragma once
#include <optional>
#include <vector>

#include "engine/models/layers/token_table.h"
#include "engine/models/text/text_encoder.h"

namespace meander {

// How the families differ beyond their sizes.
struct LanguageModelSwitches {
    bool hasQkvBias = false;          // Qwen 2
    bool hasQkNorm = false;           // RMS norm of every head of q and k (Qwen 3)
    bool hasSandwichNorms = false;    // norms behind attention and feed-forward too (Gemma 2)
    bool addsOneToNorms = false;      // the files hold gamma − 1 (Gemma)
    bool scalesEmbeddings = false;    // by √width (Gemma)
    bool alternatesWindow = false;    // layers 0, 2, 4 … see a window, the others everything (Gemma 2)
    const char* activation = "silu";  // where the configuration names none
    const char* activationKey = "hidden_act";
};

struct LanguageModelConfig {
    LanguageModelSwitches switches;
    int vocabulary = 0, width = 0, layers = 0, heads = 0, keyHeads = 0, headWidth = 0, inner = 0;
    float eps = 1e-6f;
    double ropeBase = 10000;
    kernels::Activation activation = kernels::Activation::Silu;
    float scoreScale = 1;           // of q·k
    std::optional<float> scoreCap;  // soft cap of the scores
    std::optional<int> window;      // tokens that a token attends to, itself included
};
// The part of a configuration that describes the language model ("text_config" of models of images and text). Throws
// Failure.
LanguageModelConfig languageModelConfig(const Json& json, const std::string& what, const LanguageModelSwitches& s);

class LanguageModel final : public TextEncoder {
public:
    LanguageModel(const LanguageModelConfig& config, NetworkBuilder& builder);

    TextFeatures encode(std::span<const int> ids, const TextStates& wanted) const override;
    // The same for a text with padding: only tokens [first, first + count) are attended to. Padding behind them attends
    // to them; padding before them attends to nothing.
    TextFeatures encodePadded(std::span<const int> ids, std::int64_t first, std::int64_t count,
                              const TextStates& wanted) const;
    int width() const override { return m_config.width; }
    int longest() const override;

private:
    struct Layer {
        Tensor attentionNorm, attentionEndNorm, feedForwardNorm, feedForwardEndNorm, queryNorm, keyNorm;
        Linear qkv, out, gate, up, down;
    };
    struct Call;  // what the layers of one text share
    Tensor gamma(NetworkBuilder& b, const std::string& name, std::int64_t width) const;
    Tensor mask(std::int64_t n, std::int64_t first, std::int64_t count, bool isWindowed) const;
    Tensor attention(const Layer& l, const Call& call, const Tensor& h, bool isWindowed) const;
    Tensor norm(const Tensor& x, const Tensor& gamma) const;

    LanguageModelConfig m_config;
    Backend& m_backend;
    TokenTable m_tokens;
    std::vector<Layer> m_layers;
    Tensor m_norm;
};

}  // namespace meander
