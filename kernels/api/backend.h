// A device and the operations it performs: the whole contract between engine and kernels.
//
// One thread owns a Backend: it creates, uses and destroys it, and everything made from it. All operations are ordered
// as called; on an asynchronous device `synchronize` and `download` wait. The public functions check their arguments
// once for all devices and call the virtual do…: a mismatch throws std::invalid_argument with the operation's name, the
// rule and the shapes, the same on every device; a device failure throws DeviceError.
//
// Layout: images (n, h, w, c), tokens (b, t, c), matrices (rows, columns), row-major. Activations are F32 or BF16
// (CUDA: also F16) and all activations of one call have the same type; norm parameters, biases and modulation vectors
// may be F32 whatever the activations are. States of samplers are F32 or F64.
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

// Raised with every change of this file; the table of operations counts by itself (FNV-1a). A module of another version
// is refused, not called.
constexpr int versionOf(const char* operations) {
    std::uint32_t hash = 2166136261u;
    for (; *operations; ++operations) hash = (hash ^ std::uint8_t(*operations)) * 16777619u;
    return int(hash & 0x7fffffffu);
}
#define OPERATION(Name, name, Result, ...) #Result #Name #__VA_ARGS__ ";"
inline constexpr int backendApiVersion = versionOf("3"
#include "kernels/api/operations.inl"
);
#undef OPERATION

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
class Backend;
class LinearWeights {
public:
    virtual ~LinearWeights() = default;
    std::int64_t in = 0, out = 0;
    std::size_t bytes = 0;           // on the device, bias included
    DType compute = DType::F32;      // type of the activations
    const Backend* owner = nullptr;  // the backend that packed them
};
class ConvWeights {
public:
    virtual ~ConvWeights() = default;
    std::int64_t in = 0, out = 0;
    int kernel = 1, stride = 1, padding = 0;
    std::size_t bytes = 0;
    DType compute = DType::F32;
    const Backend* owner = nullptr;
};

struct ConvGeometry {
    int stride = 1;
    int padding = 0;  // zeros on every side
};

// softmax(scale · q kᵀ + keyBias) v, per head.
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

// Which two channels of a head form a pair: neighbours (2i, 2i + 1), or the halves (i, i + n) of an axis of 2n
// channels.
enum class RopePairing : std::uint8_t { Interleaved, HalfSplit };

// y₁ = x₁ cos − x₂ sin, y₂ = x₂ cos + x₁ sin for each pair (x₁, x₂).
struct RopeArgs {
    // (t, p) or (b, t, p) F32: cosine and sine of each token's p angles, which all heads share. p ≤ d/2; channels from
    // 2p on stay as they are.
    View cos, sin;
    RopePairing pairing = RopePairing::Interleaved;
    // Pairs of each axis of the positions (row, column, frame …), one after the other; their sum is p. Half-split pairs
    // lie within an axis. Empty: one axis.
    std::vector<std::int64_t> axes;
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
    // Types that activations can have: F32 and BF16, on some devices F16.
    virtual bool computesIn(DType activations) const { return activations == DType::F32 || activations == DType::BF16; }

    // Memory. Allocation is pooled; contents are undefined. Throws OutOfMemory.
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void release(void* p) noexcept = 0;
    virtual MemoryUse memoryUse() const = 0;
    virtual void resetPeak() = 0;
    virtual void trim() = 0;  // gives pooled memory back to the system
    virtual void synchronize() = 0;

    // The operations.
#define OPERATION(Name, name, Result, ...) Result name(__VA_ARGS__);
#include "kernels/api/operations.inl"
#undef OPERATION

    // Products, convolutions, attention and norms are noted in `trace` until null is given.
    void setTrace(Trace* trace) { m_trace = trace; }

protected:
    // What a device implements: the same operations on arguments that were checked, with at least one element.
#define OPERATION(Name, name, Result, ...) virtual Result do##Name(__VA_ARGS__) = 0;
#include "kernels/api/operations.inl"
#undef OPERATION

private:
    void note(const TracedOp& op) {
        if (m_trace) m_trace->push_back(op);
    }

    Trace* m_trace = nullptr;
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
