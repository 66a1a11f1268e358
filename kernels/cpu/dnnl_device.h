// oneDNN where it is faster than our own loops: Winograd convolutions in F32 and everything in BF16, both on processors
// with AVX-512. A primitive computes the sums (and the bias is left to the epilogue); images are computed one by one,
// so an image has the same bits in any batch.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "kernels/api/backend.h"
#include "kernels/cpu/dnnl_shim.h"
#include "kernels/cpu/memory_pool.h"

namespace meander::kernels {

// A weight in the order a primitive likes, in memory of the backend's pool.
struct DnnlWeight {
    dnnl::memory::desc desc;
    Scratch<char> data;
};

class DnnlLinear final : public LinearWeights {
public:
    DnnlLinear(DnnlWeight w, std::vector<float> bias, DType compute)
        : weight(std::move(w)), m_bias(std::move(bias)), m_compute(compute) {}
    const float* bias() const { return m_bias.empty() ? nullptr : m_bias.data(); }
    DType compute() const { return m_compute; }
    DnnlWeight weight;

private:
    std::vector<float> m_bias;
    DType m_compute;
};

class DnnlConv final : public ConvWeights {
public:
    DnnlConv(DnnlWeight w, std::vector<float> bias, DType compute, dnnl::algorithm a)
        : weight(std::move(w)), algorithm(a), m_bias(std::move(bias)), m_compute(compute) {}
    const float* bias() const { return m_bias.empty() ? nullptr : m_bias.data(); }
    DType compute() const { return m_compute; }
    DnnlWeight weight;
    dnnl::algorithm algorithm;
    std::int64_t height = 0, width = 0;  // extents of the input that the order of the weights was chosen for

private:
    std::vector<float> m_bias;
    DType m_compute;
};

class DnnlDevice {
public:
    DnnlDevice();

    bool hasAvx512() const { return m_hasAvx512; }
    bool hasBf16() const { return m_hasBf16; }
    // Whether products in bf16 gain at least a quarter over f32: some processors have the instructions and run them at
    // half the speed. Measured once (about 20 ms), then remembered.
    bool isBf16Faster();
    // MEANDER_CPU_DNNL=1 in the environment asks for oneDNN wherever it can (for tests on any processor), 0 for our own
    // loops only.
    bool isForced() const { return m_isForced; }

    // Null when oneDNN has no such primitive here.
    std::unique_ptr<DnnlLinear> packLinear(MemoryPool& pool, int threads, const View& w, const std::vector<float>& bias,
                                           DType compute);
    std::unique_ptr<DnnlConv> packConv(MemoryPool& pool, int threads, const View& w, const std::vector<float>& bias,
                                       ConvGeometry g, DType compute, int height, int width);
    // sums (rows, out) in F32.
    void linear(MemoryPool& pool, const void* x, std::int64_t rows, const DnnlLinear& w, float* sums);
    // sums (h', w', out) of one image (h, w, in).
    void conv(MemoryPool& pool, const void* x, std::int64_t height, std::int64_t width, const DnnlConv& w, float* sums);

private:
    // A primitive for a weight and the extents of the activations, with where its weight comes from when the packed
    // order does not suit it.
    struct Prepared {
        dnnl::primitive primitive;
        dnnl::memory::desc src, weights, dst, scratchpad;
    };
    using Key = std::vector<std::int64_t>;

    const Prepared& preparedLinear(std::int64_t rows, const DnnlLinear& w);
    const Prepared& preparedConv(std::int64_t height, std::int64_t width, const DnnlConv& w);
    const Prepared& remember(const Key& key, Prepared p);
    // Whether oneDNN computes a convolution of these extents with the weights as they are packed.
    bool accepts(std::int64_t height, std::int64_t width, const DnnlConv& w);
    void convWhole(MemoryPool& pool, const void* x, std::int64_t height, std::int64_t width, const DnnlConv& w,
                   float* sums);
    void convInTiles(MemoryPool& pool, const float* x, std::int64_t height, std::int64_t width, const DnnlConv& w,
                     float* sums);
    // From a dense weight of extents and order as in `plain` to the order `chosen`.
    DnnlWeight reordered(MemoryPool& pool, int threads, const View& w, const dnnl::memory::dims& extents,
                         dnnl::memory::format_tag order, const dnnl::memory::desc& chosen, DType compute);
    void execute(MemoryPool& pool, const Prepared& p, const DnnlWeight& weight, const void* x, float* sums);
    double productSeconds(dnnl::memory::data_type type);

    dnnl::engine m_engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream m_stream{m_engine};
    std::map<Key, Prepared> m_prepared;
    std::set<Key> m_refused;
    std::optional<bool> m_isBf16Faster;
    bool m_hasAvx512 = false, m_hasBf16 = false, m_isForced = false;
};

}  // namespace meander::kernels
