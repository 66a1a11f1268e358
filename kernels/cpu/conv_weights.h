// A convolution's filter as panels of (k·k·in, out), taps outermost.
#pragma once
#include "kernels/cpu/product.h"

namespace meander::kernels {

class CpuConv final : public ConvWeights {
public:
    CpuConv(const Loops& loops, MemoryPool& pool, int threads, const View& w, ConvGeometry g, std::vector<float> b,
            DType compute)
        : m_data(pool, std::size_t(packedCount(loops, w.count() / w.shape[0], w.shape[0]))), m_bias(std::move(b)) {
        out = w.shape[0];
        in = w.shape[1];
        kernel = int(w.shape[2]);
        stride = g.stride;
        padding = g.padding;
        const std::int64_t taps = std::int64_t(kernel) * kernel;
        bytes = std::size_t(packedCount(loops, taps * in, out)) * sizeof(float);
        panels = packWeight(loops, threads, w, compute, taps, m_data.data());
    }
    const float* bias() const { return m_bias.empty() ? nullptr : m_bias.data(); }
    PackedPanels panels;

private:
    Scratch<float> m_data;
    std::vector<float> m_bias;
};

}  // namespace meander::kernels
