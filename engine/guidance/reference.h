// A reference image for rules that compare with one: read and checked when the plan is made, turned into states when
// the model is at hand.
#pragma once
#include <string>

#include "engine/models/model.h"

namespace meander {

// (1, h, w, 3) F32 in 0 … 1. Throws Failure when the file cannot be read or has not the size of the model's images.
HostTensor referenceImage(const std::string& path, const ModelInfo& model, const std::string& rule);
// The state of an image in every row of `like`.
Tensor referenceState(const HostTensor& image, const Model& model, const Tensor& like);

}  // namespace meander
