// Linear layers and batched products.
#include "kernels/api/contract.h"
#include "kernels/api/row_offsets.h"
#include "kernels/cpu/dnnl_device.h"
#include "kernels/cpu/host_weights.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/resolve.h"
#include "kernels/cpu/stored_linear.h"

namespace meander::kernels {
namespace {

class CpuLinear final : public LinearWeights {
public:
    CpuLinear(const Loops& loops, MemoryPool& pool, int threads, const View& w, std::vector<float> b, DType compute)
        : m_data(pool, std::size_t(packedCount(loops, w.shape[1], w.shape[0]))), m_bias(std::move(b)) {
        out = w.shape[0];
        in = w.shape[1];
        bytes = (std::size_t(packedCount(loops, in, out)) + m_bias.size()) * sizeof(float);
        panels = packWeight(loops, threads, w, compute, 1, m_data.data());
    }
    const float* bias() const { return m_bias.empty() ? nullptr : m_bias.data(); }
    PackedPanels panels;

private:
    Scratch<float> m_data;
    std::vector<float> m_bias;
};

}  // namespace

std::unique_ptr<LinearWeights> CpuBackend::doPackLinear(View weight, View bias, DType compute) {
    std::vector<float> b = bias ? hostFloats(bias) : std::vector<float>();
    if (prefersDnnlLinear(compute, weight.shape[1], weight.shape[0])) {
        if (auto packed = m_dnnl->packLinear(m_pool, m_threads, weight, b, compute)) return packed;
    }
    return std::make_unique<CpuLinear>(m_loops, m_pool, m_threads, weight, std::move(b), compute);
}

void CpuBackend::doLinear(View x, const LinearWeights& weights, View y, const Epilogue& e) {
    const auto* own = dynamic_cast<const CpuLinear*>(&weights);
    const auto* dnnl = dynamic_cast<const DnnlLinear*>(&weights);
    const auto* stored = dynamic_cast<const StoredLinear*>(&weights);
    const LinearWeights* w = &weights;
    const std::int64_t rows = leadingCount(x);
    const FloatVector rowBias = floats(e.rowBias), gate = floats(e.gate);
    const float* bias = own ? own->bias() : dnnl ? dnnl->bias() : stored->bias();
    const ResolvedEpilogue epilogue = resolve(e, bias, rowBias.data(), gate.data(), y);
    if (dnnl) return linearByDnnl(x, *dnnl, epilogue);

    const Scratch<float> converted(m_pool, x.type == DType::F32 ? 0 : std::size_t(x.count()));
    const float* data = asFloats(x, converted.data());
    const RowOffsets at(x.type == DType::F32 ? x : View(nullptr, DType::F32, x.shape));
    Product p{.rows = rows, .columns = w->out, .taps = 1, .depth = w->in, .b = {}, .locate = {}};
    p.locate = [data, at](std::int64_t first, int count, const float** pointers, int) {
        for (int i = 0; i < count; ++i) pointers[i] = data + at(first + i);
    };
    if (stored) return multiplyStored(m_loops, m_pool, m_threads, std::move(p), *stored, epilogue);
    p.b = own->panels;
    multiply(m_loops, m_pool, m_threads, p, epilogue);
}

const float* CpuBackend::asFloats(const View& x, float* room) {
    if (x.type == DType::F32) return x.as<float>();
    if (x.isDense())
        parallelRanges(m_threads, x.count(), 1 << 15, [&](std::int64_t first, std::int64_t last) {
            m_loops.toFloat[1](x.as<std::uint16_t>() + first, last - first, room + first);
        });
    else
        parallelFor(m_threads, leadingCount(x), [&, at = RowOffsets(x), n = lastExtent(x)](std::int64_t row, int) {
            m_loops.toFloat[1](x.as<std::uint16_t>() + at(row), n, room + row * n);
        });
    return room;
}

void CpuBackend::doBatchedMatmul(View a, View b, View y, bool transposeB, float scale) {
    const std::int64_t batch = a.shape[0], m = a.shape[1], k = a.shape[2], n = transposeB ? b.shape[1] : b.shape[2];
    const Scratch<float> roomA(m_pool, a.type == DType::F32 ? 0 : std::size_t(a.count())),
        roomB(m_pool, b.type == DType::F32 ? 0 : std::size_t(b.count()));
    const float *dataA = asFloats(a, roomA.data()), *dataB = asFloats(b, roomB.data());
    const Scratch<float> packed(m_pool, std::size_t(packedCount(m_loops, k, n)));
    for (std::int64_t i = 0; i < batch; ++i) {
        const float *ai = dataA + i * m * k, *bi = dataB + i * k * n;
        Product p{.rows = m, .columns = n, .taps = 1, .depth = k, .b = {}, .locate = {}};
        p.b = transposeB ? packPanels(m_loops, k, n, packed.data(),
                                      [&](std::int64_t kk, std::int64_t j) { return bi[j * k + kk]; })
                         : packPanels(m_loops, k, n, packed.data(),
                                      [&](std::int64_t kk, std::int64_t j) { return bi[kk * n + j]; });
        p.locate = [=](std::int64_t first, int count, const float** pointers, int) {
            for (int r = 0; r < count; ++r) pointers[r] = ai + (first + r) * k;
        };
        ResolvedEpilogue e;
        e.y = y.rows(i, 1).reshaped({m, n});
        e.scale = scale;
        multiply(m_loops, m_pool, m_threads, p, e);
    }
}

}  // namespace meander::kernels
