// Convolution of channels-last images, three ways, best first:
//  - 1 x 1 without stride or padding is a linear layer over pixels, with the whole epilogue of one;
//  - cuDNN (cudnnConvolutionForward, the algorithm its heuristic names first for the extents at hand), then one
//    elementwise pass for bias, time embedding, activation and residual;
//  - without cuDNN: neighbourhoods unfolded into rows, tile by tile, times the filter by cuBLASLt, then the same pass.
//
// cuDNN's older interface is used on purpose: it needs no C++ front end on the build machine, and its two calls can be
// read.
#include "kernels/cuda/convolution.h"

#include <algorithm>
#include <limits>

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr std::size_t mostWorkspace = std::size_t(1) << 30, mostUnfolded = std::size_t(128) << 20, mostPlans = 1024;

struct CudaConvWeights final : ConvWeights {
    std::shared_ptr<Device> device;
    DType type = DType::F32;
    Buffer filter;  // (out, k, k, in)
    PackedBias packedBias;
};

void unfoldAndMultiply(Device& device, View x, const CudaConvWeights& w, std::int64_t outHeight, std::int64_t outWidth,
                       void* y) {
    const Im2col u{x.shape[1], x.shape[2], w.in, outHeight, outWidth, w.kernel, w.stride, w.padding};
    const std::int64_t pixels = x.shape[0] * outHeight * outWidth, perPixel = w.in * w.kernel * w.kernel;
    const std::size_t rowBytes = std::size_t(perPixel) * sizeOf(x.type);
    const std::int64_t tile = std::clamp<std::int64_t>(std::int64_t(mostUnfolded / rowBytes), 1, pixels);
    const Buffer rows(device, std::size_t(tile) * rowBytes);
    for (std::int64_t first = 0; first < pixels; first += tile) {
        const std::int64_t count = std::min(tile, pixels - first);
        im2col(device, x, u, first, count, rows.data());
        Product p;
        p.m = count;
        p.n = w.out;
        p.k = perPixel;
        p.a = {rows.data(), perPixel};
        p.b = {w.filter.data(), perPixel};
        p.d = {static_cast<char*>(y) + std::size_t(first * w.out) * sizeOf(x.type), w.out};
        p.transposeB = true;
        p.input = p.output = x.type;
        multiply(device, p);
    }
}

bool isPlain(const Epilogue& e) {
    return e.activation == Activation::None && !e.multiply && !e.gate && !e.residual && !e.rowBias
           && e.residualScale == 1.0f;
}

}  // namespace

bool ConvolutionPlans::describe(const ConvolutionShape& s, Plan& plan) const {
    const Cudnn& dnn = *m_device.cudnn();
    const cudnnDataType_t type = s.type == DType::F32   ? CUDNN_DATA_FLOAT
                                 : s.type == DType::F16 ? CUDNN_DATA_HALF
                                                        : CUDNN_DATA_BFLOAT16;
    cudnnTensorDescriptor_t x = nullptr, y = nullptr;
    cudnnFilterDescriptor_t filter = nullptr;
    cudnnConvolutionDescriptor_t convolution = nullptr;
    if (dnn.createTensorDescriptor(&x) != CUDNN_STATUS_SUCCESS) return false;
    plan.x = {x, dnn.destroyTensorDescriptor};
    if (dnn.createTensorDescriptor(&y) != CUDNN_STATUS_SUCCESS) return false;
    plan.y = {y, dnn.destroyTensorDescriptor};
    if (dnn.createFilterDescriptor(&filter) != CUDNN_STATUS_SUCCESS) return false;
    plan.filter = {filter, dnn.destroyFilterDescriptor};
    if (dnn.createConvolutionDescriptor(&convolution) != CUDNN_STATUS_SUCCESS) return false;
    plan.convolution = {convolution, dnn.destroyConvolutionDescriptor};
    // Extents are given in the order n, c, h, w whatever the memory's order is.
    return dnn.setTensor4dDescriptor(x, CUDNN_TENSOR_NHWC, type, s.images, s.in, s.height, s.width)
               == CUDNN_STATUS_SUCCESS
           && dnn.setTensor4dDescriptor(y, CUDNN_TENSOR_NHWC, type, s.images, s.out, s.outHeight, s.outWidth)
                  == CUDNN_STATUS_SUCCESS
           && dnn.setFilter4dDescriptor(filter, type, CUDNN_TENSOR_NHWC, s.out, s.in, s.kernel, s.kernel)
                  == CUDNN_STATUS_SUCCESS
           && dnn.setConvolution2dDescriptor(convolution, s.padding, s.padding, s.stride, s.stride, 1, 1,
                                             CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT)
                  == CUDNN_STATUS_SUCCESS
           &&
           // Without FMA_MATH cuDNN would round F32 to TF32.
           dnn.setConvolutionMathType(convolution, s.type == DType::F32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH)
               == CUDNN_STATUS_SUCCESS;
}

bool ConvolutionPlans::choose(const ConvolutionShape& s, Plan& plan) const {
    const Cudnn& dnn = *m_device.cudnn();
    cudnnConvolutionFwdAlgoPerf_t offers[CUDNN_CONVOLUTION_FWD_ALGO_COUNT]{};
    int count = 0;
    if (dnn.getForwardAlgorithm(m_device.cudnnHandle(), plan.x.get(), plan.filter.get(), plan.convolution.get(),
                                plan.y.get(), CUDNN_CONVOLUTION_FWD_ALGO_COUNT, &count, offers)
        != CUDNN_STATUS_SUCCESS)
        return false;
    for (int i = 0; i < count; ++i) {
        if (offers[i].status != CUDNN_STATUS_SUCCESS || offers[i].memory > mostWorkspace) continue;
        if (s.type == DType::F32
            && (offers[i].mathType == CUDNN_TENSOR_OP_MATH
                || offers[i].mathType == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION))
            continue;
        if (s.type != DType::F32
            && dnn.setConvolutionMathType(plan.convolution.get(), offers[i].mathType) != CUDNN_STATUS_SUCCESS)
            continue;
        std::size_t bytes = 0;
        if (dnn.getForwardWorkspaceSize(m_device.cudnnHandle(), plan.x.get(), plan.filter.get(), plan.convolution.get(),
                                        plan.y.get(), offers[i].algo, &bytes)
                != CUDNN_STATUS_SUCCESS
            || bytes > mostWorkspace)
            continue;
        plan.algorithm = offers[i].algo;
        plan.workspace = bytes;
        return true;
    }
    return false;
}

ConvolutionPlans::Plan ConvolutionPlans::make(const ConvolutionShape& s) const {
    Plan plan;
    plan.isPossible = describe(s, plan) && choose(s, plan);
    return plan;
}

bool ConvolutionPlans::run(const ConvolutionShape& s, const void* x, const void* filter, void* y) {
    const auto isAligned = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; };
    if (!m_device.cudnn() || !isAligned(x) || !isAligned(y)) return false;
    const std::array<int, 11> key{s.images,   s.height, s.width,  s.in,      s.out,      s.outHeight,
                                  s.outWidth, s.kernel, s.stride, s.padding, int(s.type)};
    auto found = m_plans.find(key);
    if (found == m_plans.end()) {
        if (m_plans.size() >= mostPlans) m_plans.clear();
        found = m_plans.emplace(key, make(s)).first;
    }
    Plan& plan = found->second;
    if (!plan.isPossible) return false;
    const Buffer workspace(m_device, plan.workspace);
    const float one = 1.0f, zero = 0.0f;
    const Cudnn& dnn = *m_device.cudnn();
    const cudnnStatus_t status = dnn.convolutionForward(
        m_device.cudnnHandle(), &one, plan.x.get(), x, plan.filter.get(), filter, plan.convolution.get(),
        plan.algorithm, workspace.data(), plan.workspace, &zero, plan.y.get(), y);
    if (status == CUDNN_STATUS_SUCCESS) return true;
    if (status >= CUDNN_STATUS_BAD_PARAM
        && status < CUDNN_STATUS_EXECUTION_FAILED) {  // promised, not kept, nothing ran: the other way from now on
        plan.isPossible = false;
        return false;
    }
    throw DeviceError(std::string("cuDNN failed while a convolution ran: ") + dnn.getErrorString(status)
                      + ". Save your work and start the program again; if it happens again choose the CPU.");
}

// The algorithm is chosen at the first image of each size, not here: the expected extents are of no use.
std::unique_ptr<ConvWeights> CudaBackend::doPackConv(View weight, View bias, ConvGeometry g, DType compute, int, int) {
    device();
    auto w = std::make_unique<CudaConvWeights>();
    w->out = weight.shape[0];
    w->in = weight.shape[1];
    w->kernel = int(weight.shape[2]);
    w->stride = g.stride;
    w->padding = g.padding;
    w->device = m_device;
    w->type = compute;
    w->filter = Buffer(m_device, std::size_t(weight.count()) * sizeOf(compute));
    const Buffer raw(*m_device, weight.bytes());
    m_device->upload(weight.data, raw.data(), weight.bytes());
    packFilter(*m_device, {raw.data(), weight.type, weight.shape}, w->filter.data(), compute);
    w->packedBias = packBias(m_device, bias, compute);
    w->bytes = std::size_t(weight.count()) * sizeOf(compute) + w->packedBias.bytes(compute);
    return w;
}

void CudaBackend::doConv2d(View x, const ConvWeights& weights, View y, const Epilogue& e) {
    Device& device = this->device();
    const auto* w = dynamic_cast<const CudaConvWeights*>(&weights);
    if (w->kernel == 1 && w->stride == 1 && w->padding == 0)
        return productWithEpilogue(device, x, w->in, w->out, w->filter.data(), w->packedBias, y, e);

    Buffer aside;  // the product must not overwrite what the epilogue still reads
    if (sharesMemory(e, y)) aside = Buffer(device, y.bytes());
    void* product = aside ? aside.data() : y.data;
    bool isDone = false;
    if (x.count() <= std::numeric_limits<int>::max() && y.count() <= std::numeric_limits<int>::max()) {
        const ConvolutionShape s{int(x.shape[0]), int(x.shape[1]), int(x.shape[2]), int(w->in),
                                 int(w->out),     int(y.shape[1]), int(y.shape[2]), w->kernel,
                                 w->stride,       w->padding,      x.type};
        isDone = device.convolutionPlans().run(s, x.data, w->filter.data(), product);
    }
    if (!isDone) unfoldAndMultiply(device, x, *w, y.shape[1], y.shape[2], product);
    if (w->packedBias || !isPlain(e)) applyEpilogue(device, product, y.type, w->packedBias.view(), e, y);
}

}  // namespace meander::kernels::cuda
