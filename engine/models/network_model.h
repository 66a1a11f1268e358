// A model of images made of parts: tokenizers and text encoders, a conditioner that puts them together, a denoising
// network, a codec.
#pragma once
#include <list>

#include "engine/models/codecs/codec.h"
#include "engine/models/denoiser.h"
#include "engine/models/model.h"
#include "engine/models/model_files.h"
#include "engine/models/text/conditioner.h"

namespace meander {

class NetworkModel final : public Model {
public:
    // Throws Failure.
    NetworkModel(ModelInfo info, const ModelFiles& files, Backend& backend, const LoadOptions& options);

    ConditioningPtr condition(const Prompt& prompt) override;
    Tensor predict(const NetworkBatch& batch) override;
    HostTensor decode(const HostTensor& states) const override;
    HostTensor encode(const HostTensor& images) const override;

private:
    void loadText(const ModelFiles& files);
    void loadCodec(const PartFiles& part);
    // The conditions of all rows below each other; kept from call to call, because the steps of a run have the same
    // rows.
    const Conditions& conditionsOf(const std::vector<ConditioningPtr>& rows);

    Backend& m_backend;
    std::vector<TextStage> m_text;
    const Conditioner* m_conditioner = nullptr;
    std::unique_ptr<Denoiser> m_network;
    std::unique_ptr<Codec> m_codec;  // null: the states are images
    struct Known {
        Prompt prompt;
        ConditioningPtr conditioning;
    };
    std::list<Known> m_prompts;  // the latest first
    struct Stack {
        std::vector<ConditioningPtr> rows;
        Conditions conditions;
    };
    std::list<Stack> m_stacks;  // the latest first
};

// Everything but the weights. Throws Failure.
ModelInfo inspectNetwork(const ModelFiles& files);

}  // namespace meander
