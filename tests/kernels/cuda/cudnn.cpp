// cuDNN's convolution by plain loops, as far as kernels/cuda uses it.
#include <cudnn.h>

#include <cstring>

#include "tests/kernels/cuda/numbers.h"

using namespace meander::emulator;

struct cudnnTensorStruct {
    cudnnTensorFormat_t format;
    DType type;
    std::int64_t images, channels, height, width;
};
struct cudnnFilterStruct {
    cudnnTensorFormat_t format;
    DType type;
    std::int64_t out, in, height, width;
};
struct cudnnConvolutionStruct {
    int padding[2], stride[2], dilation[2];
    cudnnConvolutionMode_t mode;
    cudnnDataType_t compute;
    cudnnMathType_t math;
};

namespace {
constexpr std::size_t workspaceSize = 4096;
long convolutions = 0;

DType typeOf(cudnnDataType_t t) {
    return t == CUDNN_DATA_FLOAT ? DType::F32 : t == CUDNN_DATA_HALF ? DType::F16 : DType::BF16;
}
std::vector<double> numbers(const void* p, DType type, std::int64_t count) {
    std::vector<double> all(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) all[std::size_t(i)] = numberAt(p, type, i);
    return all;
}
template <class T> cudnnStatus_t made(T** p) {
    *p = new T{};
    return CUDNN_STATUS_SUCCESS;
}
template <class T> cudnnStatus_t destroyed(T* p) {
    delete p;
    return CUDNN_STATUS_SUCCESS;
}
}  // namespace

extern "C" {

long meanderEmulatedConvolutions() { return convolutions; }

cudnnStatus_t cudnnCreate(cudnnHandle_t* h) {
    *h = reinterpret_cast<cudnnHandle_t>(std::uintptr_t(1));
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t) { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }
std::size_t cudnnGetVersion() { return 91000; }
const char* cudnnGetErrorString(cudnnStatus_t) { return "an error of the emulated library"; }

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* d) { return made(d); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d) { return destroyed(d); }
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t f, cudnnDataType_t t, int n,
                                         int c, int h, int w) {
    *d = {f, typeOf(t), n, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* d) { return made(d); }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t d) { return destroyed(d); }
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t t, cudnnTensorFormat_t f, int k,
                                         int c, int h, int w) {
    *d = {f, typeOf(t), k, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* d) { return made(d); }
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t d) { return destroyed(d); }
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t d, int padH, int padW, int strideH,
                                              int strideW, int dilationH, int dilationW, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t compute) {
    *d = {{padH, padW}, {strideH, strideW}, {dilationH, dilationW}, mode, compute, CUDNN_DEFAULT_MATH};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math) {
    d->math = math;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
                                                     cudnnConvolutionDescriptor_t c, cudnnTensorDescriptor_t, int,
                                                     int* found, cudnnConvolutionFwdAlgoPerf_t* offers) {
    offers[0] = {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_STATUS_SUCCESS, 1, workspaceSize, c->math};
    *found = 1;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
                                                      cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t,
                                                      cudnnConvolutionFwdAlgo_t, std::size_t* bytes) {
    *bytes = workspaceSize;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void* alpha, cudnnTensorDescriptor_t dx, const void* x,
                                      cudnnFilterDescriptor_t dw, const void* w, cudnnConvolutionDescriptor_t c,
                                      cudnnConvolutionFwdAlgo_t, void* workspace, std::size_t workspaceBytes,
                                      const void* beta, cudnnTensorDescriptor_t dy, void* y) {
    ++convolutions;
    const auto extent = [&](std::int64_t in, std::int64_t kernel, int axis) {
        return (in + 2 * c->padding[axis] - kernel) / c->stride[axis] + 1;
    };
    if (dx->format != CUDNN_TENSOR_NHWC || dy->format != CUDNN_TENSOR_NHWC || dw->format != CUDNN_TENSOR_NHWC
        || dx->channels != dw->in || dy->channels != dw->out || dx->images != dy->images
        || dy->height != extent(dx->height, dw->height, 0) || dy->width != extent(dx->width, dw->width, 1)
        || c->compute != CUDNN_DATA_FLOAT || c->mode != CUDNN_CROSS_CORRELATION || c->dilation[0] != 1
        || (dx->type == DType::F32) != (c->math == CUDNN_FMA_MATH) || workspaceBytes < workspaceSize)
        return CUDNN_STATUS_BAD_PARAM;
    std::memset(workspace, 0x77, workspaceBytes);
    const double scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
    const auto pixels = numbers(x, dx->type, dx->images * dx->height * dx->width * dx->channels),
               filter = numbers(w, dw->type, dw->out * dw->height * dw->width * dw->in);
    std::vector<double> patch(std::size_t(dw->height * dw->width * dw->in));
    std::int64_t at = 0;
    for (std::int64_t n = 0; n < dy->images; ++n)
        for (std::int64_t row = 0; row < dy->height; ++row)
            for (std::int64_t column = 0; column < dy->width; ++column) {
                double* to = patch.data();
                for (std::int64_t r = 0; r < dw->height; ++r)
                    for (std::int64_t q = 0; q < dw->width; ++q, to += dw->in) {
                        const std::int64_t fromY = row * c->stride[0] - c->padding[0] + r,
                                           fromX = column * c->stride[1] - c->padding[1] + q;
                        const bool isInside = fromY >= 0 && fromX >= 0 && fromY < dx->height && fromX < dx->width;
                        for (std::int64_t i = 0; i < dw->in; ++i)
                            to[i] =
                                isInside
                                    ? pixels[std::size_t(((n * dx->height + fromY) * dx->width + fromX) * dw->in + i)]
                                    : 0.0;
                    }
                const auto length = std::int64_t(patch.size());
                for (std::int64_t k = 0; k < dw->out; ++k, ++at) {
                    double v = scale * dot(patch.data(), filter.data() + k * length, length);
                    if (keep != 0) v += keep * numberAt(y, dy->type, at);
                    setNumber(y, dy->type, at, v);
                }
            }
    return CUDNN_STATUS_SUCCESS;
}
}
