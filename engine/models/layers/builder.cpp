#include "engine/models/layers/builder.h"

#include <cstring>

namespace meander {
namespace {

// Rows of a row-major tensor in another order: result row r is row order[r].
HostWeight rowsInOrder(const HostWeight& w, const std::vector<std::int64_t>& order) {
    HostWeight sorted{w.shape.withRows(std::int64_t(order.size())), w.type, {}};
    const std::size_t row = std::size_t(w.shape.rowCount()) * sizeOf(w.type);
    sorted.bytes.resize(order.size() * row);
    for (std::size_t r = 0; r < order.size(); ++r)
        std::memcpy(sorted.bytes.data() + r * row, w.bytes.data() + std::size_t(order[r]) * row, row);
    return sorted;
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < count; ++i) order.push_back(first + i);
    return order;
}

void append(HostWeight& to, const HostWeight& part) {
    to.bytes.insert(to.bytes.end(), part.bytes.begin(), part.bytes.end());
    to.shape = to.shape.withRows(to.shape[0] + part.shape[0]);
}

}  // namespace

// F32, F16 or BF16, which is what backends pack.
HostWeight NetworkBuilder::read(const std::string& name, const Shape& shape) {
    HostWeight w = source.read(name, shape);
    parameters += shape.count();
    if (w.type == DType::F32 || w.type == DType::F16 || w.type == DType::BF16) return w;
    const std::vector<float> values = w.floats();
    HostWeight narrow{shape, DType::F32, std::vector<std::byte>(values.size() * 4)};
    std::memcpy(narrow.bytes.data(), values.data(), narrow.bytes.size());
    return narrow;
}

Linear NetworkBuilder::pack(const HostWeight& weight, const HostWeight* bias, DType type) {
    const View matrix = weight.view().reshaped({weight.shape[0], weight.shape.rowCount()});
    Linear l = backend.packLinear(matrix, bias ? bias->view() : View{}, type);
    weightBytes += l->bytes;
    return l;
}

Linear NetworkBuilder::linear(const std::string& name, std::int64_t in, std::int64_t out, bool bias, bool pointwise) {
    const HostWeight w = read(name + ".weight", pointwise ? Shape{out, in, 1, 1} : Shape{out, in});
    if (!bias) return pack(w, nullptr, compute);
    const HostWeight b = read(name + ".bias", {out});
    return pack(w, &b, compute);
}

Linear NetworkBuilder::linearF32(const std::string& name, std::int64_t in, std::int64_t out, bool bias) {
    return linearStack({{name, out}}, in, bias, DType::F32);
}

Linear NetworkBuilder::linearRows(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t first,
                                  std::int64_t count, bool bias) {
    const std::int64_t before = parameters;
    const HostWeight w = rowsInOrder(read(name + ".weight", {out, in}), range(first, count));
    Linear l;
    if (bias) {
        const HostWeight b = rowsInOrder(read(name + ".bias", {out}), range(first, count));
        l = pack(w, &b, compute);
    } else {
        l = pack(w, nullptr, compute);
    }
    parameters = before + count * (in + (bias ? 1 : 0));
    return l;
}

Linear NetworkBuilder::linearStack(const std::vector<Part>& parts, std::int64_t in, bool bias, DType type) {
    HostWeight weight, offsets;
    for (const auto& [name, out] : parts) {
        HostWeight w = read(name + ".weight", {out, in}), b;
        if (bias) b = read(name + ".bias", {out});
        if (weight.bytes.empty()) {
            weight = std::move(w);
            offsets = std::move(b);
            continue;
        }
        if (w.type != weight.type || (bias && b.type != offsets.type))
            throw Failure("The weights of '" + name + "' are stored in another type than those of '"
                          + parts.front().first + "'. Convert the model to one type.");
        append(weight, w);
        if (bias) append(offsets, b);
    }
    return pack(weight, bias ? &offsets : nullptr, type);
}

Conv NetworkBuilder::conv(const std::string& name, int in, int out, int kernel, int stride, int padding, int height,
                          int width) {
    const HostWeight w = read(name + ".weight", {out, in, kernel, kernel}), b = read(name + ".bias", {out});
    Conv c = backend.packConv(w.view(), b.view(), {stride, padding}, compute, height, width);
    weightBytes += c->bytes;
    return c;
}

Linear NetworkBuilder::patchEmbedding(const std::string& name, int channels, int patch, std::int64_t width) {
    const HostWeight w = read(name + ".weight", {width, channels, patch, patch}), b = read(name + ".bias", {width});
    return pack(w, &b, compute);
}

Linear NetworkBuilder::patchProjection(const std::string& name, std::int64_t in, int patch, int channels, int kept) {
    std::vector<std::int64_t> order;
    for (int c = 0; c < kept; ++c)
        for (int place = 0; place < patch * patch; ++place) order.push_back(std::int64_t(place) * channels + c);
    const std::int64_t out = std::int64_t(patch) * patch * channels;
    const HostWeight w = rowsInOrder(read(name + ".weight", {out, in}), order),
                     b = rowsInOrder(read(name + ".bias", {out}), order);
    return pack(w, &b, compute);
}

Norm NetworkBuilder::norm(const std::string& name, std::int64_t width) {
    return {table(name + ".weight", {width}), table(name + ".bias", {width})};
}

Tensor NetworkBuilder::table(const std::string& name, Shape shape) {
    const HostWeight w = source.read(name, shape);
    parameters += shape.count();
    weightBytes += std::size_t(shape.count()) * 4;
    return constant(shape, w.floats());
}

Tensor NetworkBuilder::constant(Shape shape, const std::vector<float>& values) {
    return upload(backend, HostTensor::fromFloats(shape, values));
}

}  // namespace meander
