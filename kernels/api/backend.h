// A device and the operations it performs: the whole contract between engine and kernels.
//
// One thread owns a Backend: it creates, uses and destroys it, and everything made from it. All operations are ordered
// as called; on an asynchronous device `synchronize` and `download` wait. Arguments are checked; a mismatch throws
// std::invalid_argument with the operation's name and both shapes, a device failure throws DeviceError.
//
// Layout: images (n, h, w, c), tokens (b, t, c), matrices (rows, columns); dense and row-major, except where a comment
// says that rows may be strided: then the elements of the last dimension are neighbours and the rows may lie anywhere
// (View::hasDenseRows). Activations
// are F32 or BF16 (CUDA: also F16) and all activations of one call have the same type; norm parameters, biases and
// modulation vectors may be F32 whatever the activations are. States of samplers are F32 or F64. An output may be the
// same memory as an input only where a comment says "in place".
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/api/error.h"
#include "kernels/api/philox.h"
#include "kernels/api/trace.h"
#include "kernels/api/view.h"
#include "kernels/api/weight_format.h"

namespace meander::kernels {

// Raised with every change of this file: a module of another version is refused, not called.
inline constexpr int backendApiVersion = 2;

enum class Activation : std::uint8_t { None, Silu, GeluErf, GeluTanh, QuickGelu, Relu };

// What happens to a product before it is stored: y = activation(x W^T + bias + rowBias) * multiply * gate + residual,
// every part optional.
struct Epilogue {
    Activation activation = Activation::None;
    View multiply;  // (rows, out): elementwise factor after the activation (gated units: GEGLU, SwiGLU); same type as y
    View gate;      // (groups, out): factor per group of rows (adaLN gates); rows are split evenly among the groups
    View residual;  // same shape as y, added last; may be y itself (in place accumulation)
    View rowBias;  // (groups, out): added before the activation, per group of rows (a convolution's time embedding; one
                   // group per image)
    float residualScale = 1.0f;  // y *= residualScale at the very end (1/output_scale_factor)
};

// A weight matrix or filter in the order the device likes best, made once at load. Holds its bias.
class LinearWeights {
public:
    virtual ~LinearWeights() = default;
    std::int64_t in = 0, out = 0;
    std::size_t bytes = 0;  // on the device, bias included
};
class ConvWeights {
public:
    virtual ~ConvWeights() = default;
    std::int64_t in = 0, out = 0;
    int kernel = 1, stride = 1, padding = 0;
    std::size_t bytes = 0;
};

struct ConvGeometry {
    int stride = 1;
    int padding = 0;  // zeros on every side
};

struct AttentionArgs {
    // (b, tq, heads*d), (b, tk, heads*d), (b, tk, heads*dv). Their rows may be strided: columns of one fused
    // projection.
    View q, k, v;
    int heads = 1;
    float scale = 1.0f;  // of q.k before the softmax, usually 1/sqrt(d)
    bool causal = false;
    View keyBias;        // (b, tk) F32, added to the scores (−inf masks a key); optional
    View probabilities;  // (b, heads, tq, tk) F32; when given the softmax is also written here and nothing else changes
};

enum class Unary : std::uint8_t {
    Copy,
    Silu,
    GeluErf,
    GeluTanh,
    QuickGelu,
    Relu,
    Exp,
    Sqrt,
    Tanh,
    Sin,
    Cos,
    Abs,
    Clamp1
};
enum class Binary : std::uint8_t { Add, Sub, Mul, Div, Min, Max };
enum class Reduction : std::uint8_t { Sum, SumSquares, SumAbs, Min, Max };

struct Term {
    double factor;
    View value;
};

struct MemoryUse {
    std::size_t current = 0, peak = 0;  // bytes allocated through the backend, weights included
    std::size_t total = 0;              // device memory (the machine's for the CPU); 0 when unknown
};

class Backend {
public:
    virtual ~Backend() = default;

    // "cpu", "cuda:0"
    virtual std::string id() const = 0;
    // For people: "CPU · oneDNN 2.6.3 · AVX2 · 2 threads"
    virtual std::string description() const = 0;
    // Types in which linear, conv2d and attention are fast here; F32 always is among them.
    virtual std::vector<DType> fastTypes() const = 0;

    // Memory. Allocation is pooled; contents are undefined. Throws OutOfMemory.
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void release(void* p) noexcept = 0;
    virtual MemoryUse memoryUse() const = 0;
    virtual void resetPeak() = 0;
    virtual void trim() = 0;  // gives pooled memory back to the system
    virtual void upload(const void* host, View to) = 0;
    virtual void download(View from, void* host) = 0;
    // Same type and count; where one of them is not dense, the same shape. Any strides: this is how a view becomes
    // dense.
    virtual void copy(View from, View to) = 0;
    virtual void synchronize() = 0;

    // y = x converted to y's type (F32, F64, F16, BF16 to any of them).
    virtual void convert(View x, View y) = 0;

    // Matrix products. weight (out, in), bias (out) or null, both F32/F16/BF16 in host memory; `compute` is the
    // activation type they will be used with.
    virtual std::unique_ptr<LinearWeights> packLinear(View weight, View bias, DType compute) = 0;
    // The same for weights that stay in the format they are stored in and are widened to `compute` during each product:
    // the rows of `parts` below each other. Every `in` is the same and a whole number of blocks.
    virtual std::unique_ptr<LinearWeights> packStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                            DType compute) = 0;
    // x (rows, in) → y (rows, out). In place with residual only.
    virtual void linear(View x, const LinearWeights& w, View y, const Epilogue& e = {}) = 0;
    // a (b, m, k) · b (b, k, n) [or (b, n, k) when transposeB] → y (b, m, n), scaled.
    virtual void batchedMatmul(View a, View b, View y, bool transposeB, float scale = 1.0f) = 0;

    // Convolution. weight (out, in, k, k) in host memory. x (n, h, w, in) → y (n, h', w', out), h' = (h + 2 padding −
    // k) / stride + 1. `height` and `width` are the expected input extents, used to choose the algorithm; others work
    // too.
    virtual std::unique_ptr<ConvWeights> packConv(View weight, View bias, ConvGeometry g, DType compute, int height,
                                                  int width) = 0;
    virtual void conv2d(View x, const ConvWeights& w, View y, const Epilogue& e = {}) = 0;

    // Norms. gamma and beta (c) may be null.
    // Per image and group of channels; then the activation. x (n, h, w, c).
    virtual void groupNorm(View x, View gamma, View beta, int groups, float eps, Activation a, View y) = 0;
    // Per row over c; then y = norm * (1 + scale) + shift with scale, shift (groups, c), rows split evenly among the
    // groups; null: no modulation.
    virtual void layerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) = 0;
    virtual void rmsNorm(View x, View gamma, float eps, View y) = 0;

    virtual void attention(const AttentionArgs& a, View y) = 0;  // y (b, tq, heads*dv)
    virtual void softmax(View x, View y) = 0;                    // over the last dimension; in place

    // Resampling of images by 2: nearest neighbour up, mean down.
    virtual void upsampleNearest2(View x, View y) = 0;
    virtual void downsampleMean2(View x, View y) = 0;
    // Images (n, h, w, c f f) ↔ (n, h f, w f, c): channel c*f*f + dy*f + dx ↔ pixel (dy, dx), as in PyTorch's
    // pixel_shuffle.
    virtual void pixelShuffle(View x, int factor, View y) = 0;
    virtual void pixelUnshuffle(View x, int factor, View y) = 0;

    // y[r] = table[ids[r]]; ids I32 (rows), table (n, c). Ids outside the table throw.
    virtual void embedding(View ids, View table, View y) = 0;
    // Sinusoids of each of the given times: y (n, dim); frequencies exp(−ln(maxPeriod) i / (dim/2 − shift)); [cos, sin]
    // when cosFirst, else [sin, cos].
    virtual void timestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift,
                                   double maxPeriod, View y) = 0;

    // Elementwise; in place.
    virtual void unary(Unary op, View x, View y) = 0;
    // b has a's shape, or fewer trailing elements that repeat (broadcast along leading dimensions).
    virtual void binary(Binary op, View a, View b, View y) = 0;
    // y[row] = Σ_i factors[i][row] · x_i[row]: per-row coefficients, rows = first dimension. F32 or F64, sums in
    // double.
    virtual void combineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) = 0;
    // y = Σ factor · value over any number of terms of one type (F32, F64, BF16); sums in double, rounded once. In
    // place.
    virtual void combine(std::span<const Term> terms, View y) = 0;
    virtual void fill(View y, double value) = 0;
    // Concatenation of a and b along the last dimension.
    virtual void concatLast(View a, View b, View y) = 0;
    // y = x[..., first : first + y.shape[-1]]
    virtual void sliceLast(View x, std::int64_t first, View y) = 0;
    // (n, c, rest...) ↔ (n, rest..., c)
    virtual void channelsLast(View x, View y) = 0;
    virtual void channelsFirst(View x, View y) = 0;

    // Standard normals: y row i is the stream at addresses[i] (elements in row-major order of the row). F32 or F64.
    virtual void normal(std::span<const NoiseAddress> addresses, View y) = 0;

    // One number per row (first dimension), over everything else; computed in double. `dot` is Σ a·b.
    virtual std::vector<double> reduceRows(Reduction r, View x) = 0;
    virtual std::vector<double> dotRows(View a, View b) = 0;
    // Entropy of attention over keys, averaged over queries: p (b, heads, tq, tk) → (b*heads) values in nats.
    virtual std::vector<double> attentionEntropy(View p) = 0;

    // Expensive operations are noted in `trace` until null is given. A backend that cannot leaves it empty.
    virtual void setTrace(Trace* trace) { (void)trace; }
};

struct CpuOptions {
    int threads = 0;  // 0: all
};
std::unique_ptr<Backend> createCpuBackend(const CpuOptions& options = {});

// The CUDA backend is a module loaded when first asked for. On failure the result is null and `why` a sentence with
// cause and remedy.
struct CudaProbe {
    std::unique_ptr<Backend> backend;
    std::string why;
};
CudaProbe createCudaBackend(int device, const std::string& moduleFolder = {});

}  // namespace meander::kernels
