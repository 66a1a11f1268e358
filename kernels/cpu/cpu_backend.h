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
    void synchronize() override {}

protected:
#define OPERATION(Name, name, Result, ...) Result do##Name(__VA_ARGS__) override;
#include "kernels/api/operations.inl"
#undef OPERATION

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

    MemoryPool m_pool;
    const Loops& m_loops;
    int m_threads;
    std::unique_ptr<DnnlDevice> m_dnnl;
};

// 0 for F32, 1 for BF16: the index into the loops' tables.
inline int typeIndex(DType t) { return t == DType::BF16 ? 1 : 0; }

}  // namespace meander::kernels
