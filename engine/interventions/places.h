// Values at the places of the image among the tokens of a network.
#pragma once
#include "engine/interventions/region.h"
#include "engine/nn/hook.h"

namespace meander::intervention {

// One row (1, n, c), in place: factor · own + (1 − factor) · other at the places of the region, or at all tokens where
// there is none; `other` has the same shape, absent it is 0.
void mixPlaces(const nn::SiteCall& call, const Tensor& own, double factor, const Tensor& other,
               const std::optional<Region>& region);

}  // namespace meander::intervention
