// Transformer blocks chosen by a text, for interventions and guidance rules.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/models/model.h"

namespace meander {

// The parameter `layers`: middle, all, numbers from 0, or parts of a path, separated by commas.
ParamSpec blocksParam();
// The same, all of them at first.
ParamSpec allBlocksParam();
// Indices into ModelInfo::blocks, ascending. Throws Failure that names what there is; `owner` starts its sentence.
std::vector<int> blocksNamed(const std::string& text, const ModelInfo& model, const std::string& owner);
// The block that holds a site, by its path (as ModelInfo::attention has it); nothing where none does.
std::optional<int> blockHolding(const ModelInfo& model, const std::string& path);
// "3,5": the text that names these blocks in any model that has them.
std::string numbersText(const std::vector<int>& blocks);

}  // namespace meander
