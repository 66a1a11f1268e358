// A text-conditioned model from a diffusers folder: tokenizer, text encoder, network, codec.
#pragma once
#include <list>

#include "engine/models/architectures/clip_text.h"
#include "engine/models/codecs/codec.h"
#include "engine/models/diffusers_folder.h"
#include "engine/models/layers/text_network.h"
#include "engine/models/model.h"
#include "engine/models/tokenizers/clip_bpe.h"

namespace meander {

class DiffusersModel final : public Model {
public:
    // Throws Failure.
    DiffusersModel(ModelInfo info, const DiffusersFolder& folder, Backend& backend, const LoadOptions& options);

    ConditioningPtr condition(const Prompt& prompt) override;
    Tensor predict(const NetworkBatch& batch) override;
    HostTensor decode(const HostTensor& state) const override { return m_codec->decode(state); }
    HostTensor encode(const HostTensor& images) const override { return m_codec->encode(images); }

private:
    // The prepared text of all rows below each other; kept from call to call, because the steps of a run ask for the
    // same rows.
    Tensor textOf(const std::vector<ConditioningPtr>& rows);

    Backend& m_backend;
    ClipTokenizer m_tokenizer;
    std::unique_ptr<ClipTextEncoder> m_encoder;
    std::unique_ptr<TextNetwork> m_network;
    std::unique_ptr<Codec> m_codec;
    std::list<std::pair<std::string, ConditioningPtr>> m_prompts;  // the latest first
    struct Stack {
        std::vector<ConditioningPtr> rows;
        Tensor text;
    };
    std::list<Stack> m_stacks;  // the latest first
};

// Everything but the weights. Throws Failure.
ModelInfo inspectDiffusers(const DiffusersFolder& folder);

}  // namespace meander
