// Interventions as settings of the recipe (interventions/intervention.h): an attention map, a word, a head or a block
// is scaled, blended, frozen, or taken from a source, while the window holds.
#include "engine/interventions/intervention.h"

#include "engine/guidance/inside_network.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

// Why a rule does nothing at these settings, without its name; empty: it acts.
std::string whyOff(const Params& p) {
    if (p.contains("word") && text(p, "word").empty()) return "no word is chosen";
    if (p.contains("run") && p.contains("source") && !namesSource(p)) return "no source is chosen";
    for (const auto& [key, neutral] : {std::pair{"scale", 1.0}, {"temperature", 1.0}, {"amount", 0.0}})
        if (p.contains(key) && real(p, key) == neutral)
            return "its " + std::string(key) + " is " + display(ParamValue(neutral));
    return {};
}

template <const char* const& id> std::unique_ptr<GuidanceRun> make(const Params& p, GuidanceSetup& s) {
    return insideNetwork(id, p, s, whyOff(p).empty());
}

template <const char* const& id> std::string idle(const GuidanceContext& c) {
    const std::string why = whyOff(c.params);
    return why.empty() ? whyWindowIsEmpty(c) : findIntervention(id)->label + " has no effect: " + why + ".";
}

template <const char* const& id> GuidanceRule intervention(const char* cost, bool choosesRows = true) {
    return insideNetwork({.id = id,
                          .label = {},
                          .group = {},
                          .summary = {},
                          .source = {},
                          .cost = cost,
                          .params = choosesRows ? std::vector{rowsParam()} : std::vector<ParamSpec>(),
                          .keepsFeatures = findIntervention(id)->remembersFirst,
                          .make = make<id>,
                          .idle = idle<id>});
}

constexpr const char *scaleTokenId = "scale_token", *scaleBlockId = "scale_block", *blendId = "blend_attention",
                     *temperatureId = "attention_temperature", *freezeId = "freeze_attention",
                     *replaceId = "replace_attention", *mutualId = "mutual_self_attention",
                     *patchId = "patch_activations";
constexpr const char *maps = "no row; its attention maps are held in memory", *source = "one more row while it acts";

}  // namespace

GuidanceRule scaleToken() { return intervention<scaleTokenId>(maps); }
GuidanceRule scaleBlock() { return intervention<scaleBlockId>("nothing"); }
GuidanceRule blendAttention() { return intervention<blendId>(maps); }
GuidanceRule attentionTemperature() { return intervention<temperatureId>("nothing"); }
GuidanceRule freezeAttention() { return intervention<freezeId>(maps); }
GuidanceRule replaceAttention() { return intervention<replaceId>(source, false); }
GuidanceRule mutualSelfAttention() { return intervention<mutualId>(source, false); }
GuidanceRule patchActivations() { return intervention<patchId>(source, false); }

}  // namespace meander::guidance
