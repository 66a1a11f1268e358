#include "engine/weights/lora/with_lora.h"

#include <algorithm>

#include "engine/weights/quantised.h"

namespace meander {
namespace {

struct Target {
    std::string module;
    bool isBias;
};

std::optional<Target> targetOf(const std::string& name) {
    for (const char* ending : {".weight", ".bias"})
        if (name.ends_with(ending))
            return Target{name.substr(0, name.size() - std::string(ending).size()), ending[1] == 'b'};
    return {};
}

std::string withUnderscores(std::string name) {
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

}  // namespace

std::vector<std::string> loraPrefixesOfDenoiser() {
    return {"lora_unet",
            "lora_transformer",
            "unet",
            "transformer",
            "diffusion_model",
            "lycoris",
            "base_model.model.unet",
            "base_model.model",
            "model.diffusion_model",
            "lora_unet_model_diffusion_model",
            ""};
}

std::vector<std::string> loraPrefixesOfTextEncoder(int index) {
    const std::string n = std::to_string(index + 1);
    if (index == 0) return {"lora_te", "lora_te1", "text_encoder", "text_encoder.base_model.model"};
    return {"lora_te" + n, "text_encoder_" + n};
}

WithLora::WithLora(std::shared_ptr<WeightSource> source, std::vector<AppliedLora> loras,
                   std::vector<std::string> prefixes, const NameTable* names, std::shared_ptr<const WithLora> below)
    : m_source(std::move(source)),
      m_loras(std::move(loras)),
      m_prefixes(std::move(prefixes)),
      m_names(names),
      m_below(std::move(below)),
      m_used(m_loras.size()) {}

std::string WithLora::moduleIn(const Lora& lora, const std::string& name) const {
    std::vector<std::string> names{name};
    if (m_names)
        for (const auto& stored : m_names->candidates(name))
            if (stored.parts.size() == 1 && stored.operation == StoredName::Whole)
                names.push_back(stored.parts.front());
    for (const auto& n : names) {
        const auto target = targetOf(n);
        if (!target) continue;
        for (const auto& prefix : m_prefixes) {
            const std::string dotted = prefix.empty() ? target->module : prefix + "." + target->module;
            for (const auto& module : {dotted, withUnderscores(dotted),
                                       prefix.empty() ? dotted : prefix + "_" + withUnderscores(target->module)})
                if (lora.has(module)) return module;
        }
    }
    return {};
}

HostWeight WithLora::read(const std::string& name, const kernels::Shape& shape) {
    HostWeight w = m_source->read(name, shape);
    const auto target = targetOf(name);
    if (!target) return w;
    std::vector<float> values;
    for (std::size_t i = 0; i < m_loras.size(); ++i) {
        const Lora& lora = *m_loras[i].lora;
        const std::string module = moduleIn(lora, name);
        if (module.empty() || !(target->isBias ? lora.changesBias(module) : lora.changesWeight(module))) continue;
        if (m_below && m_below->m_used[i].contains(module)) continue;
        m_used[i].insert(module);
        if (m_loras[i].strength == 0) continue;
        if (values.empty()) values = w.floats();
        if (target->isBias) lora.addToBias(module, m_loras[i].strength, values);
        else lora.addToWeight(module, m_loras[i].strength, values, w.rows());
    }
    if (values.empty()) return w;
    const bool wasStored = w.staysStored();
    HostWeight changed = HostWeight::fromFloats(w.shape, std::move(values));
    return wasStored ? quantised(changed, WeightFormat::F16) : changed;
}

std::vector<std::string> WithLora::unused(std::size_t n) const {
    std::vector<std::string> left;
    for (auto& module : m_loras[n].lora->modules())
        if (!m_used[n].contains(module)) left.push_back(std::move(module));
    return left;
}

}  // namespace meander
