#include "kernels/cpu/stored_linear.h"

#include <algorithm>
#include <cstring>

#include "kernels/api/weight_blocks.h"
#include "kernels/cpu/host_weights.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

constexpr std::int64_t tileFloats = std::int64_t(1) << 19;  // widened at once: 2 MB stay in the second or third cache

std::size_t totalBytes(std::span<const WeightMatrix> parts) {
    std::size_t n = 0;
    for (const auto& p : parts) n += p.bytes();
    return n;
}

// Columns of a tile: whole panels, enough for every thread.
std::int64_t tileColumns(const Loops& loops, std::int64_t depth, int threads) {
    const std::int64_t panels = std::max<std::int64_t>(tileFloats / (depth * loops.nr), 2 * threads);
    return panels * loops.nr;
}

}  // namespace

StoredLinear::StoredLinear(MemoryPool& pool, std::span<const WeightMatrix> parts, std::vector<float> bias,
                           DType compute)
    : m_data(pool, totalBytes(parts)), m_bias(std::move(bias)), m_compute(compute) {
    std::uint8_t* to = m_data.data();
    for (const auto& p : parts) {
        std::memcpy(to, p.data, p.bytes());
        for (std::int64_t r = 0; r < p.out; ++r, to += p.rowBytes())
            m_rows.push_back({to, p.format, p.rowScales ? p.rowScales[r] : 1.0f});
    }
    in = parts.front().in;
    out = std::int64_t(m_rows.size());
    bytes = totalBytes(parts) + m_rows.size() * sizeof(WeightRow) + m_bias.size() * sizeof(float);
}

void multiplyStored(const Loops& loops, MemoryPool& pool, int threads, Product p, const StoredLinear& w,
                    const ResolvedEpilogue& e) {
    const std::int64_t tile = tileColumns(loops, w.in, threads);
    const Scratch<float> panels(pool, std::size_t(packedCount(loops, w.in, std::min(tile, w.out))));
    const bool asBf16 = w.compute() == DType::BF16;
    for (std::int64_t first = 0; first < w.out; first += tile) {
        const std::int64_t columns = std::min(tile, w.out - first);
        parallelFor(threads, (columns + loops.nr - 1) / loops.nr, [&](std::int64_t panel, int) {
            const std::int64_t column = panel * loops.nr;
            loops.widenPanel(w.rows().data() + first + column, int(std::min<std::int64_t>(loops.nr, columns - column)),
                             w.in, asBf16, panels.data() + column * w.in);
        });
        p.b = {w.in, columns, w.in * loops.nr, panels.data()};
        p.columns = columns;
        p.firstColumn = first;
        multiply(loops, pool, threads, p, e);
    }
}

std::unique_ptr<LinearWeights> CpuBackend::doPackStoredLinear(std::span<const WeightMatrix> parts, View bias,
                                                              DType compute) {
    std::vector<float> b = bias ? hostFloats(bias) : std::vector<float>();
    return std::make_unique<StoredLinear>(m_pool, parts, std::move(b), compute);
}

void decodeWeights(WeightFormat f, const void* stored, std::int64_t count, float* values) {
    const auto* bytes = static_cast<const std::uint8_t*>(stored);
    for (std::int64_t first = 0; first < count; first += blocks::groupSize)
        blocks::decodeGroup(f, bytes, first / blocks::groupSize,
                            int(std::min<std::int64_t>(blocks::groupSize, count - first)), values + first);
}

}  // namespace meander::kernels
