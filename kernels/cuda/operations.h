// What the files of this module use of each other, grouped by the file that implements it. (The operations themselves
// are CudaBackend's do… functions, in the file of their group.)
#pragma once
#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

// elementwise.cu
void convert(Device&, View x, View y);

// layout.cu: any strides, one shape.
void copyStrided(Device&, View from, View to);

// softmax.cu
// Scores of one or more heads to probabilities: row r of `rows` belongs to query firstQuery + r % queries; keys after
// the query are masked when causal; `bias` (keys) F32 or null is added. scores F32 → probabilities of any activation
// type, in place where the types agree; `copy` (F32, same layout), when given, receives them too.
struct SoftmaxMask {
    const float* keyBias = nullptr;
    bool causal = false;
    std::int64_t firstQuery = 0, queries = 0;
};
void softmaxScores(Device&, const float* scores, std::int64_t rows, std::int64_t keys, const SoftmaxMask& mask,
                   void* probabilities, DType type, float* copy);

// flash.cu: the tiled kernel: half types, heads up to 160 wide, no probabilities. False when it does not apply.
bool flashAttention(Device&, const AttentionArgs& a, View y);

// epilogue.cu: y = (activation(product + bias + rowBias) * multiply * gate + residual) * residualScale; `product` may
// be y.
void applyEpilogue(Device&, const void* product, DType type, View bias, const Epilogue& e, View y);

// im2col.cu
// Filter (out, in, k, k) of any type, on the device → (out, k, k, in) of `type`.
void packFilter(Device&, View weight, void* packed, DType type);
// Pixels' neighbourhoods as rows (pixel, k*k*in), for the output pixels first .. first + count - 1 of all images in
// order.
struct Im2col {
    std::int64_t height, width, channels, outHeight, outWidth;
    int kernel, stride, padding;
};
void im2col(Device&, View x, const Im2col& u, std::int64_t first, std::int64_t count, void* rows);

// linear.cpp
std::unique_ptr<LinearWeights> packLinear(const std::shared_ptr<Device>&, View weight, View bias, DType compute);

// stored_weights.cu: the values of a matrix on the device, (out, in) of an activation type.
void widenWeights(Device&, const WeightMatrix& w, void* to, DType type);

}  // namespace meander::kernels::cuda
