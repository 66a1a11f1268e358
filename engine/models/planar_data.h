// The data sets in the plane that the built-in point models were trained on (formulas:
// resources/models/flow2d/README.md).
#pragma once
#include <cstdint>
#include <string>

#include "engine/tensor/tensor.h"

namespace meander {

// (n, 2) F64, a pure function of the seed; empty for a name nobody knows.
HostTensor drawPlanarData(const std::string& dataset, std::int64_t n, std::uint64_t seed);

}  // namespace meander
