// The table of samplers, from samplers/list.inl: one file and one line each.
#include "engine/sampling/sampling.h"

namespace meander {

namespace sampler {
#define SAMPLER(name) SamplerInfo name();
#include "engine/sampling/samplers/list.inl"
#undef SAMPLER
}  // namespace sampler

const std::vector<SamplerInfo>& samplers() {
    static const std::vector<SamplerInfo> table = {
#define SAMPLER(name) sampler::name(),
#include "engine/sampling/samplers/list.inl"
#undef SAMPLER
    };
    return table;
}

const SamplerInfo* findSampler(const std::string& id) {
    for (const auto& s : samplers())
        if (s.id == id) return &s;
    return nullptr;
}

ParamHint paramHint(const SamplerInfo& sampler) {
    if (sampler.stochastic) return nullptr;
    return [](const std::string& key) -> std::string {
        if (key != "eta" && key != "s_noise" && key != "s_churn") return {};
        return " This sampler is deterministic; remove the parameter, or choose a sampler that draws noise, such as "
               "euler_ancestral.";
    };
}

Result<Params> resolveParams(const SamplerInfo& sampler, const Params& given) {
    auto params = resolveParams(sampler.params, given, sampler.label, paramHint(sampler));
    if (params && sampler.problem)
        if (const std::string problem = sampler.problem(*params); !problem.empty())
            return Error{sampler.label + ": " + problem};
    return params;
}

}  // namespace meander
