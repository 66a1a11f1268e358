// A Brownian motion that can be asked for any interval in any order (a virtual Brownian tree), with the values that
// torchsde's BrownianTree and k-diffusion's noise sampler over it have for the same seed.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace meander::noise {

// numpy.random.SeedSequence(entropy, spawn_key = ..., pool_size = ...).generate_state(words) (M. E. O'Neill's seed
// sequence).
std::vector<std::uint32_t> seedSequence(std::uint64_t entropy, std::span<const std::uint64_t> spawnKey, int poolSize,
                                        int words);

// The normals of a tree's node, from its seed; absent: torch's generator on the CPU.
using NodeNormals = std::function<void(std::uint32_t seed, std::span<float> out)>;

// torchsde.BrownianTree(t0, w0, t1, entropy = seed): halved dyadically down to the query times, which are rounded to
// `digits` decimals; each node has its own seed (SeedSequence with the node's number and depth as spawn key, pool of 24
// words), from which torch's generator draws the bridge's normals.
class BrownianTree {
public:
    // Whether t0 and t1 are different times of a tree.
    static bool hasLength(double t0, double t1, int digits = 6) { return rounded(t0, digits) < rounded(t1, digits); }
    // `count` independent motions in single precision. Throws Failure unless t0 < t1.
    BrownianTree(double t0, double t1, std::size_t count, std::uint64_t entropy, NodeNormals normals = {},
                 int digits = 6, int poolSize = 24);
    // W(tb) − W(ta) for ta ≤ tb; times outside [t0, t1] are moved to its ends, as there. 0 where both round to the same
    // time.
    std::vector<float> increment(double ta, double tb);

private:
    struct Node {
        double start, end;
        std::uint64_t key, depth;
    };
    using Values = std::vector<float>;
    static double rounded(double t, int digits);
    double rounded(double t) const { return rounded(t, m_digits); }
    void collect(const Node& node, const Values& w, double ta, double tb, Values& sum, bool& any);
    const Values& leftOf(const Node& node, const Values& w, double middle);
    Values normals(std::uint32_t seed) const;

    std::size_t m_count;
    std::uint64_t m_entropy;
    NodeNormals m_normals;
    int m_digits, m_poolSize;
    double m_start, m_end;
    Values m_whole;
    // Left halves of the nodes that this query and the one before it went through, by (depth, key).
    struct Kept {
        Values left;
        std::uint64_t query;
    };
    std::map<std::pair<std::uint64_t, std::uint64_t>, Kept> m_kept;
    std::uint64_t m_query = 0;
};

// k-diffusion's BrownianTreeNoiseSampler: unit normals for the step from noise level `from` to `to`, W's increment over
// √|to − from|. Levels are single precision.
class BrownianNoise {
public:
    BrownianNoise(double sigmaMin, double sigmaMax, std::size_t count, std::uint64_t seed, NodeNormals normals = {});
    // The sign is that of the direction of time, so steps down and up over one interval are opposite. Zeros for an
    // interval of no length.
    std::vector<float> between(double from, double to);

private:
    BrownianTree m_tree;
    float m_sign;
};

}  // namespace meander::noise
