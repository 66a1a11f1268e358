// Weights of words on the states of a text encoder.
#pragma once
#include <functional>
#include <span>

#include "engine/models/prompt_dialect.h"
#include "engine/tensor/tensor.h"

namespace meander {

// States (tokens, width) F32, a weight for each token:
//
//   A1111    z′ = w z, then scaled so that the mean over all elements stays; without norm: z′ = w z
//   ComfyUI  z′ = z₀ + w (z − z₀), z₀ the states (tokens, width) of the empty text
//
// Where every weight is 1, the states as they are.
Tensor emphasised(const Tensor& states, std::span<const float> weights, PromptDialect dialect,
                  const std::function<Tensor()>& empty);

}  // namespace meander
