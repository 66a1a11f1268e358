#include "engine/interventions/common.h"

namespace meander::intervention {

ParamSpec attentionParam() {
    return choiceParam("attention", "Attention",
                       {{"all", "Self- and cross-attention"}, {"self", "Self"}, {"cross", "Cross"}},
                       "Among the places of the image, or from places to words.");
}

std::vector<nn::SiteKind> attentionsNamed(const std::string& which, const ModelInfo& model, const std::string& owner) {
    using enum nn::SiteKind;
    if (which == "self") return {SelfAttention, JointAttention};
    if (which == "all") return {SelfAttention, CrossAttention, JointAttention};
    if (model.attention.empty() && !model.blocks.empty())
        throw Failure(
            owner + " acts in cross-attention, which '" + model.name
            + "' does not have. Choose self-attention, which holds its joint attention too, or another model.");
    return {CrossAttention};
}

void checkHead(std::int64_t head, const std::string& layers, const ModelInfo& model, const std::string& owner) {
    for (int b : blocksNamed(layers, model, owner))
        if (const TapSite& block = model.blocks[std::size_t(b)]; head >= block.heads)
            throw Failure("Head " + std::to_string(head) + " does not exist in " + block.path + ", which has "
                          + std::to_string(block.heads) + " heads, numbered from 0. Choose another head or layer.");
}

}  // namespace meander::intervention
