// What the files of interventions share: the choice of transformer blocks and of the residual branches inside them.
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/param_specs.h"
#include "engine/interventions/blocks.h"
#include "engine/interventions/intervention.h"

namespace meander::intervention {

// A hook at some kinds of sites in the blocks that the parameter `layers` names.
class BlockHook : public nn::SiteHook {
public:
    BlockHook(const Params& p, const InterventionSetup& setup, const std::string& owner,
              std::vector<nn::SiteKind> kinds)
        : m_blocks(blocksNamed(text(p, "layers"), setup.model, owner)), m_kinds(std::move(kinds)) {}
    bool actsAt(const nn::Site& site) const override {
        return std::find(m_kinds.begin(), m_kinds.end(), site.kind) != m_kinds.end()
               && std::binary_search(m_blocks.begin(), m_blocks.end(), site.block);
    }

private:
    std::vector<int> m_blocks;
    std::vector<nn::SiteKind> m_kinds;
};

// What a hook did not compute in the present evaluation, by site and row.
class SavedWork {
public:
    using Place = std::pair<std::string, std::int64_t>;  // site, SiteCall::offset
    static Place at(const nn::SiteCall& call) { return {call.site.path, call.offset}; }
    void clear() { m_flops.clear(); }
    double& operator[](const Place& place) { return m_flops[place]; }
    // Of a row, over its sites; none where the hook met none of them.
    std::optional<double> of(std::int64_t offset) const {
        std::optional<double> sum;
        for (const auto& [place, flops] : m_flops)
            if (place.second == offset) sum = sum.value_or(0) + flops;
        return sum;
    }

private:
    std::map<Place, double> m_flops;
};

// The parameter `part`: the residual branches of a block, and the sites that it stands for.
inline ParamSpec partParam(const char* help) {
    return choiceParam(
        "part", "Part",
        {{"block", "Whole blocks"}, {"attention", "Their attention"}, {"feed_forward", "Their feed-forward"}}, help);
}
inline std::vector<nn::SiteKind> sitesOf(const std::string& part) {
    using enum nn::SiteKind;
    if (part == "attention") return {SelfAttention, CrossAttention, JointAttention};
    return {part == "feed_forward" ? FeedForward : Block};
}

// The parameter `attention`: whose attention, and the sites that it stands for. Joint attention counts as that among
// places. Throws Failure where the model has no such attention; `owner` starts its sentence.
ParamSpec attentionParam();
std::vector<nn::SiteKind> attentionsNamed(const std::string& which, const ModelInfo& model, const std::string& owner);
// Throws Failure where one of the blocks has no such head.
void checkHead(std::int64_t head, const std::string& layers, const ModelInfo& model, const std::string& owner);

}  // namespace meander::intervention
