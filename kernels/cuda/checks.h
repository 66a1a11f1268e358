// Argument checks: a mismatch is a programming error of the caller, told with the operation's name and the shapes of
// what was given.
#pragma once
#include <stdexcept>
#include <string>

#include "kernels/api/view.h"

namespace meander::kernels::cuda {

inline std::string described(const View& v) {
    return v.data || v.count() == 0 ? std::string(nameOf(v.type)) + " " + v.shape.text() : "nothing";
}

// Throws std::invalid_argument("linear: the last extent of x is the weight's input (x f32 (2, 3), ...)") unless
// `holds`.
template <class... Views> void require(bool holds, const char* operation, const char* rule, const Views&... views) {
    if (holds) return;
    std::string text = std::string(operation) + ": " + rule;
    std::string list;
    ((list += (list.empty() ? "" : ", ") + described(views)), ...);
    if (!list.empty()) text += " (given: " + list + ")";
    throw std::invalid_argument(text);
}

inline bool isFloat(DType t) { return t != DType::I32; }
inline bool isActivation(DType t) { return t == DType::F32 || t == DType::BF16 || t == DType::F16; }
inline bool sameTypeAndShape(const View& a, const View& b) { return a.type == b.type && a.shape == b.shape; }

// All but the last extent, as one number; and the last one. Rank 0 is one row of one element.
inline std::int64_t lastExtent(const View& v) { return v.shape.rank() == 0 ? 1 : v.shape[-1]; }
inline std::int64_t leadingCount(const View& v) {
    std::int64_t n = 1;
    for (int i = 0; i + 1 < v.shape.rank(); ++i) n *= v.shape[i];
    return n;
}

}  // namespace meander::kernels::cuda
