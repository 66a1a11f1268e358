// The table of interventions, from list.inl: a file and a line each.
#include "engine/interventions/intervention.h"

namespace meander {

namespace intervention {
#define INTERVENTION(name) InterventionInfo name();
#include "engine/interventions/list.inl"
#undef INTERVENTION
}  // namespace intervention

const std::vector<InterventionInfo>& interventions() {
    static const std::vector<InterventionInfo> table = {
#define INTERVENTION(name) intervention::name(),
#include "engine/interventions/list.inl"
#undef INTERVENTION
    };
    return table;
}

const InterventionInfo* findIntervention(const std::string& id) {
    for (const auto& i : interventions())
        if (i.id == id) return &i;
    return nullptr;
}

namespace {

std::pair<const InterventionInfo*, Params> resolved(const Choice& intervention) {
    const InterventionInfo* info = findIntervention(intervention.id);
    if (!info) throw Failure("There is no intervention named \"" + intervention.id + "\".");
    auto params = resolveParams(info->params, intervention.params, info->label);
    if (!params) throw Failure(params.error().text);
    return {info, std::move(*params)};
}

}  // namespace

nn::SiteHookPtr makeHook(const Choice& intervention, const InterventionSetup& setup) {
    const auto [info, params] = resolved(intervention);
    nn::SiteHookPtr hook = info->make(params, setup);
    if (!info->hasMemory && !hook->description) hook->description = Choice{info->id, params};
    return hook;
}

nn::SiteHookPtr makeSourceHook(const Choice& intervention, const InterventionSetup& setup) {
    const auto [info, params] = resolved(intervention);
    return info->makeSource(params, setup);
}

}  // namespace meander
