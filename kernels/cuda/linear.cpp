// Linear layers and batched products.
//
// What cuBLASLt can do inside the product (bias, ReLU, tanh GELU, adding a residual) is done there; anything else
// (SiLU, exact GELU, gates, factors, biases per group) is one more elementwise pass over the result, `finish`.
#include "kernels/cuda/linear.h"

#include "kernels/cuda/cuda_backend.h"
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
    p.a = {x.data, *x.rowStride()};
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
    // The product must not overwrite what the epilogue still reads, and half types are rounded once, after it.
    Buffer aside;
    if (sharesMemory(e, y) || y.type != DType::F32) {
        p.output = DType::F32;
        aside = Buffer(device, std::size_t(y.count()) * sizeof(float));
        p.d.data = aside.data();
    }
    multiply(device, p);
    applyEpilogue(device, p.d.data, p.output, bias.view(), e, y);
}

std::unique_ptr<LinearWeights> packLinear(const std::shared_ptr<Device>& device, View weight, View bias,
                                          DType compute) {
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

std::unique_ptr<LinearWeights> CudaBackend::doPackLinear(View weight, View bias, DType compute) {
    device();
    return cuda::packLinear(m_device, weight, bias, compute);
}

std::unique_ptr<LinearWeights> CudaBackend::doPackStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                               DType compute) {
    device();
    std::int64_t out = 0;
    for (const auto& p : parts) out += p.out;
    if (parts.size() == 1 && parts[0].format == formatOf(compute) && !parts[0].rowScales)
        return cuda::packLinear(m_device, {const_cast<void*>(parts[0].data), compute, {out, parts[0].in}}, bias,
                                compute);
    auto w = std::make_unique<CudaLinearWeights>();
    w->out = out;
    w->in = parts[0].in;
    w->device = m_device;
    w->type = compute;
    w->packedBias = packBias(m_device, bias, compute);
    w->bytes = w->packedBias.bytes(compute);
    for (const auto& p : parts) {
        w->parts.push_back(uploadPart(m_device, p));
        w->bytes += p.bytes() + (p.rowScales ? std::size_t(p.out) * sizeof(float) : 0);
    }
    return w;
}

void CudaBackend::doLinear(View x, const LinearWeights& weights, View y, const Epilogue& e) {
    Device& device = this->device();
    const auto* w = dynamic_cast<const CudaLinearWeights*>(&weights);
    Buffer copy;
    if (!x.rowStride()) {
        copy = Buffer(device, x.bytes());
        const View dense(copy.data(), x.type, x.shape);
        copyStrided(device, x, dense);
        x = dense;
    }
    const Buffer wide = widened(device, *w);
    productWithEpilogue(device, x, w->in, w->out, (wide ? wide : w->weight).data(), w->packedBias, y, e);
}

void CudaBackend::doBatchedMatmul(View a, View b, View y, bool transposeB, float scale) {
    const std::int64_t m = a.shape[1], k = a.shape[2], n = transposeB ? b.shape[1] : b.shape[2];
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
    multiply(device(), p);
}

}  // namespace meander::kernels::cuda
