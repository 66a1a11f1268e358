// Reading and writing the number types of both libraries, and the dot product they are made of.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/api/dtype.h"

namespace meander::emulator {

using kernels::DType;

inline double numberAt(const void* p, DType t, std::int64_t i) {
    switch (t) {
    case DType::F32: return static_cast<const float*>(p)[i];
    case DType::F64: return static_cast<const double*>(p)[i];
    case DType::F16: return kernels::f16ToFloat(static_cast<const std::uint16_t*>(p)[i]);
    case DType::BF16: return kernels::bf16ToFloat(static_cast<const std::uint16_t*>(p)[i]);
    case DType::I32: break;
    }
    return 0;
}
inline void setNumber(void* p, DType t, std::int64_t i, double v) {
    switch (t) {
    case DType::F32: static_cast<float*>(p)[i] = float(v); break;
    case DType::F64: static_cast<double*>(p)[i] = v; break;
    case DType::F16: static_cast<std::uint16_t*>(p)[i] = kernels::floatToF16(float(v)); break;
    case DType::BF16: static_cast<std::uint16_t*>(p)[i] = kernels::floatToBf16(float(v)); break;
    case DType::I32: break;
    }
}

// Σ a·b in double, in eight running sums, so that the compiler may use vectors.
inline double dot(const double* a, const double* b, std::int64_t n) {
    double sums[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
    for (; i < n; ++i) sums[0] += a[i] * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace meander::emulator
