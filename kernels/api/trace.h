// The shapes of a model's expensive operations, noted while it runs once; kernels/verify/library_baseline.h measures
// the same shapes alone.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/api/dtype.h"
#include "kernels/api/operation.h"

namespace meander::kernels {

struct TracedOp {
    Operation kind{};
    DType type = DType::F32;
    // Linear: rows, in, out. Conv2d: n, h, w, in, out, kernel, stride, padding (of the input). Attention: batch,
    // queries, keys, heads, d, dv. GroupNorm: n, pixels, channels, groups. LayerNorm and RmsNorm: rows, channels.
    std::int64_t extents[8] = {};
    double flops = 0;  // multiply and add are two; norms count as none
    bool operator==(const TracedOp&) const = default;
};

using Trace = std::vector<TracedOp>;

}  // namespace meander::kernels
