// The image that a model for inpainting or editing draws into or changes, and its mask: a setting of the recipe.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/recipe/recipe.h"

namespace meander {

struct SourceInfo {
    std::string id, label, summary;
    std::vector<ParamSpec> params;
};

const std::vector<SourceInfo>& sources();
const SourceInfo* findSource(const std::string& id);

// Of a resolved recipe, cut and scaled to the size of the run; null for models that take none. Throws Failure: a file
// that cannot be read, an image that is needed and not given, or given and not taken.
std::shared_ptr<const SourceImage> resolveSource(const Recipe& recipe, const ModelInfo& model);

}  // namespace meander
