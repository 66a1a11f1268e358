#pragma once
#include "kernels/api/dtype.h"

struct __half {
    std::uint16_t bits;
};
inline float __half2float(__half h) { return meander::kernels::f16ToFloat(h.bits); }
inline __half __float2half_rn(float f) { return {meander::kernels::floatToF16(f)}; }
