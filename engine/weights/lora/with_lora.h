// Weights with LoRAs merged in, several at once, each with its strength.
//
// Put it below a source that divides fused tensors for a LoRA made on the fused ones, and above it for one made on the
// parts; a LoRA changes what it finds by name, and both places may be used at once.
#pragma once
#include <memory>
#include <set>

#include "engine/weights/lora/lora.h"
#include "engine/weights/names/name_table.h"

namespace meander {

struct AppliedLora {
    std::shared_ptr<const Lora> lora;
    double strength = 1;
};

// How LoRA files name the part of a model that a source belongs to.
std::vector<std::string> loraPrefixesOfDenoiser();
std::vector<std::string> loraPrefixesOfTextEncoder(int index);  // 0: the first

class WithLora final : public WeightSource {
public:
    // `names`: other names of the same tensors that a LoRA may use; null: none. `below`: the same LoRAs further down,
    // on other names; a module that they used there is not used again.
    WithLora(std::shared_ptr<WeightSource> source, std::vector<AppliedLora> loras, std::vector<std::string> prefixes,
             const NameTable* names = nullptr, std::shared_ptr<const WithLora> below = {});

    bool has(const std::string& name) const override { return m_source->has(name); }
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override { return m_source->shapeOf(name); }
    // Changed weights become F32; those that were stored in blocks or 8 bits become F16 and stay so.
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;

    // Modules of the n-th LoRA that no tensor read so far belongs to.
    std::vector<std::string> unused(std::size_t n) const;

private:
    // The module's name in a file, or empty.
    std::string moduleIn(const Lora& lora, const std::string& name) const;

    std::shared_ptr<WeightSource> m_source;
    std::vector<AppliedLora> m_loras;
    std::vector<std::string> m_prefixes;
    const NameTable* m_names;
    std::shared_ptr<const WithLora> m_below;
    std::vector<std::set<std::string>> m_used;
};

}  // namespace meander
