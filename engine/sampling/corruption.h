// Corruptions of a clean image besides noise, for forward processes that blur or pixelate (Bansal et al. 2023; Daras
// et al. 2023).
#pragma once
#include <string>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

// kind "noise": x itself. "blur": a Gaussian of standard deviation `amount` pixels with mirrored edges. "pixelate":
// means of blocks of round(amount) pixels. Images are (rows, height, width, channels). Throws Failure for other
// shapes when there is something to do.
Tensor corrupted(const Tensor& x, const std::string& kind, double amount);

}  // namespace meander
