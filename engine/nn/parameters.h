// Weights as layers hold them: packed for a device once, when a network is loaded.
#pragma once
#include <memory>

#include "engine/tensor/tensor.h"

namespace meander {

using Linear = std::unique_ptr<kernels::LinearWeights>;
using Conv = std::unique_ptr<kernels::ConvWeights>;

struct Norm {
    Tensor gamma, beta;  // (c) F32
};

}  // namespace meander
