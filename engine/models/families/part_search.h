// Where parts that a file of weights lacks are looked for: beside it, in the folders of models, and, for vocabularies,
// in the cache of the hub.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/models/families/tensor_list.h"

namespace meander {

// The folders that users keep models in: environment MEANDER_MODELS, else the standard folder for data of programs.
std::string modelsFolder();

// Every place that was looked at, for the sentence about what is missing.
using Places = std::vector<std::string>;
std::string listed(const Places& places);

// The vocabulary of a tokenizer for the text encoder number `index` of the model in `modelPath`: a path for
// openTokenizer. `kind`: id of the table of tokenizers that part_search.cpp holds.
std::optional<std::string> findTokenizer(const std::string& kind, const std::string& modelPath, int index,
                                         Places& looked);

struct FoundWeights {
    std::shared_ptr<FileWeights> weights;
    std::string path, prefix;
};
// The first file in one of the folders (beside the model, beside its folder, in the folder of models) with tensors
// under one of the prefixes that are what is looked for.
std::optional<FoundWeights> findWeights(const std::string& modelPath, const std::vector<std::string>& folders,
                                        const std::vector<std::string>& prefixes,
                                        const std::function<bool(const TensorList&)>& isWanted, Places& looked);

}  // namespace meander
