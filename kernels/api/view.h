// A borrowed look at device memory: dense, row-major. Never owns, never frees; null means "not given".
#pragma once
#include "kernels/api/dtype.h"
#include "kernels/api/shape.h"

namespace meander::kernels {

struct View {
    void* data = nullptr;
    DType type = DType::F32;
    Shape shape;

    explicit operator bool() const { return data != nullptr; }
    std::int64_t count() const { return shape.count(); }
    std::size_t bytes() const { return std::size_t(count()) * sizeOf(type); }
    template <class T> T* as() const { return static_cast<T*>(data); }
    View reshaped(Shape s) const { return {data, type, s}; }
    // Rows [first, first + n) of the first dimension.
    View rows(std::int64_t first, std::int64_t n) const {
        return {static_cast<char*>(data) + std::size_t(first * shape.rowCount()) * sizeOf(type), type,
                shape.withRows(n)};
    }
};

}  // namespace meander::kernels
