// What is added to the weights of a model: the table of a recipe's adapters.
#pragma once
#include <string>
#include <vector>

#include "engine/models/model.h"

namespace meander {

struct AdapterInfo {
    std::string id, label, summary;
    std::vector<ParamSpec> params;
};

const std::vector<AdapterInfo>& adapters();
const AdapterInfo* findAdapter(const std::string& id);
// Of resolved adapters. Throws Failure for one without a file.
std::vector<LoraChoice> lorasOf(const std::vector<Choice>& adapters);
// Opens the headers of the files. Throws Failure for a model without weights of a network and for a file that is none.
void checkAdapters(const ModelInfo& model, const std::vector<LoraChoice>& loras);

}  // namespace meander
