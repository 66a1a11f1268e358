#include "engine/weights/host_weight.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/core/result.h"

#ifndef _WIN32
#    include <sys/mman.h>
#    include <unistd.h>
#endif

namespace meander {

using kernels::DType;
using kernels::Shape;

HostWeight HostWeight::fromBytes(Shape shape, WeightFormat format, std::vector<std::byte> bytes) {
    auto owned = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    HostWeight w;
    w.shape = shape;
    w.format = format;
    w.bytes = *owned;
    w.owner = std::move(owned);
    return w;
}

HostWeight HostWeight::fromFloats(Shape shape, std::vector<float> values) {
    auto owned = std::make_shared<const std::vector<float>>(std::move(values));
    HostWeight w;
    w.shape = shape;
    w.bytes = std::as_bytes(std::span(*owned));
    w.owner = std::move(owned);
    return w;
}

std::vector<float> HostWeight::floats() const {
    std::vector<float> values(std::size_t(shape.count()));
    kernels::decodeWeights(format, bytes.data(), shape.count(), values.data());
    if (!rowScales.empty())
        for (std::size_t i = 0; i < values.size(); ++i) values[i] *= rowScales[i / std::size_t(rowCount())];
    return values;
}

HostWeight HostWeight::plain() const {
    if (isPlainFloat(format) && rowScales.empty()) return *this;
    return fromFloats(shape, floats());
}

kernels::View HostWeight::view() const {
    const DType type = format == WeightFormat::F16    ? DType::F16
                       : format == WeightFormat::BF16 ? DType::BF16
                                                      : DType::F32;
    return {const_cast<std::byte*>(bytes.data()), type, shape};
}

kernels::WeightMatrix HostWeight::matrix() const {
    return {bytes.data(), format, rows(), rowCount(), rowScales.empty() ? nullptr : rowScales.data()};
}

void HostWeight::releasePages() const {
#ifndef _WIN32
    if (!isMapped) return;
    static const auto page = std::uintptr_t(sysconf(_SC_PAGESIZE));
    const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
    const std::uintptr_t first = (at + page - 1) / page * page, end = (at + bytes.size()) / page * page;
    if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
#endif
}

HostWeight rowsInOrder(const HostWeight& w, std::span<const std::int64_t> order) {
    const std::size_t row = w.rowBytes();
    std::vector<std::byte> bytes(order.size() * row);
    for (std::size_t r = 0; r < order.size(); ++r)
        std::memcpy(bytes.data() + r * row, w.bytes.data() + std::size_t(order[r]) * row, row);
    HostWeight sorted = HostWeight::fromBytes(w.shape.withRows(std::int64_t(order.size())), w.format, std::move(bytes));
    sorted.isKept = w.isKept;
    if (!w.rowScales.empty())
        for (const std::int64_t r : order) sorted.rowScales.push_back(w.rowScales[std::size_t(r)]);
    return sorted;
}

HostWeight rowsOf(const HostWeight& w, std::int64_t first, std::int64_t count) {
    HostWeight part = w;
    part.shape = w.shape.withRows(count);
    part.bytes = w.bytes.subspan(std::size_t(first) * w.rowBytes(), std::size_t(count) * w.rowBytes());
    if (!w.rowScales.empty()) part.rowScales.assign(w.rowScales.begin() + first, w.rowScales.begin() + first + count);
    return part;
}

HostWeight columnsOf(const HostWeight& w, std::int64_t first, std::int64_t count) {
    const int block = kernels::infoOf(w.format).blockElements;
    if (first % block != 0 || count % block != 0)
        return columnsOf(HostWeight::fromFloats(w.shape, w.floats()), first, count);
    const std::size_t begin = kernels::bytesOf(w.format, first), part = kernels::bytesOf(w.format, count);
    std::vector<std::byte> bytes(std::size_t(w.rows()) * part);
    for (std::size_t r = 0; r < std::size_t(w.rows()); ++r)
        std::memcpy(bytes.data() + r * part, w.bytes.data() + r * w.rowBytes() + begin, part);
    HostWeight columns = HostWeight::fromBytes({w.rows(), count}, w.format, std::move(bytes));
    columns.isKept = w.isKept;
    columns.rowScales = w.rowScales;
    return columns;
}

HostWeight stackedWeights(std::vector<HostWeight> parts) {
    const WeightFormat format = parts.front().format;
    const bool isScaled = !parts.front().rowScales.empty();
    std::int64_t rows = 0;
    std::size_t byteCount = 0;
    bool isUniform = true, isKept = false;
    for (const auto& p : parts) {
        rows += p.rows();
        byteCount += p.bytes.size();
        isUniform = isUniform && p.format == format && p.rowScales.empty() != isScaled;
        isKept = isKept || p.isKept;
    }
    const Shape shape = parts.front().shape.withRows(rows);
    if (!isUniform) {
        std::vector<float> values;
        values.reserve(std::size_t(shape.count()));
        for (auto& p : parts) {
            const auto v = std::exchange(p, {}).floats();
            values.insert(values.end(), v.begin(), v.end());
        }
        return HostWeight::fromFloats(shape, std::move(values));
    }
    std::vector<std::byte> bytes;
    bytes.reserve(byteCount);
    std::vector<float> scales;
    for (auto& part : parts) {
        const HostWeight p = std::exchange(part, {});
        bytes.insert(bytes.end(), p.bytes.begin(), p.bytes.end());
        p.releasePages();
        scales.insert(scales.end(), p.rowScales.begin(), p.rowScales.end());
    }
    HostWeight all = HostWeight::fromBytes(shape, format, std::move(bytes));
    all.rowScales = std::move(scales);
    all.isKept = isKept;
    return all;
}

HostWeight transposed(const HostWeight& w) {
    const std::int64_t rows = w.rows(), columns = w.rowCount();
    const std::vector<float> from = w.floats();
    std::vector<float> to(from.size());
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) to[std::size_t(c * rows + r)] = from[std::size_t(r * columns + c)];
    return HostWeight::fromFloats({columns, rows}, std::move(to));
}

HostWeight reshaped(HostWeight w, Shape shape) {
    if (!w.rowScales.empty() && (shape.rank() == 0 || shape[0] != w.rows())) w = w.plain();
    w.shape = shape;
    return w;
}

}  // namespace meander
