// Weights in host memory, of any float type, as a computation sees them: a BF16 computation rounds them first, on every
// device.
#pragma once
#include <vector>

#include "kernels/api/view.h"
#include "kernels/cpu/memory_pool.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {

// use(element): element(i) is value i of the dense weight.
template <class Use> auto withElements(const View& weight, DType compute, const Use& use) {
    const auto* floats = weight.as<float>();
    const auto* halves = weight.as<std::uint16_t>();
    const auto rounded = [](float x) { return bf16ToFloat(floatToBf16(x)); };
    const bool rounds = compute == DType::BF16;
    if (weight.type == DType::BF16) return use([=](std::int64_t i) { return bf16ToFloat(halves[i]); });
    if (weight.type == DType::F16)
        return rounds ? use([=](std::int64_t i) { return rounded(f16ToFloat(halves[i])); })
                      : use([=](std::int64_t i) { return f16ToFloat(halves[i]); });
    return rounds ? use([=](std::int64_t i) { return rounded(floats[i]); })
                  : use([=](std::int64_t i) { return floats[i]; });
}

// In memory of the pool.
inline Scratch<float> pooledFloats(MemoryPool& pool, int threads, const View& weight) {
    Scratch<float> values(pool, std::size_t(weight.count()));
    withElements(weight, DType::F32, [&](const auto& element) {
        parallelRanges(threads, weight.count(), 1 << 16, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t i = first; i < last; ++i) values.data()[i] = element(i);
        });
    });
    return values;
}

// Of a small one: a bias, which no computation rounds.
inline std::vector<float> hostFloats(const View& v) {
    std::vector<float> out(std::size_t(v.count()));
    withElements(v, DType::F32, [&](const auto& element) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = element(std::int64_t(i));
    });
    return out;
}

}  // namespace meander::kernels
