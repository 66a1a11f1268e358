// Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011), a counter-based generator:
// the value is a pure function of (key, counter), so noise can be addressed instead of drawn in order, and is the same
// on every device. Also compiled by nvcc.
#pragma once
#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#    define MEANDER_HD __host__ __device__
#else
#    define MEANDER_HD
#endif

namespace meander::kernels {

struct Philox4 {
    std::uint32_t v[4];
};

MEANDER_HD inline Philox4 philox4x32(std::uint32_t c0, std::uint32_t c1, std::uint32_t c2, std::uint32_t c3,
                                     std::uint32_t k0, std::uint32_t k1) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t(0xD2511F53u) * c0, p1 = std::uint64_t(0xCD9E8D57u) * c2;
        const std::uint32_t n0 = std::uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = std::uint32_t(p0 >> 32) ^ c3 ^ k1;
        c1 = std::uint32_t(p1);
        c3 = std::uint32_t(p0);
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

// Where a stream of normal numbers starts: element e of the stream is a pure function of these and e.
//   counter = (e / 4, draw, image, purpose), key = seed.
struct NoiseAddress {
    std::uint64_t seed = 0;
    std::uint32_t image = 0;    // index of the image in its run
    std::uint32_t draw = 0;     // 0 is the initial state, k + 1 is what step k adds
    std::uint32_t purpose = 0;  // keeps independent uses apart
    bool operator==(const NoiseAddress&) const = default;
};

// Four standard normals (Box-Muller, computed in double so that every device rounds the same real number) for elements
// 4*block .. 4*block+3.
MEANDER_HD inline void normal4(const NoiseAddress& a, std::uint32_t block, double out[4]) {
    const Philox4 r = philox4x32(block, a.draw, a.image, a.purpose, std::uint32_t(a.seed), std::uint32_t(a.seed >> 32));
    for (int pair = 0; pair < 2; ++pair) {
        const double u = (double(r.v[2 * pair]) + 0.5) * (1.0 / 4294967296.0);      // in (0, 1)
        const double w = (double(r.v[2 * pair + 1]) + 0.5) * (1.0 / 4294967296.0);  // in (0, 1)
        const double radius = sqrt(-2.0 * log(u)), angle = 6.283185307179586476925286766559 * w;
        out[2 * pair] = radius * cos(angle);
        out[2 * pair + 1] = radius * sin(angle);
    }
}

}  // namespace meander::kernels
