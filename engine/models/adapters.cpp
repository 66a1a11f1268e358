#include "engine/models/adapters.h"

#include "engine/core/param_specs.h"
#include "engine/weights/lora/lora.h"

namespace meander {

const std::vector<AdapterInfo>& adapters() {
    static const std::vector<AdapterInfo> table{
        {"lora",
         "LoRA",
         "Low-rank changes of the weights from a file (LoRA, LoHa, LoKr, DoRA; Hu et al. 2021)",
         {fileParam("file", "File", "A file of kohya, diffusers or PEFT names, made for this family of models."),
          realParam("strength", "Strength", 1, -4, 4, "Of the change; 0 leaves the model as it is.")}}};
    return table;
}

const AdapterInfo* findAdapter(const std::string& id) {
    for (const auto& a : adapters())
        if (a.id == id) return &a;
    return nullptr;
}

std::vector<LoraChoice> lorasOf(const std::vector<Choice>& chosen) {
    std::vector<LoraChoice> loras;
    for (const Choice& c : chosen) {
        const std::string& file = text(c.params, "file");
        if (file.empty())
            throw Failure("A LoRA of the recipe names no file. Choose one (adapters.file), or remove it.");
        loras.push_back({file, real(c.params, "strength")});
    }
    return loras;
}

void checkAdapters(const ModelInfo& model, const std::vector<LoraChoice>& loras) {
    if (loras.empty()) return;
    if (!model.state.isImage() || model.parameters == 0)
        throw Failure(model.name + " has no weights that a LoRA could change. Remove the adapters.");
    for (const LoraChoice& l : loras) {
        auto file = WeightFile::open(l.path);
        if (!file) throw Failure(file.error().text);
        static_cast<void>(Lora(std::move(*file)));
    }
}

}  // namespace meander
