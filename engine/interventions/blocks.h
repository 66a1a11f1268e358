// Transformer blocks chosen by a text, for interventions and guidance rules.
#pragma once
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/models/model.h"

namespace meander {

// The parameter `layers`: middle, all, numbers from 0, or parts of a path, separated by commas.
ParamSpec blocksParam();
// Indices into ModelInfo::blocks, ascending. Throws Failure that names what there is; `owner` starts its sentence.
std::vector<int> blocksNamed(const std::string& text, const ModelInfo& model, const std::string& owner);
// "3,5": the text that names these blocks in any model that has them.
std::string numbersText(const std::vector<int>& blocks);

}  // namespace meander
