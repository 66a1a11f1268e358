// The random streams of other programs, so that their seeds mean the same here. Pure host code. The integers are the
// same bits; normals agree to the last bits of single precision (logarithm and sine are evaluated in double and
// rounded, the same on every machine).
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace meander::noise {

// torch's generator on the CPU: mt19937 (Matsumoto & Nishimura 1998). One object is one generator; calls continue its
// stream as torch's calls do.
class TorchCpuRandom {
public:
    explicit TorchCpuRandom(std::uint64_t seed) : m_engine(std::uint32_t(seed)) {}  // the high 32 bits do not count

    // torch.randn(n). From 16 numbers on in blocks of 16 (a rest redraws the last 16); fewer than 16 one by one, by
    // pairs in double precision, of which an odd one is kept for the next such call.
    void normals(std::span<float> out);
    void normals(std::span<double> out);  // dtype = float64
    // torch.rand(n): 24 bits each, or 53.
    void uniforms(std::span<float> out);
    void uniforms(std::span<double> out);
    // torch.randint(low, high, ...): one number of [low, high); ranges from 2²⁸ on take 64 bits.
    std::int64_t integer(std::int64_t low, std::int64_t high);
    // torch.randperm(n), n below 2³²/20 (beyond, torch shuffles differently). Throws Failure.
    std::vector<std::int64_t> permutation(std::int64_t n);

private:
    std::uint32_t word() { return std::uint32_t(m_engine()); }
    std::uint64_t longWord();
    void draw(float& v);
    void draw(double& v);
    template <class T> void fill(std::span<T> out);

    std::mt19937 m_engine;
    std::optional<double> m_spare;
};

// Philox 4x32-10 as CUDA's libraries address it: one counter for each thread and call. A call of up to `threads`
// numbers gives one number per thread, made from the first two words; above it the threads loop, each taking four
// numbers of one counter, `threads` elements apart.
class TorchCudaRandom {
public:
    static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
    // `threads` = T of the GPU (Gpu::threads); unlimited: the stream that other programs call "NV", which is a GPU's
    // for small tensors only.
    explicit TorchCudaRandom(std::uint64_t seed, std::int64_t threads = unlimited) : m_seed(seed), m_threads(threads) {}
    // torch.randn(n, device="cuda")
    void normals(std::span<float> out);

private:
    std::uint64_t m_seed;
    std::int64_t m_threads;
    std::uint64_t m_call = 0;  // counters used up
};

// What decides the order in which a GPU draws: T = multiprocessors × floor(threads of one / 256) × 256.
struct Gpu {
    std::string id, label;
    int multiprocessors, threadsPerMultiprocessor;
};
const std::vector<Gpu>& gpus();
inline std::int64_t drawingThreads(std::int64_t multiprocessors, std::int64_t threadsPerMultiprocessor) {
    return multiprocessors * (threadsPerMultiprocessor / 256) * 256;
}

}  // namespace meander::noise
