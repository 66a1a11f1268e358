// Low-rank (and other) changes of weights, as LoRA files of kohya, diffusers, PEFT and LyCORIS hold them.
//
// ΔW = α/r · B·A                        (LoRA: A down (r, in), B up (out, r); Hu et al. 2021)
// ΔW = α/r · (B₁·A₁) ∘ (B₂·A₂)          (LoHa; Hyeon-Woo et al. 2022)
// ΔW = α/r · W₁ ⊗ W₂                    (LoKr, each whole or a product; α/r only where one is a product)
// ΔW = the difference itself            (diff, diff_b)
// W' = m · (W + ΔW) / ‖W + ΔW‖          (DoRA: m and the norm per output row, or per input column; Liu et al. 2024)
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/weights/weight_file.h"

namespace meander {

// The parts of a change of one module.
enum class LoraPart : std::uint8_t {
    Down,
    Up,
    Middle,
    Alpha,
    HadaW1A,
    HadaW1B,
    HadaW2A,
    HadaW2B,
    KronW1,
    KronW1A,
    KronW1B,
    KronW2,
    KronW2A,
    KronW2B,
    Magnitude,
    Difference,
    BiasDifference,
    Unsupported
};

class Lora {
public:
    // Throws Failure when the file holds no such change, or one that is not supported, by its name.
    explicit Lora(WeightFile file);
    // First-generation files (cloneofsimo) number their modules: "unet:3:up" is module 3 of the list.
    void nameModules(const std::string& part, const std::vector<std::string>& modules);

    const WeightFile& file() const { return m_file; }
    // As the file names them: "lora_unet_down_blocks_0_…", "unet.down_blocks.0.…".
    std::vector<std::string> modules() const;
    bool has(const std::string& module) const { return m_modules.contains(module); }
    bool changesWeight(const std::string& module) const;
    bool changesBias(const std::string& module) const;

    // values (rows, everything else) += strength · ΔW. Throws Failure when the shapes do not fit.
    void addToWeight(const std::string& module, double strength, std::span<float> values, std::int64_t rows) const;
    void addToBias(const std::string& module, double strength, std::span<float> values) const;

private:
    using Parts = std::map<LoraPart, std::string>;  // names of tensors
    std::vector<float> delta(const std::string& module, const Parts& parts, std::int64_t rows,
                             std::int64_t columns) const;
    HostWeight tensor(const Parts& parts, LoraPart part) const { return m_file.read(parts.at(part)); }

    WeightFile m_file;
    std::map<std::string, Parts> m_modules;
};

}  // namespace meander
