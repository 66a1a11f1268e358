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

}  // namespace meander
