// CUDA kernels on the CPU, for tests: kernels/cuda is compiled unchanged as C++ against the headers in `include` and
// runs here, one thread of the machine for the whole grid.
//
// Blocks run one after the other. A thread of a block runs until it ends or waits at a barrier; then it lies on a fiber
// of its own and the next one begins. A barrier that not all threads reach, or that they reach in different lines, ends
// the launch with an error. MEANDER_EMULATED_ORDER=reverse starts the threads of a block from the last one, =shuffled
// in a fixed random order: results must not depend on it. Fresh memory is filled with NaN, freed memory with noise.
#pragma once
#include <functional>

#include "cuda_runtime_api.h"
#include "tests/kernels/cuda/counts.h"

namespace meander::emulator {

struct Thread {
    uint3 index, block;
    dim3 blockExtent, gridExtent;
    int lane() const { return int(index.x) % 32; }
};
inline Thread running;  // the one that runs
inline const Thread& thread() { return running; }

void blockBarrier(const char* file, int line);
void warpBarrier(const char* file, int line);
[[noreturn]] void fail(const char* why);  // ends the launch

// What the lanes of the warp hold out to each other, from one barrier to the next.
struct WarpSlots {
    const void* const* slots;
    const void* of(int lane) const;
};
WarpSlots shareInWarp(const void* mine, const char* file, int line);

template <class T> T shuffleXor(unsigned mask, T value, int lanes, const char* file, int line) {
    if (mask != 0xffffffffu) fail("a shuffle of a part of the warp is not emulated");
    const T got = *static_cast<const T*>(shareInWarp(&value, file, line).of(thread().lane() ^ lanes));
    warpBarrier(file, line);
    return got;
}

// Runs body once per thread of every block. cudaErrorLaunchFailure after a sentence on the standard error where a
// barrier diverged or something failed.
cudaError_t launch(dim3 grid, dim3 block, const std::function<void()>& body);

}  // namespace meander::emulator
