#include <cstring>
#include <stdexcept>

#include "engine/tensor/tensor.h"

namespace meander {
namespace {

template <class T> std::vector<std::byte> bytesOf(std::span<const T> values) {
    const auto raw = std::as_bytes(values);
    return {raw.begin(), raw.end()};
}

template <class T> T valueAt(const std::byte* bytes, std::int64_t i) {
    T v;
    std::memcpy(&v, bytes + std::size_t(i) * sizeof(T), sizeof(T));
    return v;
}

}  // namespace

HostTensor::HostTensor(Shape shape, DType type, std::vector<std::byte> bytes) {
    const std::size_t size = bytes.size();
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    *this = HostTensor(shape, type, std::shared_ptr<const std::byte>(owner, owner->data()), size);
}

HostTensor::HostTensor(Shape shape, DType type, std::shared_ptr<const std::byte> data, std::size_t size)
    : m_shape(shape), m_type(type) {
    for (auto e : shape.extents())
        if (e < 0) throw std::invalid_argument("host tensor: negative extent in " + shape.text());
    if (size != std::size_t(shape.count()) * sizeOf(type))
        throw std::invalid_argument("host tensor: " + std::to_string(size) + " bytes do not make " + shape.text() + " "
                                    + nameOf(type));
    const std::byte* begin = data.get();
    m_bytes = std::make_shared<const Bytes>(Bytes{begin, begin + size, std::move(data)});
}

HostTensor HostTensor::fromFloats(Shape shape, std::span<const float> values) {
    return {shape, DType::F32, bytesOf(values)};
}
HostTensor HostTensor::fromDoubles(Shape shape, std::span<const double> values) {
    return {shape, DType::F64, bytesOf(values)};
}

double HostTensor::at(std::int64_t i) const {
    if (i < 0 || !m_bytes || i >= count())
        throw std::out_of_range("host tensor: element " + std::to_string(i) + " of " + m_shape.text());
    const std::byte* b = m_bytes->begin;
    switch (m_type) {
    case DType::F32: return valueAt<float>(b, i);
    case DType::F64: return valueAt<double>(b, i);
    case DType::F16: return kernels::f16ToFloat(valueAt<std::uint16_t>(b, i));
    case DType::BF16: return kernels::bf16ToFloat(valueAt<std::uint16_t>(b, i));
    case DType::I32: return valueAt<std::int32_t>(b, i);
    }
    return 0;
}

namespace {
// All elements, the type looked up once.
template <class To> std::vector<To> allValues(const std::byte* b, DType type, std::int64_t n) {
    std::vector<To> values(static_cast<std::size_t>(n));
    const auto fill = [&](auto valueOf) {
        for (std::int64_t i = 0; i < n; ++i) values[std::size_t(i)] = To(valueOf(i));
    };
    switch (type) {
    case DType::F32: fill([&](std::int64_t i) { return valueAt<float>(b, i); }); break;
    case DType::F64: fill([&](std::int64_t i) { return valueAt<double>(b, i); }); break;
    case DType::F16: fill([&](std::int64_t i) { return kernels::f16ToFloat(valueAt<std::uint16_t>(b, i)); }); break;
    case DType::BF16: fill([&](std::int64_t i) { return kernels::bf16ToFloat(valueAt<std::uint16_t>(b, i)); }); break;
    case DType::I32: fill([&](std::int64_t i) { return valueAt<std::int32_t>(b, i); }); break;
    }
    return values;
}
}  // namespace

std::vector<float> HostTensor::toFloats() const {
    return m_bytes ? allValues<float>(m_bytes->begin, m_type, count()) : std::vector<float>();
}

std::vector<double> HostTensor::toDoubles() const {
    return m_bytes ? allValues<double>(m_bytes->begin, m_type, count()) : std::vector<double>();
}

HostTensor HostTensor::toF16() const {
    if (m_type == DType::F16 || !m_bytes) return *this;
    std::vector<std::byte> halves(std::size_t(count()) * 2);
    for (std::int64_t i = 0; i < count(); ++i) {
        const std::uint16_t h = kernels::floatToF16(float(at(i)));
        std::memcpy(halves.data() + 2 * i, &h, 2);
    }
    return {m_shape, DType::F16, std::move(halves)};
}

HostTensor HostTensor::rows(std::int64_t first, std::int64_t n) const {
    if (m_shape.rank() == 0 || first < 0 || n < 0 || first + n > m_shape[0])
        throw std::out_of_range("host tensor: rows " + std::to_string(first) + " + " + std::to_string(n) + " of "
                                + m_shape.text());
    const Shape s = m_shape.withRows(n);
    const std::size_t row = m_shape[0] == 0 ? 0 : std::size_t(m_shape.rowCount()) * sizeOf(m_type);
    const std::byte* from = bytes().data() + std::size_t(first) * row;
    return {s, m_type, std::vector<std::byte>(from, from + std::size_t(n) * row)};
}

bool HostTensor::sameBits(const HostTensor& o) const {
    if (bool(*this) != bool(o)) return false;
    if (!m_bytes) return true;
    if (m_shape != o.m_shape || m_type != o.m_type) return false;
    return m_bytes == o.m_bytes || bytes().empty()
           || std::memcmp(m_bytes->begin, o.m_bytes->begin, bytes().size()) == 0;
}

}  // namespace meander
