// The CPU: own vectorised loops, and oneDNN where it is faster (see conv2d and linear).
#pragma once
#include <optional>

#include "kernels/api/backend.h"
#include "kernels/cpu/loops.h"
#include "kernels/cpu/memory_pool.h"

namespace meander::kernels {

// F32 copies of a vector parameter when it is not F32 already.
class FloatVector {
public:
    FloatVector(const Loops& loops, MemoryPool& pool, const View& v);
    const float* data() const { return m_data; }

private:
    std::optional<Scratch<float>> m_copy;
    const float* m_data = nullptr;
};

struct Product;
struct ResolvedEpilogue;
class DnnlConv;
class DnnlLinear;
class DnnlDevice;

class CpuBackend final : public Backend {
public:
    explicit CpuBackend(const CpuOptions& options);
    ~CpuBackend() override;

    std::string id() const override { return "cpu"; }
    std::string description() const override;
    std::vector<DType> fastTypes() const override;

    void* allocate(std::size_t bytes) override { return m_pool.allocate(bytes); }
    void release(void* p) noexcept override { m_pool.release(p); }
    MemoryUse memoryUse() const override { return m_pool.use(); }
    void resetPeak() override { m_pool.resetPeak(); }
    void trim() override { m_pool.trim(); }
    MemoryPool& pool() { return m_pool; }
    void upload(const void* host, View to) override;
    void download(View from, void* host) override;
    void copy(View from, View to) override;
    void synchronize() override {}
    void convert(View x, View y) override;

    std::unique_ptr<LinearWeights> packLinear(View weight, View bias, DType compute) override;
    std::unique_ptr<LinearWeights> packStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                    DType compute) override;
    void linear(View x, const LinearWeights& w, View y, const Epilogue& e) override;
    void batchedMatmul(View a, View b, View y, bool transposeB, float scale) override;
    std::unique_ptr<ConvWeights> packConv(View weight, View bias, ConvGeometry g, DType compute, int height,
                                          int width) override;
    void conv2d(View x, const ConvWeights& w, View y, const Epilogue& e) override;

    void groupNorm(View x, View gamma, View beta, int groups, float eps, Activation a, View y) override;
    void layerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) override;
    void rmsNorm(View x, View gamma, float eps, View y) override;
    void attention(const AttentionArgs& a, View y) override;
    void softmax(View x, View y) override;

    void upsampleNearest2(View x, View y) override;
    void downsampleMean2(View x, View y) override;
    void pixelShuffle(View x, int factor, View y) override;
    void pixelUnshuffle(View x, int factor, View y) override;
    void embedding(View ids, View table, View y) override;
    void timestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift, double maxPeriod,
                           View y) override;

    void unary(Unary op, View x, View y) override;
    void binary(Binary op, View a, View b, View y) override;
    void combineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) override;
    void combine(std::span<const Term> terms, View y) override;
    void fill(View y, double value) override;
    void concatLast(View a, View b, View y) override;
    void sliceLast(View x, std::int64_t first, View y) override;
    void channelsLast(View x, View y) override;
    void channelsFirst(View x, View y) override;
    void normal(std::span<const NoiseAddress> addresses, View y) override;
    std::vector<double> reduceRows(Reduction r, View x) override;
    std::vector<double> dotRows(View a, View b) override;
    std::vector<double> attentionEntropy(View p) override;
    void setTrace(Trace* trace) override { m_trace = trace; }

private:
    FloatVector floats(const View& v) { return FloatVector(m_loops, m_pool, v); }
    // x itself, or its conversion in `room`.
    const float* asFloats(const View& x, float* room);
    void copyStrided(const View& from, const View& to);
    // (outer, c, inner) → (outer, inner, c)
    void transposeInner(const View& x, std::int64_t outer, std::int64_t c, std::int64_t inner, View y);

    // Whether oneDNN is the faster one for this weight, by rule and not by stopwatch: two runs must give the same bits.
    bool prefersDnnlLinear(DType compute, std::int64_t in, std::int64_t out) const;
    bool prefersDnnlConv(DType compute, const Shape& weight, const ConvGeometry& g, int height, int width) const;
    void linearByDnnl(const View& x, const DnnlLinear& w, const ResolvedEpilogue& e);
    void convByDnnl(const View& x, const DnnlConv& w, const ResolvedEpilogue& e);
    // Applies an epilogue to rows of sums that are in memory (possibly y's own).
    void applyEpilogue(const float* sums, std::int64_t firstRow, std::int64_t rows, const ResolvedEpilogue& e);
    void note(TracedKind kind, DType type, std::initializer_list<std::int64_t> extents);

    Trace* m_trace = nullptr;
    MemoryPool m_pool;
    const Loops& m_loops;
    int m_threads;
    std::unique_ptr<DnnlDevice> m_dnnl;
};

// 0 for F32, 1 for BF16: the index into the loops' tables.
inline int typeIndex(DType t) { return t == DType::BF16 ? 1 : 0; }

}  // namespace meander::kernels
