#include "engine/sampling/noise/torch_random.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "engine/core/result.h"
#include "kernels/api/philox.h"

namespace meander::noise {

namespace {

// Box and Muller as torch's blocks do it: entry j with entry j + 8. Intermediate values are rounded to the tensor's own
// type.
template <class T> void transformBlock(T* d) {
    for (int j = 0; j < 8; ++j) {
        const T u1 = T(1) - d[j], u2 = d[j + 8];
        const T radius = std::sqrt(T(-2) * T(std::log(double(u1)))), angle = T(2 * std::numbers::pi) * u2;
        d[j] = T(radius * T(std::cos(double(angle))));
        d[j + 8] = T(radius * T(std::sin(double(angle))));
    }
}

}  // namespace

std::uint64_t TorchCpuRandom::longWord() {
    const std::uint64_t high = word();
    return high << 32 | word();
}

void TorchCpuRandom::draw(float& v) { v = float(word() & 0xffffffu) * 0x1p-24f; }
void TorchCpuRandom::draw(double& v) { v = double(longWord() & 0x1fffffffffffffu) * 0x1p-53; }

void TorchCpuRandom::uniforms(std::span<float> out) {
    for (float& v : out) draw(v);
}
void TorchCpuRandom::uniforms(std::span<double> out) {
    for (double& v : out) draw(v);
}

template <class T> void TorchCpuRandom::fill(std::span<T> out) {
    if (out.size() >= 16) {
        uniforms(out);
        for (std::size_t i = 0; i + 16 <= out.size(); i += 16) transformBlock(out.data() + i);
        if (out.size() % 16 != 0) {
            const auto last = out.last(16);
            uniforms(last);
            transformBlock(last.data());
        }
        return;
    }
    for (T& v : out) {
        if (m_spare) {
            v = T(*m_spare);
            m_spare.reset();
            continue;
        }
        double u1, u2;
        draw(u1);
        draw(u2);
        const double radius = std::sqrt(-2 * std::log1p(-u2)), angle = 2 * std::numbers::pi * u1;
        m_spare = radius * std::sin(angle);
        v = T(radius * std::cos(angle));
    }
}

void TorchCpuRandom::normals(std::span<float> out) { fill(out); }
void TorchCpuRandom::normals(std::span<double> out) { fill(out); }

std::int64_t TorchCpuRandom::integer(std::int64_t low, std::int64_t high) {
    if (high <= low) throw Failure("A random whole number needs a range that is not empty.");
    const std::uint64_t range = std::uint64_t(high) - std::uint64_t(low);
    const std::uint64_t drawn = range >= (std::uint64_t(1) << 28) ? longWord() : word();
    return std::int64_t(std::uint64_t(low) + drawn % range);
}

std::vector<std::int64_t> TorchCpuRandom::permutation(std::int64_t n) {
    if (n < 0 || n >= std::int64_t(std::numeric_limits<std::uint32_t>::max() / 20))
        throw Failure("A permutation must have fewer than 214 748 364 entries.");
    std::vector<std::int64_t> list(std::size_t(n), 0);
    std::iota(list.begin(), list.end(), 0);
    for (std::int64_t i = 0; i + 1 < n; ++i)
        std::swap(list[std::size_t(i)], list[std::size_t(i + std::int64_t(word()) % (n - i))]);
    return list;
}

void TorchCudaRandom::normals(std::span<float> out) {
    const auto n = std::int64_t(out.size());
    if (n == 0) return;
    const std::int64_t stride = std::min((n + 255) / 256 * 256, m_threads);
    const auto low = std::uint32_t(m_seed), high = std::uint32_t(m_seed >> 32);
    for (std::int64_t thread = 0; thread < std::min(stride, n); ++thread)
        for (std::int64_t loop = 0, first = thread; first < n; ++loop, first += 4 * stride) {
            const std::uint64_t counter = m_call + std::uint64_t(loop);
            const auto r = kernels::philox4x32(std::uint32_t(counter), std::uint32_t(counter >> 32),
                                               std::uint32_t(thread), std::uint32_t(thread >> 32), low, high);
            for (int k = 0; k < 4 && first + k * stride < n; ++k) {
                // The pair of words (0, 1) gives numbers 0 and 1, by sine and cosine; (2, 3) gives 2 and 3.
                const double u = (double(r.v[k & 2]) + 0.5) * 0x1p-32,
                             angle = (double(r.v[(k & 2) + 1]) + 0.5) * (double(float(2 * std::numbers::pi)) * 0x1p-32);
                out[std::size_t(first + k * stride)] =
                    float(std::sqrt(-2 * std::log(u)) * (k & 1 ? std::cos(angle) : std::sin(angle)));
            }
        }
    m_call += std::uint64_t((n - 1) / (4 * stride) + 1);
}

// Data sheets of the manufacturer.
const std::vector<Gpu>& gpus() {
    static const std::vector<Gpu> table = {
        {"t4", "Tesla T4", 40, 1024},
        {"v100", "V100", 80, 2048},
        {"a10g", "A10G", 80, 1536},
        {"l4", "L4", 58, 1536},
        {"l40s", "L40S", 142, 1536},
        {"a100", "A100", 108, 2048},
        {"h100", "H100 SXM", 132, 2048},
        {"h100-pcie", "H100 PCIe", 114, 2048},
        {"h200", "H200", 132, 2048},
        {"gtx1080ti", "GTX 1080 Ti", 28, 2048},
        {"rtx2080ti", "RTX 2080 Ti", 68, 1024},
        {"rtx3060", "RTX 3060", 28, 1536},
        {"rtx3070", "RTX 3070", 46, 1536},
        {"rtx3080", "RTX 3080 (10 GB)", 68, 1536},
        {"rtx3090", "RTX 3090", 82, 1536},
        {"rtx4060", "RTX 4060", 24, 1536},
        {"rtx4070", "RTX 4070", 46, 1536},
        {"rtx4080", "RTX 4080", 76, 1536},
        {"rtx4090", "RTX 4090", 128, 1536},
        {"rtx5090", "RTX 5090", 170, 1536},
    };
    return table;
}

}  // namespace meander::noise
