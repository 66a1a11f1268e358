// A convolution's filter as panels of (k·k·in, out), taps outermost.
#pragma once
#include "kernels/cpu/product.h"

namespace meander::kernels {

class CpuConv final : public ConvWeights {
public:
    CpuConv(const Loops& loops, MemoryPool& pool, const std::vector<float>& w, const Shape& shape, ConvGeometry g,
            std::vector<float> b)
        : m_data(pool, std::size_t(packedCount(loops, shape[1] * shape[2] * shape[3], shape[0]))),
          m_bias(std::move(b)) {
        out = shape[0];
        in = shape[1];
        kernel = int(shape[2]);
        stride = g.stride;
        padding = g.padding;
        const std::int64_t taps = std::int64_t(kernel) * kernel, inCount = in;
        bytes = std::size_t(packedCount(loops, taps * in, out)) * sizeof(float);
        panels = packPanels(loops, taps * in, out, m_data.data(), [&](std::int64_t k, std::int64_t n) {
            const std::int64_t tap = k / inCount, channel = k % inCount;
            return w[std::size_t((n * inCount + channel) * taps + tap)];
        });
    }
    const float* bias() const { return m_bias.empty() ? nullptr : m_bias.data(); }
    PackedPanels panels;

private:
    Scratch<float> m_data;
    std::vector<float> m_bias;
};

}  // namespace meander::kernels
