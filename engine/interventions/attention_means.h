// Means of attention probabilities (rows, heads, queries, keys) F32, taken on the device.
#pragma once
#include "engine/tensor/tensor.h"

namespace meander {

// (rows·heads, 1, keys).
HostTensor meanOverQueries(const Tensor& p);
// (rows, queries, keys).
Tensor meanOverHeads(const Tensor& p);

}  // namespace meander
