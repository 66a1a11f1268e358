// Kernels as C++ functions: the words of the language, a thread's place, barriers and shuffles.
#pragma once
#include <math.h>

#include <cmath>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda_runtime_api.h"
#include "tests/kernels/cuda/emulator.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static  // blocks run one after the other

inline const uint3 &threadIdx = meander::emulator::running.index, &blockIdx = meander::emulator::running.block;
inline const dim3 &blockDim = meander::emulator::running.blockExtent, &gridDim = meander::emulator::running.gridExtent;

#define __syncthreads() meander::emulator::blockBarrier(__FILE__, __LINE__)
#define __syncwarp() meander::emulator::warpBarrier(__FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, lanes) meander::emulator::shuffleXor(mask, value, lanes, __FILE__, __LINE__)

// Neither is joined to a fused operation (the module is compiled with -ffp-contract=off).
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
    // Parameters are copied once, as at a launch.
    std::tuple<std::remove_cv_t<Parameters>...> given(static_cast<Parameters>(arguments)...);
    return meander::emulator::launch(config->gridDim, config->blockDim, [&] { std::apply(kernel, given); });
}
