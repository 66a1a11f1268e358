// Text encoders: token ids → states. The table: a new one is a file with `const TextEncoderKind& name()` and a line in
// list.inl.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/models/layers/builder.h"

namespace meander {

// Which states of an encoder a family takes.
struct TextStates {
    // Indices of hidden states as transformers counts them: 0 the embeddings, i after layer i, −1 the last, −2 the one
    // before it. Several are put side by side per token.
    std::vector<int> layers = {-1};
    bool isNormalised = true;  // through the encoder's final norm
};

struct TextFeatures {
    Tensor states;  // (tokens, width · layers) F32
    Tensor pooled;  // (1, width) F32; empty: the encoder has none
};

// Collects the hidden states that are wanted while an encoder runs through its layers, which may write into them.
class HiddenStates {
public:
    HiddenStates(const TextStates& wanted, int layers);
    // The state (1, tokens, width) after `layer` layers.
    void add(int layer, const Tensor& x);
    // Side by side (tokens, width · layers), in the order wanted, each through `norm` where that is wanted.
    Tensor joined(const std::function<Tensor(const Tensor&)>& norm) const;

private:
    const TextStates& m_wanted;
    std::vector<int> m_layers;  // counted from the front
    std::vector<Tensor> m_states;
};

class TextEncoder {
public:
    virtual ~TextEncoder() = default;
    // Throws Failure for ids outside the vocabulary and for more tokens than `longest()`.
    virtual TextFeatures encode(std::span<const int> ids, const TextStates& wanted) const = 0;
    // With vectors of `width()` in place of the embeddings of some tokens; empty: the token's own. Throws Failure for
    // an encoder that takes none.
    virtual TextFeatures encode(std::span<const int> ids, const TextStates& wanted,
                                std::span<const std::span<const float>> vectors) const;
    virtual int width() const = 0;    // of one hidden state
    virtual int longest() const = 0;  // tokens

    std::int64_t parameters = 0;
    std::size_t weightBytes = 0;
};

struct TextEncoderKind {
    const char* className;  // of transformers: "CLIPTextModel"
    const char* name;       // as shown: "CLIP"
    // Throws Failure; the builder computes in F32.
    std::unique_ptr<TextEncoder> (*build)(const Json& config, const std::string& what, NetworkBuilder& builder);
    // Throws Failure for a configuration that cannot be computed; returns the longest text in tokens.
    int (*describe)(const Json& config, const std::string& what);
};

const std::vector<const TextEncoderKind*>& textEncoderKinds();
const TextEncoderKind* findTextEncoder(const std::string& className);

}  // namespace meander
