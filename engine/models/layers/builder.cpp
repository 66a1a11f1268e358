#include "engine/models/layers/builder.h"

#include <algorithm>

namespace meander {

HostWeight NetworkBuilder::read(const std::string& name, const Shape& shape) {
    parameters += shape.count();
    return source.read(name, shape);
}

Linear NetworkBuilder::pack(std::vector<HostWeight> parts, const HostWeight* bias, DType type) {
    const HostWeight plainBias = bias ? bias->plain() : HostWeight();
    const View b = bias ? plainBias.view() : View{};
    Linear l;
    if (std::any_of(parts.begin(), parts.end(), [](const HostWeight& w) { return w.staysStored(); })) {
        std::vector<kernels::WeightMatrix> matrices;
        for (const auto& w : parts) matrices.push_back(w.matrix());
        l = backend.packStoredLinear(matrices, b, type);
        for (const auto& w : parts) w.releasePages();
    } else {
        const HostWeight w = parts.size() == 1 ? std::move(parts.front()) : stackedWeights(std::move(parts));
        l = backend.packLinear(w.view().reshaped({w.rows(), w.rowCount()}), b, type);
        w.releasePages();
    }
    weightBytes += l->bytes;
    return l;
}

Linear NetworkBuilder::linear(const std::string& name, std::int64_t in, std::int64_t out, bool bias, bool pointwise) {
    const HostWeight w = read(name + ".weight", pointwise ? Shape{out, in, 1, 1} : Shape{out, in});
    if (!bias) return pack({w}, nullptr, compute);
    const HostWeight b = read(name + ".bias", {out});
    return pack({w}, &b, compute);
}

Linear NetworkBuilder::linearF32(const std::string& name, std::int64_t in, std::int64_t out, bool bias) {
    return linearStack({{name, out}}, in, bias, DType::F32);
}

Linear NetworkBuilder::linearRows(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t first,
                                  std::int64_t count, bool bias) {
    const std::int64_t before = parameters;
    const HostWeight w = rowsOf(read(name + ".weight", {out, in}), first, count);
    Linear l;
    if (bias) {
        const HostWeight b = rowsOf(read(name + ".bias", {out}), first, count);
        l = pack({w}, &b, compute);
    } else {
        l = pack({w}, nullptr, compute);
    }
    parameters = before + count * (in + (bias ? 1 : 0));
    return l;
}

Linear NetworkBuilder::linearInOrder(const std::string& name, std::int64_t in, const std::vector<std::int64_t>& order) {
    const std::int64_t out = std::int64_t(order.size());
    const HostWeight w = rowsInOrder(read(name + ".weight", {out, in}), order),
                     b = rowsInOrder(read(name + ".bias", {out}), order);
    return pack({w}, &b, compute);
}

Linear NetworkBuilder::linearColumns(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t first,
                                     std::int64_t count, bool bias) {
    const std::int64_t before = parameters;
    const HostWeight w = columnsOf(read(name + ".weight", {out, in}), first, count),
                     b = bias ? read(name + ".bias", {out}) : HostWeight();
    Linear l = pack({w}, bias ? &b : nullptr, compute);
    parameters = before + out * (count + (bias ? 1 : 0));
    return l;
}

Linear NetworkBuilder::linearStack(const std::vector<Part>& parts, std::int64_t in, bool bias, DType type) {
    std::vector<HostWeight> weights, biases;
    for (const auto& [name, out] : parts) {
        weights.push_back(read(name + ".weight", {out, in}));
        if (bias) biases.push_back(read(name + ".bias", {out}));
    }
    if (!bias) return pack(std::move(weights), nullptr, type);
    const HostWeight b = stackedWeights(std::move(biases));
    return pack(std::move(weights), &b, type);
}

Conv NetworkBuilder::conv(const std::string& name, int in, int out, int kernel, int stride, int padding, int height,
                          int width, bool bias) {
    const HostWeight w = read(name + ".weight", {out, in, kernel, kernel}).plain(),
                     b = bias ? read(name + ".bias", {out}).plain() : HostWeight();
    Conv c = backend.packConv(w.view(), bias ? b.view() : View{}, {stride, padding}, compute, height, width);
    w.releasePages();
    weightBytes += c->bytes;
    return c;
}

Conv NetworkBuilder::convOfFrame(const std::string& name, int in, int out, int kernel, int padding, int extent) {
    const std::vector<float> video = read(name + ".weight", {out, in, kernel, kernel, kernel}).floats();
    const std::size_t slice = std::size_t(kernel) * std::size_t(kernel), size = slice * std::size_t(kernel);
    std::vector<float> frame;
    for (std::size_t filter = 0; filter < video.size(); filter += size)
        frame.insert(frame.end(), video.begin() + std::ptrdiff_t(filter + size - slice),
                     video.begin() + std::ptrdiff_t(filter + size));
    const HostWeight w = HostWeight::fromFloats({out, in, kernel, kernel}, frame),
                     b = read(name + ".bias", {out}).plain();
    Conv c = backend.packConv(w.view(), b.view(), {1, padding}, compute, extent, extent);
    weightBytes += c->bytes;
    return c;
}

Linear NetworkBuilder::patchEmbedding(const std::string& name, int channels, int patch, std::int64_t width) {
    const HostWeight w = read(name + ".weight", {width, channels, patch, patch}), b = read(name + ".bias", {width});
    return pack({w}, &b, compute);
}

Linear NetworkBuilder::patchProjection(const std::string& name, std::int64_t in, int patch, int channels, int kept) {
    std::vector<std::int64_t> order;
    for (int c = 0; c < kept; ++c)
        for (int place = 0; place < patch * patch; ++place) order.push_back(std::int64_t(place) * channels + c);
    const std::int64_t out = std::int64_t(patch) * patch * channels;
    const HostWeight w = rowsInOrder(read(name + ".weight", {out, in}), order),
                     b = rowsInOrder(read(name + ".bias", {out}), order);
    return pack({w}, &b, compute);
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
