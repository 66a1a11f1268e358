// Host tensors below each other.
#pragma once
#include "engine/tensor/tensor.h"

namespace meander {

// The rows of all parts, of one type and row shape; empty without parts.
HostTensor joinedRows(std::span<const HostTensor> parts);

}  // namespace meander
