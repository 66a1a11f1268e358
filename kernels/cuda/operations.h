// The operations of the module, one declaration each, grouped by the file that implements them. Contracts:
// kernels/api/backend.h.
#pragma once
#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

// elementwise.cu
void convert(Device&, View x, View y);
void unary(Device&, Unary op, View x, View y);
void binary(Device&, Binary op, View a, View b, View y);
void fill(Device&, View y, double value);

// combine.cu
void combine(Device&, std::span<const Term> terms, View y);
void combineRows(Device&, std::span<const View> values, std::span<const std::vector<double>> factors, View y);

// layout.cu
void copyStrided(Device&, View from, View to);
void concatLast(Device&, View a, View b, View y);
void sliceLast(Device&, View x, std::int64_t first, View y);
void channelsLast(Device&, View x, View y);
void channelsFirst(Device&, View x, View y);

// resample.cu
void upsampleNearest2(Device&, View x, View y);
void downsampleMean2(Device&, View x, View y);
void pixelShuffle(Device&, View x, int factor, View y);
void pixelUnshuffle(Device&, View x, int factor, View y);

// group_norm.cu, row_norm.cu
void groupNorm(Device&, View x, View gamma, View beta, int groups, float eps, Activation a, View y);
void layerNorm(Device&, View x, View gamma, View beta, float eps, View scale, View shift, View y);
void rmsNorm(Device&, View x, View gamma, float eps, View y);

// softmax.cu
void softmax(Device&, View x, View y);
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

// attention.cpp, flash.cu
void attention(Device&, const AttentionArgs& a, View y);
// The tiled kernel: half types, heads up to 160 wide, no probabilities. False when it does not apply.
bool flashAttention(Device&, const AttentionArgs& a, View y);

// embedding.cu
void embedding(Device&, View ids, View table, View y);
void timestepEmbedding(Device&, std::span<const double> times, int dim, bool cosFirst, double shift, double maxPeriod,
                       View y);

// noise.cu
void normal(Device&, std::span<const NoiseAddress> addresses, View y);

// reduce.cu
std::vector<double> reduceRows(Device&, Reduction r, View x);
std::vector<double> dotRows(Device&, View a, View b);
std::vector<double> attentionEntropy(Device&, View p);

// epilogue.cu: y = (activation(product + bias + rowBias) * multiply * gate + residual) * residualScale; `product` may
// be y.
void applyEpilogue(Device&, const void* product, View bias, const Epilogue& e, View y);
void checkEpilogue(const char* operation, const Epilogue& e, const View& y);

// unfold.cu
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
std::unique_ptr<LinearWeights> packStoredLinear(const std::shared_ptr<Device>&, std::span<const WeightMatrix> parts,
                                                View bias, DType compute);
void linear(Device&, View x, const LinearWeights& w, View y, const Epilogue& e);
void batchedMatmul(Device&, View a, View b, View y, bool transposeB, float scale);

// stored_weights.cu: the values of a matrix on the device, (out, in) of an activation type.
void widenWeights(Device&, const WeightMatrix& w, void* to, DType type);

// convolution.cpp
std::unique_ptr<ConvWeights> packConv(const std::shared_ptr<Device>&, View weight, View bias, ConvGeometry g,
                                      DType compute);
void conv2d(Device&, View x, const ConvWeights& w, View y, const Epilogue& e);

}  // namespace meander::kernels::cuda
