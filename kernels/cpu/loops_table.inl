// Included by loops_<isa>.cpp: all hot loops for one instruction set, ending in their table.
#include "kernels/cpu/loops.h"
#include "kernels/cpu/simd.h"

#include "kernels/cpu/loops_elementwise.inl"
#include "kernels/cpu/loops_gemm.inl"
#include "kernels/cpu/loops_norm.inl"
#include "kernels/cpu/loops_weights.inl"

namespace meander::kernels {

const Loops& MEANDER_LOOPS() {
    static constexpr Loops table = {
        .name = MEANDER_LOOPS_NAME,
        .width = vecWidth,
        .mr = kernelRows,
        .nr = kernelVectors * vecWidth,
        .depthBlock = kernelDepth,
        .gemm = gemm,
        .widenPanel = widenPanel,
        .epilogue = {epilogue<float>, epilogue<Bf16>},
        .layerNorm = {layerNorm<float>, layerNorm<Bf16>},
        .rmsNorm = {rmsNorm<float>, rmsNorm<Bf16>},
        .channelSums = {channelSums<float>, channelSums<Bf16>},
        .channelAffine = {channelAffine<float>, channelAffine<Bf16>},
        .softmaxRow = softmaxRow,
        .scaleRow = {scaleRow<float>, scaleRow<Bf16>},
        .unary = {unary<float>, unary<Bf16>},
        .binary = {binary<float>, binary<Bf16>},
        .toFloat = {toFloat<float>, toFloat<Bf16>},
        .fromFloat = {fromFloat<float>, fromFloat<Bf16>},
        .entropy = entropy,
    };
    return table;
}

}  // namespace meander::kernels
