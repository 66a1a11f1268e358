// Linear layers and batched products.
//
// What cuBLASLt can do inside the product (bias, ReLU, tanh GELU, adding a residual) is done there; anything else
// (SiLU, exact GELU, gates, factors, biases per group) is one more elementwise pass over the result, `finish`.
#include "kernels/cuda/linear.h"

#include "kernels/cuda/checks.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

// Rows of a weight that stay as they are stored.
struct StoredPart {
    WeightMatrix matrix;  // on the device
    Buffer data, rowScales;
};

struct CudaLinearWeights final : LinearWeights {
    std::shared_ptr<Device> device;
    DType type = DType::F32;
    Buffer weight;                  // (out, in) of `type`, or empty:
    std::vector<StoredPart> parts;  // widened to `type` before each product
    PackedBias packedBias;
};

StoredPart uploadPart(const std::shared_ptr<Device>& device, const WeightMatrix& host) {
    StoredPart part{host, Buffer(device, host.bytes()), {}};
    device->upload(host.data, part.data.data(), host.bytes());
    part.matrix.data = part.data.data();
    if (host.rowScales) {
        part.rowScales = Buffer(device, std::size_t(host.out) * sizeof(float));
        device->upload(host.rowScales, part.rowScales.data(), std::size_t(host.out) * sizeof(float));
        part.matrix.rowScales = part.rowScales.as<float>();
    }
    return part;
}

// The matrix in the type of the activations, for the length of one product.
Buffer widened(Device& device, const CudaLinearWeights& w) {
    if (w.parts.empty()) return {};
    Buffer matrix(device, std::size_t(w.in * w.out) * sizeOf(w.type));
    char* to = matrix.as<char>();
    for (const auto& part : w.parts) {
        widenWeights(device, part.matrix, to, w.type);
        to += std::size_t(part.matrix.out * w.in) * sizeOf(w.type);
    }
    return matrix;
}

WeightFormat formatOf(DType type) {
    return type == DType::F16 ? WeightFormat::F16 : type == DType::BF16 ? WeightFormat::BF16 : WeightFormat::F32;
}

bool fusesIntoProduct(const Epilogue& e, bool hasBias) {
    if (e.multiply || e.gate || e.rowBias) return false;
    if (e.residualScale != 1.0f && (hasBias || e.activation != Activation::None))
        return false;                                         // the scale would have to reach them too
    if (e.residual) return e.activation == Activation::None;  // cuBLASLt adds before it activates
    return e.activation == Activation::None || e.activation == Activation::Relu || e.activation == Activation::GeluTanh;
}

}  // namespace

Buffer uploadConverted(const std::shared_ptr<Device>& device, View host, DType type) {
    Buffer result(device, std::size_t(host.count()) * sizeOf(type));
    const Buffer raw = host.type == type ? Buffer() : Buffer(*device, host.bytes());
    device->upload(host.data, raw ? raw.data() : result.data(), host.bytes());
    if (raw) convert(*device, {raw.data(), host.type, host.shape}, {result.data(), type, host.shape});
    return result;
}

PackedBias packBias(const std::shared_ptr<Device>& device, View bias, DType compute) {
    if (!bias) return {};
    PackedBias packed;
    packed.count = bias.count();
    packed.exact = uploadConverted(device, bias, DType::F32);
    if (compute != DType::F32) packed.computed = uploadConverted(device, bias, compute);
    return packed;
}

bool sharesMemory(const Epilogue& e, const View& y) {
    return e.residual.data == y.data || e.multiply.data == y.data || e.gate.data == y.data || e.rowBias.data == y.data;
}

void productWithEpilogue(Device& device, View x, std::int64_t in, std::int64_t out, const void* weight,
                         const PackedBias& bias, View y, const Epilogue& e) {
    const std::int64_t rows = x.count() / in;
    Product p;
    p.m = rows;
    p.n = out;
    p.k = in;
    p.a = {x.data, in};
    p.b = {weight, in};
    p.d = {y.data, out};
    p.transposeB = true;
    p.input = x.type;
    p.output = y.type;
    if (fusesIntoProduct(e, bool(bias))) {
        p.alpha = e.residualScale;
        p.beta = e.residual ? e.residualScale : 0.0f;
        p.c = e.residual.data;
        p.bias = bias.ofType(y.type);
        p.activation = e.activation;
        multiply(device, p);
        return;
    }
    Buffer aside;  // the product must not overwrite what the epilogue still reads
    if (sharesMemory(e, y)) {
        aside = Buffer(device, y.bytes());
        p.d.data = aside.data();
    }
    multiply(device, p);
    applyEpilogue(device, p.d.data, bias.view(), e, y);
}

std::unique_ptr<LinearWeights> packLinear(const std::shared_ptr<Device>& device, View weight, View bias,
                                          DType compute) {
    require(weight && weight.shape.rank() == 2 && weight.count() > 0 && isActivation(weight.type)
                && isActivation(compute),
            "packLinear", "weight is (out, in) of an activation type", weight);
    require(!bias || (bias.count() == weight.shape[0] && isActivation(bias.type)), "packLinear",
            "bias has one element per output", weight, bias);
    auto w = std::make_unique<CudaLinearWeights>();
    w->out = weight.shape[0];
    w->in = weight.shape[1];
    w->device = device;
    w->type = compute;
    w->weight = uploadConverted(device, weight, compute);
    w->packedBias = packBias(device, bias, compute);
    w->bytes = std::size_t(weight.count()) * sizeOf(compute) + w->packedBias.bytes(compute);
    return w;
}

std::unique_ptr<LinearWeights> packStoredLinear(const std::shared_ptr<Device>& device,
                                                std::span<const WeightMatrix> parts, View bias, DType compute) {
    const char* operation = "packStoredLinear";
    std::int64_t out = 0;
    for (const auto& p : parts) {
        require(p.data && p.out > 0 && p.in > 0 && p.in == parts[0].in && p.in % infoOf(p.format).blockElements == 0,
                operation, "the parts are (out, in) with the same in, a whole number of blocks");
        out += p.out;
    }
    require(out > 0 && isActivation(compute), operation, "there is a weight and an activation type");
    require(!bias || (bias.count() == out && isActivation(bias.type)), operation, "bias has one element per output",
            bias);
    if (parts.size() == 1 && parts[0].format == formatOf(compute) && !parts[0].rowScales)
        return packLinear(device, {const_cast<void*>(parts[0].data), compute, {out, parts[0].in}}, bias, compute);
    auto w = std::make_unique<CudaLinearWeights>();
    w->out = out;
    w->in = parts[0].in;
    w->device = device;
    w->type = compute;
    w->packedBias = packBias(device, bias, compute);
    w->bytes = w->packedBias.bytes(compute);
    for (const auto& p : parts) {
        w->parts.push_back(uploadPart(device, p));
        w->bytes += p.bytes() + (p.rowScales ? std::size_t(p.out) * sizeof(float) : 0);
    }
    return w;
}

void linear(Device& device, View x, const LinearWeights& weights, View y, const Epilogue& e) {
    const auto* w = dynamic_cast<const CudaLinearWeights*>(&weights);
    require(w && w->device.get() == &device, "linear", "the weights were packed by this backend", x, y);
    require(x.type == w->type && y.type == w->type, "linear", "x and y have the type the weights were packed for", x,
            y);
    require(lastExtent(x) == w->in && lastExtent(y) == w->out && leadingCount(x) == leadingCount(y), "linear",
            ("x is (rows, " + std::to_string(w->in) + ") and y (rows, " + std::to_string(w->out) + ")").c_str(), x, y);
    checkEpilogue("linear", e, y);
    if (y.count() == 0) return;
    const Buffer wide = widened(device, *w);
    productWithEpilogue(device, x, w->in, w->out, (wide ? wide : w->weight).data(), w->packedBias, y, e);
}

void batchedMatmul(Device& device, View a, View b, View y, bool transposeB, float scale) {
    require(a.shape.rank() == 3 && b.shape.rank() == 3 && y.shape.rank() == 3 && a.type == b.type && isFloat(a.type)
                && (y.type == a.type || (y.type == DType::F32 && isActivation(a.type))),
            "batchedMatmul", "a, b and y are batches of matrices of one floating-point type (y may be f32)", a, b, y);
    const std::int64_t m = a.shape[1], k = a.shape[2], n = transposeB ? b.shape[1] : b.shape[2];
    require(b.shape[0] == a.shape[0] && y.shape[0] == a.shape[0] && b.shape[transposeB ? 2 : 1] == k && y.shape[1] == m
                && y.shape[2] == n,
            "batchedMatmul",
            transposeB ? "a is (b, m, k), b (b, n, k), y (b, m, n)" : "a is (b, m, k), b (b, k, n), y (b, m, n)", a, b,
            y);
    Product p;
    p.m = m;
    p.n = n;
    p.k = k;
    p.batch = int(a.shape[0]);
    p.a = {a.data, k, m * k};
    p.b = {b.data, transposeB ? k : n, n * k};
    p.d = {y.data, n, m * n};
    p.transposeB = transposeB;
    p.input = a.type;
    p.output = y.type;
    p.alpha = scale;
    multiply(device, p);
}

}  // namespace meander::kernels::cuda
