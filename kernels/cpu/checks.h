// Argument checks: a mismatch names the operation and both shapes.
#pragma once
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "kernels/api/view.h"

namespace meander::kernels {

inline std::string describe(const View& v) {
    return v ? std::string(nameOf(v.type)) + v.shape.text() : std::string("nothing");
}

[[noreturn]] inline void reject(const char* operation, const std::string& why) {
    throw std::invalid_argument(std::string(operation) + ": " + why);
}

inline void require(bool holds, const char* operation, const char* rule, std::initializer_list<View> views) {
    if (holds) return;
    std::string text = rule;
    const char* separator = "; got ";
    for (const View& v : views) {
        text += separator + describe(v);
        separator = " and ";
    }
    reject(operation, text);
}

inline bool isActivationType(DType t) { return t == DType::F32 || t == DType::BF16; }

inline void requireActivation(const char* operation, std::initializer_list<View> views) {
    const DType type = views.begin()->type;
    for (const View& v : views) {
        require(bool(v), operation, "a tensor is missing", views);
        require(v.type == type && isActivationType(type), operation, "all activations must be f32 or all bf16", views);
    }
}

// A parameter or modulation vector: (c) or (groups, c), F32 or the activations' type.
inline void requireVectors(const char* operation, const View& v, std::int64_t c, const View& x) {
    if (!v) return;
    require(v.type == DType::F32 || v.type == x.type, operation, "a vector must be f32 or of the activations' type",
            {v, x});
    require(v.shape.rank() >= 1 && v.count() > 0 && v.shape[-1] == c, operation,
            "a vector's last extent must be the channels", {v, x});
}

// Rows over which one of `groups` vectors stays the same.
inline std::int64_t rowsPerGroup(const char* operation, const View& v, std::int64_t c, std::int64_t rows) {
    const std::int64_t groups = v.count() / c;
    require(groups > 0 && rows % groups == 0, operation, "rows cannot be split evenly among the groups", {v});
    return rows / groups;
}

}  // namespace meander::kernels
