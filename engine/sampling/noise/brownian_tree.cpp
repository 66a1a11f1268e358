#include "engine/sampling/noise/brownian_tree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "engine/core/result.h"
#include "engine/sampling/noise/torch_random.h"

namespace meander::noise {

namespace {

// Least significant word first; 0 is one word.
void appendWords(std::vector<std::uint32_t>& words, std::uint64_t v) {
    do words.push_back(std::uint32_t(v));
    while (v >>= 32);
}

// One-way hash with a constant that changes at every use.
struct Hash {
    std::uint32_t constant, multiplier;
    std::uint32_t operator()(std::uint32_t v) {
        v ^= constant;
        constant *= multiplier;
        v *= constant;
        return v ^ (v >> 16);
    }
};

std::uint32_t mix(std::uint32_t x, std::uint32_t y) {
    const std::uint32_t r = 0xca01f9ddu * x - 0x4973f715u * y;
    return r ^ (r >> 16);
}

}  // namespace

std::vector<std::uint32_t> seedSequence(std::uint64_t entropy, std::span<const std::uint64_t> spawnKey, int poolSize,
                                        int words) {
    const auto size = std::size_t(std::max(poolSize, 4));  // numpy's least
    std::vector<std::uint32_t> input;
    appendWords(input, entropy);
    // Zeros keep a spawned sequence apart from one with more entropy.
    if (!spawnKey.empty() && input.size() < size) input.resize(size, 0);
    for (const std::uint64_t k : spawnKey) appendWords(input, k);

    Hash hash{0x43b0d7e5u, 0x931e8875u};
    std::vector<std::uint32_t> pool(size);
    for (std::size_t i = 0; i < size; ++i) pool[i] = hash(i < input.size() ? input[i] : 0);
    for (std::size_t from = 0; from < size; ++from)
        for (std::size_t to = 0; to < size; ++to)
            if (from != to) pool[to] = mix(pool[to], hash(pool[from]));
    for (std::size_t from = size; from < input.size(); ++from)
        for (auto& word : pool) word = mix(word, hash(input[from]));

    Hash out{0x8b51f9ddu, 0x58f38dedu};
    std::vector<std::uint32_t> state;
    for (int i = 0; i < words; ++i) state.push_back(out(pool[std::size_t(i) % size]));
    return state;
}

BrownianTree::BrownianTree(double t0, double t1, std::size_t count, std::uint64_t entropy, NodeNormals normals,
                           int digits, int poolSize)
    : m_count(count),
      m_entropy(entropy),
      m_normals(std::move(normals)),
      m_digits(digits),
      m_poolSize(poolSize),
      m_start(rounded(t0)),
      m_end(rounded(t1)) {
    if (!(m_start < m_end)) throw Failure("A Brownian noise path needs two different noise levels to run between.");
    m_whole = this->normals(seedSequence(entropy, {}, poolSize, 1)[0]);
    const float spread = float(std::sqrt(t1 - t0));
    for (float& w : m_whole) w *= spread;
}

// Correctly rounded decimal, as Python's round().
double BrownianTree::rounded(double t, int digits) {
    std::array<char, 400> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), t, std::chars_format::fixed, digits).ptr;
    double v = t;
    std::from_chars(text.data(), end, v);
    return v;
}

BrownianTree::Values BrownianTree::normals(std::uint32_t seed) const {
    Values z(m_count);
    if (m_normals) m_normals(seed, z);
    else TorchCpuRandom(seed).normals(std::span<float>(z));
    return z;
}

// The Brownian bridge at `middle` given the increment w of the whole node. Sums and products are rounded one by one in
// single precision, as tensors are.
const BrownianTree::Values& BrownianTree::leftOf(const Node& node, const Values& w, double middle) {
    Kept& kept = m_kept[{node.depth, node.key}];
    kept.query = m_query;
    if (kept.left.empty()) {
        const std::array<std::uint64_t, 2> spawnKey{node.key, node.depth};
        kept.left = normals(seedSequence(m_entropy, spawnKey, m_poolSize, 1)[0]);
        const double left = middle - node.start, right = node.end - middle, reciprocal = 1 / (node.end - node.start);
        const float weight = float(left), scale = float(reciprocal),
                    spread = float(std::sqrt(left * right * reciprocal));
        for (std::size_t i = 0; i < m_count; ++i) {
            const float mean = weight * w[i] * scale, bridge = spread * kept.left[i];
            kept.left[i] = mean + bridge;
        }
    }
    return kept.left;
}

void BrownianTree::collect(const Node& node, const Values& w, double ta, double tb, Values& sum, bool& any) {
    if (ta == node.start && tb == node.end) {
        if (any)
            for (std::size_t i = 0; i < m_count; ++i) sum[i] += w[i];
        else sum = w;
        any = true;
        return;
    }
    const double middle = rounded(0.5 * (node.end + node.start));
    const Values& left = leftOf(node, w, middle);
    if (ta < middle)
        collect({node.start, middle, 2 * node.key, node.depth + 1}, left, ta, std::min(tb, middle), sum, any);
    if (tb > middle) {
        Values right(m_count);
        for (std::size_t i = 0; i < m_count; ++i) right[i] = w[i] - left[i];
        collect({middle, node.end, 2 * node.key + 1, node.depth + 1}, right, std::max(ta, middle), tb, sum, any);
    }
}

std::vector<float> BrownianTree::increment(double ta, double tb) {
    if (!(ta <= tb)) throw Failure("A Brownian increment is asked for from an earlier to a later time.");
    ta = rounded(std::clamp(ta, m_start, m_end));
    tb = rounded(std::clamp(tb, m_start, m_end));
    Values sum(m_count, 0.0f);
    if (ta == tb) return sum;
    ++m_query;
    bool any = false;
    collect({m_start, m_end, 0, 0}, m_whole, ta, tb, sum, any);
    std::erase_if(m_kept, [&](const auto& entry) { return entry.second.query + 1 < m_query; });
    return sum;
}

BrownianNoise::BrownianNoise(double sigmaMin, double sigmaMax, std::size_t count, std::uint64_t seed,
                             NodeNormals normals)
    : m_tree(float(std::min(sigmaMin, sigmaMax)), float(std::max(sigmaMin, sigmaMax)), count, seed, std::move(normals)),
      m_sign(sigmaMin < sigmaMax ? 1.0f : -1.0f) {}

std::vector<float> BrownianNoise::between(double from, double to) {
    const float a = float(from), b = float(to);
    if (a == b) return m_tree.increment(a, b);
    auto w = m_tree.increment(std::min(a, b), std::max(a, b));
    const float sign = a < b ? m_sign : -m_sign, root = std::sqrt(std::abs(b - a));
    for (float& v : w) v = v * sign / root;
    return w;
}

}  // namespace meander::noise
