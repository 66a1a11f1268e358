#pragma once
#include "kernels/api/dtype.h"

struct __nv_bfloat16 {
    std::uint16_t bits;
};
inline float __bfloat162float(__nv_bfloat16 h) { return meander::kernels::bf16ToFloat(h.bits); }
inline __nv_bfloat16 __float2bfloat16_rn(float f) { return {meander::kernels::floatToBf16(f)}; }
