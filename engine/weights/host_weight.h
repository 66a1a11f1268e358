// One tensor of a model in host memory, in the format it is stored in.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "kernels/api/view.h"
#include "kernels/api/weight_format.h"

namespace meander {

using kernels::WeightFormat;

// Row-major, in the order and with the shape that PyTorch gave it; what the file says or what was computed from it.
struct HostWeight {
    kernels::Shape shape;
    WeightFormat format = WeightFormat::F32;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;  // keeps `bytes` alive: a mapped file, or a buffer
    std::vector<float> rowScales;       // a factor for each index of the first dimension; empty: none
    bool isMapped = false;              // `bytes` are those of a mapped file
    bool isKept = false;                // plain floats that a device keeps in their format too, as it does with blocks

    static HostWeight fromFloats(kernels::Shape shape, std::vector<float> values);
    static HostWeight fromBytes(kernels::Shape shape, WeightFormat format, std::vector<std::byte> bytes);

    std::int64_t rows() const { return shape.rank() == 0 ? 1 : shape[0]; }
    std::int64_t rowCount() const { return shape.rowCount(); }
    std::size_t rowBytes() const { return kernels::bytesOf(format, rowCount()); }

    std::vector<float> floats() const;
    // Itself when it is F32, F16 or BF16 without scales; otherwise its values as F32.
    HostWeight plain() const;
    // Whether a device keeps it in its format.
    bool staysStored() const { return isKept || !rowScales.empty() || !kernels::isPlainFloat(format); }
    // Of a plain weight only.
    kernels::View view() const;
    // As a matrix (rows, everything else).
    kernels::WeightMatrix matrix() const;
    // Gives the memory of a mapped file's pages back, after the weight was packed: a model is loaded without the whole
    // file in memory beside it. They are read again where they are looked at.
    void releasePages() const;
};

// Rows order[0], order[1] … of a weight.
HostWeight rowsInOrder(const HostWeight& w, std::span<const std::int64_t> order);
// Rows [first, first + count); shares the bytes.
HostWeight rowsOf(const HostWeight& w, std::int64_t first, std::int64_t count);
// Columns [first, first + count) of a matrix; as F32 where they are not whole blocks of its format.
HostWeight columnsOf(const HostWeight& w, std::int64_t first, std::int64_t count);
// The rows of all parts below each other; as F32 when their formats differ. Each part is released once it is copied.
HostWeight stackedWeights(std::vector<HostWeight> parts);
// Of a matrix; as F32.
HostWeight transposed(const HostWeight& w);
// The same elements under another shape of as many; the first extent may change only without row scales.
HostWeight reshaped(HostWeight w, kernels::Shape shape);

}  // namespace meander
