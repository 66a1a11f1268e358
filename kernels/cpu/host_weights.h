// Weights in host memory, of any float type, as floats.
#pragma once
#include <vector>

#include "kernels/api/view.h"

namespace meander::kernels {

inline std::vector<float> hostFloats(const View& v) {
    std::vector<float> out(std::size_t(v.count()));
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = v.type == DType::F32   ? v.as<float>()[i]
                 : v.type == DType::F16 ? f16ToFloat(v.as<std::uint16_t>()[i])
                                        : bf16ToFloat(v.as<std::uint16_t>()[i]);
    return out;
}

// What the computation sees of a weight: a BF16 computation rounds it first, on every device.
inline void roundForCompute(std::vector<float>& w, DType compute) {
    if (compute != DType::BF16) return;
    for (float& x : w) x = bf16ToFloat(floatToBf16(x));
}

}  // namespace meander::kernels
