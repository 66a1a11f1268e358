// The emulator itself: what it promises to notice is noticed, and what is right passes, in every order of threads.
#include <cuda_runtime.h>

#include <cstdio>

namespace {

int failed = 0;
void expect(bool holds, const char* what) {
    if (!holds) std::printf("FAIL: %s\n", what), ++failed;
}

__global__ void reversed(const int* x, int* y, int n) {
    __shared__ int held[64];
    held[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = held[n - 1 - int(threadIdx.x)];
}
__global__ void leavesEarly(int* y) {
    if (threadIdx.x == 40) return;
    __syncthreads();
    y[threadIdx.x] = 1;
}
__global__ void twoBarriers(int* y) {
    if (threadIdx.x < 32) __syncthreads();
    else __syncthreads();
    y[threadIdx.x] = 1;
}
__global__ void halfAWarp(int* y) {
    if (threadIdx.x % 2 == 0) __syncwarp();
    else __syncthreads();
    y[threadIdx.x] = 1;
}
__global__ void exchanged(int* y) { y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, int(threadIdx.x), 1); }
__global__ void lonelyShuffle(int* y) {
    if (threadIdx.x == 1) return;
    y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, int(threadIdx.x), 1);
}

template <class... P, class... A> cudaError_t run(void (*kernel)(P...), A... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(3);
    config.blockDim = dim3(64);
    return cudaLaunchKernelEx(&config, kernel, arguments...);
}

}  // namespace

int main() {
    int x[64], y[64] = {};
    for (int i = 0; i < 64; ++i) x[i] = i * i;
    const auto good = [&] {
        expect(run(reversed, static_cast<const int*>(x), static_cast<int*>(y), 64) == cudaSuccess, "a barrier");
        for (int i = 0; i < 64; ++i) expect(y[i] == x[63 - i], "values across a barrier");
    };
    good();
    expect(run(exchanged, static_cast<int*>(y)) == cudaSuccess && y[6] == 7 && y[7] == 6, "a shuffle");
    for (const auto kernel : {leavesEarly, twoBarriers, halfAWarp, lonelyShuffle}) {
        expect(run(kernel, static_cast<int*>(y)) == cudaErrorLaunchFailure, "divergence is noticed");
        good();  // and the next launch is as if nothing had been
    }
    void* p = nullptr;
    expect(cudaMalloc(&p, 8) == cudaSuccess && *static_cast<float*>(p) != *static_cast<float*>(p),
           "fresh memory is NaN");
    cudaFree(p);
    if (failed == 0) std::printf("the emulator notices what it should\n");
    return failed ? 1 : 0;
}
