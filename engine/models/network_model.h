// A model of images made of parts: tokenizers and text encoders, a conditioner that puts them together, a denoising
// network, a codec.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

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
    std::string faultOf(const NetworkBatch& batch) override;
    void release() override;

private:
    void loadText(const ModelFiles& files);
    void loadCodec(const PartFiles& part);
    // Further channels of the network's input (1, h, w, c): of inpainting the mask and the states of the image outside
    // it (Rombach et al. 2022), of editing the states of the image without their scale (Brooks et al. 2023).
    Tensor imageCondition(const Prompt& prompt) const;
    // The conditions of all rows below each other; kept from call to call, because the steps of a run have the same
    // rows.
    const Conditions& conditionsOf(const std::vector<ConditioningPtr>& rows);

    // A part whose weights can be read again.
    struct Read {
        std::string owner;  // "the network"
        std::function<std::shared_ptr<WeightSource>()> open;
        std::vector<std::pair<std::string, kernels::Shape>> names;
    };

    Backend& m_backend;
    DType m_compute = DType::F32;
    std::vector<Read> m_read;  // of everything that answers
    Read m_codecRead;
    std::vector<TextStage> m_text;
    const Conditioner* m_conditioner = nullptr;
    std::unique_ptr<Denoiser> m_network;
    std::unique_ptr<Codec> m_codec;  // null: the states are images
    double m_codecScale = 1;         // by which an editing model sees its states divided
    // What the text encoders made of a prompt is kept; what the network prepares of it, keys and values of every layer
    // for one, as long as a run holds it.
    struct Known {
        Prompt prompt;
        std::vector<Token> tokens;
        Conditions raw;
        std::weak_ptr<const Conditioning> conditioning;
    };
    std::list<Known> m_prompts;  // the latest first
    // Null among the rows: unconditional.
    struct Stack {
        std::vector<std::optional<std::weak_ptr<const Conditioning>>> rows;
        Conditions conditions;
        bool isOf(const std::vector<ConditioningPtr>& others) const;
        bool isNeeded() const;
    };
    std::list<Stack> m_stacks;  // the latest first
};

// Everything but the weights. Throws Failure.
ModelInfo inspectNetwork(const ModelFiles& files);

}  // namespace meander
