// Forwarding: see cuda_backend.h.
#include "kernels/cuda/cuda_backend.h"

#include "kernels/cuda/checks.h"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {

std::string CudaBackend::id() const { return "cuda:" + std::to_string(m_device->index()); }

std::string CudaBackend::description() const {
    const int capability = m_device->computeCapability();
    return "CUDA · " + m_device->name() + " · compute " + std::to_string(capability / 10) + "."
           + std::to_string(capability % 10) + " · cuBLASLt " + m_device->lt().version
           + (m_device->cudnn() ? " · cuDNN " + m_device->cudnn()->version : " · without cuDNN");
}

std::vector<DType> CudaBackend::fastTypes() const {
    if (m_device->computeCapability() >= 80) return {DType::BF16, DType::F16, DType::F32};
    return {DType::F16, DType::F32};
}

void* CudaBackend::allocate(std::size_t bytes) { return device().allocate(bytes); }
void CudaBackend::release(void* p) noexcept { m_device->release(p); }
MemoryUse CudaBackend::memoryUse() const { return m_device->memoryUse(); }
void CudaBackend::resetPeak() { m_device->resetPeak(); }
void CudaBackend::trim() { device().trim(); }
void CudaBackend::upload(const void* host, View to) { device().upload(host, to.data, to.bytes()); }
void CudaBackend::download(View from, void* host) { device().download(from.data, host, from.bytes()); }
void CudaBackend::synchronize() { device().synchronize(); }

void CudaBackend::copy(View from, View to) {
    require(from.type == to.type && from.count() == to.count(), "copy", "both have the same type and count", from, to);
    Device& d = device();
    if (!from.isDense() || !to.isDense()) return cuda::copyStrided(d, from, to);
    if (from.bytes() && from.data != to.data)
        check(cudaMemcpyAsync(to.data, from.data, from.bytes(), cudaMemcpyDeviceToDevice, d.stream()),
              "data were copied on it");
}

void CudaBackend::convert(View x, View y) { cuda::convert(device(), x, y); }

std::unique_ptr<LinearWeights> CudaBackend::packLinear(View weight, View bias, DType compute) {
    device();
    return cuda::packLinear(m_device, weight, bias, compute);
}
std::unique_ptr<LinearWeights> CudaBackend::packStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                             DType compute) {
    device();
    return cuda::packStoredLinear(m_device, parts, bias, compute);
}
void CudaBackend::linear(View x, const LinearWeights& w, View y, const Epilogue& e) {
    cuda::linear(device(), x, w, y, e);
}
void CudaBackend::batchedMatmul(View a, View b, View y, bool transposeB, float scale) {
    cuda::batchedMatmul(device(), a, b, y, transposeB, scale);
}

// The algorithm is chosen at the first image of each size, not here: the expected extents are of no use.
std::unique_ptr<ConvWeights> CudaBackend::packConv(View weight, View bias, ConvGeometry g, DType compute, int, int) {
    device();
    return cuda::packConv(m_device, weight, bias, g, compute);
}
void CudaBackend::conv2d(View x, const ConvWeights& w, View y, const Epilogue& e) {
    cuda::conv2d(device(), x, w, y, e);
}

void CudaBackend::groupNorm(View x, View gamma, View beta, int groups, float eps, Activation a, View y) {
    cuda::groupNorm(device(), x, gamma, beta, groups, eps, a, y);
}
void CudaBackend::layerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) {
    cuda::layerNorm(device(), x, gamma, beta, eps, scale, shift, y);
}
void CudaBackend::rmsNorm(View x, View gamma, float eps, View y) { cuda::rmsNorm(device(), x, gamma, eps, y); }
void CudaBackend::attention(const AttentionArgs& a, View y) { cuda::attention(device(), a, y); }
void CudaBackend::softmax(View x, View y) { cuda::softmax(device(), x, y); }
void CudaBackend::upsampleNearest2(View x, View y) { cuda::upsampleNearest2(device(), x, y); }
void CudaBackend::downsampleMean2(View x, View y) { cuda::downsampleMean2(device(), x, y); }
void CudaBackend::pixelShuffle(View x, int factor, View y) { cuda::pixelShuffle(device(), x, factor, y); }
void CudaBackend::pixelUnshuffle(View x, int factor, View y) { cuda::pixelUnshuffle(device(), x, factor, y); }
void CudaBackend::embedding(View ids, View table, View y) { cuda::embedding(device(), ids, table, y); }
void CudaBackend::timestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift,
                                    double maxPeriod, View y) {
    cuda::timestepEmbedding(device(), times, dim, cosFirst, shift, maxPeriod, y);
}
void CudaBackend::unary(Unary op, View x, View y) { cuda::unary(device(), op, x, y); }
void CudaBackend::binary(Binary op, View a, View b, View y) { cuda::binary(device(), op, a, b, y); }
void CudaBackend::combineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) {
    cuda::combineRows(device(), values, factors, y);
}
void CudaBackend::combine(std::span<const Term> terms, View y) { cuda::combine(device(), terms, y); }
void CudaBackend::fill(View y, double value) { cuda::fill(device(), y, value); }
void CudaBackend::concatLast(View a, View b, View y) { cuda::concatLast(device(), a, b, y); }
void CudaBackend::sliceLast(View x, std::int64_t first, View y) { cuda::sliceLast(device(), x, first, y); }
void CudaBackend::channelsLast(View x, View y) { cuda::channelsLast(device(), x, y); }
void CudaBackend::channelsFirst(View x, View y) { cuda::channelsFirst(device(), x, y); }
void CudaBackend::normal(std::span<const NoiseAddress> addresses, View y) { cuda::normal(device(), addresses, y); }
std::vector<double> CudaBackend::reduceRows(Reduction r, View x) { return cuda::reduceRows(device(), r, x); }
std::vector<double> CudaBackend::dotRows(View a, View b) { return cuda::dotRows(device(), a, b); }
std::vector<double> CudaBackend::attentionEntropy(View p) { return cuda::attentionEntropy(device(), p); }

}  // namespace meander::kernels::cuda
