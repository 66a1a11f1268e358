// What a model asked of a backend: the shapes of its expensive operations, noted while it runs once. The floor
// (kernels/verify/floor.h) measures the same shapes alone.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/api/dtype.h"

namespace meander::kernels {

enum class TracedKind : std::uint8_t { Linear, Conv, Attention, GroupNorm, RowNorm };

struct TracedOp {
    TracedKind kind = TracedKind::Linear;
    DType type = DType::F32;
    // Linear: rows, in, out. Conv: n, h, w, in, out, kernel, stride, padding (of the input). Attention: batch, queries,
    // keys, heads, d, dv. GroupNorm: n, pixels, channels, groups. RowNorm: rows, channels.
    std::int64_t extents[8] = {};
    bool operator==(const TracedOp&) const = default;
    // Multiply and add are two; norms count as none.
    double flops() const {
        const auto* e = extents;
        switch (kind) {
        case TracedKind::Linear: return 2.0 * double(e[0]) * double(e[1]) * double(e[2]);
        case TracedKind::Conv: {
            const std::int64_t h = (e[1] + 2 * e[7] - e[5]) / e[6] + 1, w = (e[2] + 2 * e[7] - e[5]) / e[6] + 1;
            return 2.0 * double(e[0] * h * w) * double(e[3] * e[5] * e[5]) * double(e[4]);
        }
        case TracedKind::Attention:
            return 2.0 * double(e[0] * e[3]) * double(e[1]) * double(e[2]) * double(e[4] + e[5]);
        case TracedKind::GroupNorm:
        case TracedKind::RowNorm: return 0;
        }
        return 0;
    }
};

using Trace = std::vector<TracedOp>;

}  // namespace meander::kernels
