// Small networks for points in the plane: x and a time embedding through a few wide layers. One safetensors file; the
// description is JSON in its metadata ("meander").
#pragma once
#include <memory>
#include <string>

#include "engine/models/model.h"

namespace meander {

// A safetensors file with that description.
bool isMlp2d(const std::string& path);
// Throw Failure.
ModelInfo inspectMlp2d(const std::string& path);
std::unique_ptr<Model> loadMlp2d(ModelInfo info, const std::string& path, Backend& backend);

}  // namespace meander
