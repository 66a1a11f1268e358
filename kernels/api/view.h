// A borrowed, strided view of device memory. Never owns, never frees; null means "not given". Slicing, transposing and
// reshaping share the memory and throw std::invalid_argument where that is not possible.
//
// Most operations take dense views (row-major, without gaps); kernels/api/backend.h says which arguments may have
// strided rows.
#pragma once
#include <optional>
#include <utility>

#include "kernels/api/dtype.h"
#include "kernels/api/shape.h"

namespace meander::kernels {

// Elements from one entry of each dimension to the next.
using Strides = std::array<std::int64_t, Shape::maxRank>;

inline Strides denseStrides(const Shape& s) {
    Strides strides{};
    std::int64_t step = 1;
    for (int i = s.rank() - 1; i >= 0; --i) {
        strides[std::size_t(i)] = step;
        step *= s[i];
    }
    return strides;
}

struct View {
    void* data = nullptr;
    DType type = DType::F32;
    Shape shape;
    Strides strides{};

    View() = default;
    View(void* memory, DType t, const Shape& s) : View(memory, t, s, denseStrides(s)) {}
    View(void* memory, DType t, const Shape& s, const Strides& st) : data(memory), type(t), shape(s), strides(st) {}

    explicit operator bool() const { return data != nullptr; }
    std::int64_t count() const { return shape.count(); }
    // Of the elements, without gaps.
    std::size_t bytes() const { return std::size_t(count()) * sizeOf(type); }
    template <class T> T* as() const { return static_cast<T*>(data); }
    // Negative: from the last.
    std::int64_t stride(int dim) const { return strides[std::size_t(dim < 0 ? dim + shape.rank() : dim)]; }

    // Row-major, without gaps.
    bool isDense() const { return joinedStride(0, shape.rank()) == 1; }
    // The elements of the last dimension are neighbours; rows may lie anywhere.
    bool hasDenseRows() const { return shape.rank() == 0 || joinedStride(shape.rank() - 1, shape.rank()) == 1; }
    // Elements from one row (last dimension) to the next, where all rows are dense and equally far apart.
    std::optional<std::int64_t> rowStride() const;

    // Entries [first, first + n) of a dimension; negative: from the last.
    View slice(int dim, std::int64_t first, std::int64_t n) const;
    View rows(std::int64_t first, std::int64_t n) const { return slice(0, first, n); }
    View columns(std::int64_t first, std::int64_t n) const { return slice(-1, first, n); }
    View transposed(int a, int b) const;
    // The same elements in the same order under other extents. Dimensions are joined only where they lie without gaps.
    View reshaped(const Shape& s) const;

private:
    // The stride at which dimensions [first, end) can be walked as one; empty where they have gaps. No elements or
    // only one: 1.
    std::optional<std::int64_t> joinedStride(int first, int end) const;
    [[noreturn]] void reject(const std::string& what) const { throw std::invalid_argument("view: " + what); }
    int dimension(int dim) const {
        const int d = dim < 0 ? dim + shape.rank() : dim;
        if (d < 0 || d >= shape.rank()) reject("dimension " + std::to_string(dim) + " of " + shape.text());
        return d;
    }
};

inline std::optional<std::int64_t> View::joinedStride(int first, int end) const {
    std::optional<std::int64_t> innermost;
    std::int64_t next = 0;
    for (int i = first; i < end; ++i)
        if (shape[i] == 0) return 1;
    for (int i = end - 1; i >= first; --i) {
        if (shape[i] == 1) continue;
        if (innermost && strides[std::size_t(i)] != next) return std::nullopt;
        if (!innermost) innermost = strides[std::size_t(i)];
        next = strides[std::size_t(i)] * shape[i];
    }
    return innermost.value_or(1);
}

inline std::optional<std::int64_t> View::rowStride() const {
    if (!hasDenseRows()) return std::nullopt;
    if (shape.rank() == 0) return 1;
    const int last = shape.rank() - 1;
    std::int64_t rows = 1;
    for (int i = 0; i < last; ++i) rows *= shape[i];
    return rows <= 1 ? shape[last] : joinedStride(0, last);
}

inline View View::slice(int dim, std::int64_t first, std::int64_t n) const {
    const int d = dimension(dim);
    if (first < 0 || n < 0 || first + n > shape[d])
        reject("entries " + std::to_string(first) + " + " + std::to_string(n) + " of dimension " + std::to_string(d)
               + " of " + shape.text());
    View v = *this;
    v.shape = shape.with(d, n);
    if (data) v.data = static_cast<char*>(data) + first * stride(d) * std::int64_t(sizeOf(type));
    return v;
}

inline View View::transposed(int a, int b) const {
    const int i = dimension(a), j = dimension(b);
    View v = *this;
    v.shape = shape.with(i, shape[j]).with(j, shape[i]);
    std::swap(v.strides[std::size_t(i)], v.strides[std::size_t(j)]);
    return v;
}

inline View View::reshaped(const Shape& s) const {
    if (s.count() != count()) reject(shape.text() + " has not as many elements as " + s.text());
    if (isDense()) return {data, type, s};
    // Dimensions of both shapes are matched in groups of equal products, each of which must be walkable as one.
    Strides result{};
    for (int i = 0, j = 0; i < shape.rank() && j < s.rank();) {
        int iEnd = i + 1, jEnd = j + 1;
        for (std::int64_t mine = shape[i], theirs = s[j]; mine != theirs;) {
            if (mine < theirs) mine *= shape[iEnd++];
            else theirs *= s[jEnd++];
        }
        const auto joined = joinedStride(i, iEnd);
        if (!joined) reject(shape.text() + " has gaps that do not allow it to become " + s.text() + "; copy it first");
        std::int64_t step = *joined;
        for (int k = jEnd - 1; k >= j; --k) {
            result[std::size_t(k)] = step;
            step *= s[k];
        }
        i = iEnd;
        j = jEnd;
    }
    return {data, type, s, result};
}

// Rows of a view: all its dimensions but the last, as one. Rank 0 is one row of one element.
inline std::int64_t lastExtent(const View& v) { return v.shape.rank() == 0 ? 1 : v.shape[-1]; }
inline std::int64_t leadingCount(const View& v) {
    std::int64_t n = 1;
    for (int i = 0; i + 1 < v.shape.rank(); ++i) n *= v.shape[i];
    return n;
}

}  // namespace meander::kernels
