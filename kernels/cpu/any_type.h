// Element access in double for the operations where type variety matters more than speed.
#pragma once
#include "kernels/api/dtype.h"

namespace meander::kernels {

struct TypeF32 {
    static double read(const void* p, std::int64_t i) { return static_cast<const float*>(p)[i]; }
    static void write(void* p, std::int64_t i, double v) { static_cast<float*>(p)[i] = float(v); }
};
struct TypeF64 {
    static double read(const void* p, std::int64_t i) { return static_cast<const double*>(p)[i]; }
    static void write(void* p, std::int64_t i, double v) { static_cast<double*>(p)[i] = v; }
};
struct TypeF16 {
    static double read(const void* p, std::int64_t i) { return f16ToFloat(static_cast<const std::uint16_t*>(p)[i]); }
    static void write(void* p, std::int64_t i, double v) { static_cast<std::uint16_t*>(p)[i] = floatToF16(float(v)); }
};
struct TypeBF16 {
    static double read(const void* p, std::int64_t i) { return bf16ToFloat(static_cast<const std::uint16_t*>(p)[i]); }
    static void write(void* p, std::int64_t i, double v) { static_cast<std::uint16_t*>(p)[i] = floatToBf16(float(v)); }
};

// f with the accessor of a float type; I32 is the caller's business.
template <class F> void withType(DType t, const F& f) {
    switch (t) {
    case DType::F32: return f(TypeF32{});
    case DType::F64: return f(TypeF64{});
    case DType::F16: return f(TypeF16{});
    case DType::BF16: return f(TypeBF16{});
    case DType::I32: return;
    }
}

}  // namespace meander::kernels
