// LoRAs on the parts of a model: each part's weights are opened with the changes merged in.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/models/model_files.h"

namespace meander {

struct LoraChoice {
    std::string path;
    double strength = 1;
};

// What the parts of a model, as far as their weights were read, did not use of its LoRAs.
class LoraUse {
public:
    virtual ~LoraUse() = default;
    // Modules of the n-th LoRA that belong to no tensor read so far, by their names in the file.
    virtual std::vector<std::string> unused(std::size_t n) const = 0;
};

// The same model with LoRAs. Names of kohya, diffusers and PEFT are understood, on the model's own modules and on those
// of its file (LDM, fused q, k, v). Several add up. Throws Failure for a file that is none.
struct WithLoras {
    ModelFiles files;
    std::shared_ptr<const LoraUse> use;
};
WithLoras withLoras(ModelFiles files, const std::vector<LoraChoice>& choices);

}  // namespace meander
