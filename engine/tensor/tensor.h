// Owned device tensors (Tensor) and immutable host tensors (HostTensor). A Tensor is a handle: copying it shares the
// memory. Whoever writes into a tensor made it; everyone else reads. Arithmetic on states goes through `combine`, one
// fused kernel with double sums.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "kernels/api/backend.h"

namespace meander {

using kernels::Backend;
using kernels::DType;
using kernels::Shape;
using kernels::View;

class Tensor {
public:
    Tensor() = default;
    Tensor(Backend& backend, Shape shape, DType type = DType::F32);

    explicit operator bool() const { return m_memory != nullptr; }
    Backend& backend() const { return *m_backend; }
    const Shape& shape() const { return m_view.shape; }
    DType type() const { return m_view.type; }
    std::int64_t rows() const { return m_view.shape[0]; }
    std::int64_t count() const { return m_view.count(); }
    View view() const { return m_view; }
    operator View() const { return m_view; }
    // Share the memory; see View. Columns and transposed tensors are strided: operations that need dense ones throw,
    // and clone() makes a dense copy.
    Tensor reshaped(Shape s) const;
    Tensor slice(std::int64_t firstRow, std::int64_t rowCount) const;
    Tensor columns(std::int64_t first, std::int64_t n) const { return sharing(m_view.columns(first, n)); }
    Tensor transposed(int a, int b) const { return sharing(m_view.transposed(a, b)); }
    Tensor clone() const;
    Tensor converted(DType type) const;  // itself when the type is already right

private:
    Tensor sharing(const View& v) const;

    Backend* m_backend = nullptr;
    std::shared_ptr<void> m_memory;
    View m_view;
};

// Immutable data in host memory or in a mapped file, shared freely between threads. Always F32, F64, F16 or I32.
class HostTensor {
public:
    HostTensor() = default;
    HostTensor(Shape shape, DType type, std::vector<std::byte> bytes);
    // `size` bytes at `data`, which keeps them where they are.
    HostTensor(Shape shape, DType type, std::shared_ptr<const std::byte> data, std::size_t size);
    static HostTensor fromFloats(Shape shape, std::span<const float> values);
    static HostTensor fromDoubles(Shape shape, std::span<const double> values);

    explicit operator bool() const { return m_bytes != nullptr; }
    const Shape& shape() const { return m_shape; }
    DType type() const { return m_type; }
    std::int64_t count() const { return m_bytes ? m_shape.count() : 0; }
    std::span<const std::byte> bytes() const {
        return m_bytes ? std::span<const std::byte>(m_bytes->begin, m_bytes->end) : std::span<const std::byte>();
    }
    // Only for the right type.
    std::span<const float> floats() const {
        return {reinterpret_cast<const float*>(bytes().data()), m_type == DType::F32 ? std::size_t(count()) : 0};
    }
    std::span<const double> doubles() const {
        return {reinterpret_cast<const double*>(bytes().data()), m_type == DType::F64 ? std::size_t(count()) : 0};
    }
    double at(std::int64_t i) const;  // any type
    std::vector<float> toFloats() const;
    std::vector<double> toDoubles() const;
    HostTensor toF16() const;
    HostTensor rows(std::int64_t first, std::int64_t n) const;  // a copy
    bool sameBits(const HostTensor& o) const;

private:
    Shape m_shape;
    DType m_type = DType::F32;
    struct Bytes {
        const std::byte *begin, *end;
        std::shared_ptr<const void> owner;
    };
    std::shared_ptr<const Bytes> m_bytes;
};

Tensor upload(Backend& b, const HostTensor& h);
HostTensor download(const Tensor& t);

struct LinearTerm {
    double factor;
    const Tensor& value;
};
// Σ factor · value, one pass.
Tensor combine(std::initializer_list<LinearTerm> terms);
Tensor combine(std::span<const LinearTerm> terms);
// Row r of the result is Σ_i factors[i][r] · values[i][r].
Tensor combineRows(std::span<const Tensor> values, std::span<const std::vector<double>> factors);
// Rows of all parts below each other.
Tensor stackRows(std::span<const Tensor> parts);

// Root mean square per row.
std::vector<double> rmsRows(const Tensor& t);

}  // namespace meander
