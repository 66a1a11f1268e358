// NumPy's .npy files (format 1.0 to 3.0): arrays out, and point data sets in. Little-endian, C order; f2, f4, f8, i4
// (u1, i8 are read too).
#pragma once
#include <string>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

Status writeNpy(const std::string& path, const HostTensor& t);
Result<HostTensor> readNpy(const std::string& path, std::size_t maximumBytes = std::size_t(1) << 30);

}  // namespace meander
