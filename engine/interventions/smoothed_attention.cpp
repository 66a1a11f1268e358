// Smoothed attention (Hong 2024, SEG): the queries of self-attention are blurred on their grid by a Gaussian of σ
// tokens; σ = ∞: every query is the mean of all.
#include <cmath>
#include <limits>

#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Smoothed attention";

// Reflected at the border without repeating the edge, as torch's pad mode "reflect".
int reflected(int i, int n) {
    if (n == 1) return 0;
    const int period = 2 * (n - 1), at = ((i % period) + period) % period;
    return at < n ? at : period - at;
}

// (n, n): row i holds the weights with which position i gathers its neighbours. The kernel has ⌈6σ⌉ taps, made odd, at
// most as many as the side (SEG's official code).
std::vector<float> blurMatrix(int n, double sigma) {
    std::vector<float> m(std::size_t(n) * std::size_t(n), std::isinf(sigma) ? 1.0f / float(n) : 0.0f);
    if (std::isinf(sigma)) return m;
    int taps = int(std::ceil(6 * sigma));
    taps = std::min(taps + 1 - taps % 2, n - (n % 2 - 1));
    const int half = taps / 2;
    std::vector<double> weights(std::size_t(2 * half + 1));
    double sum = 0;
    for (int o = -half; o <= half; ++o)
        sum += weights[std::size_t(o + half)] = std::exp(-0.5 * (o / sigma) * (o / sigma));
    for (int i = 0; i < n; ++i)
        for (int o = -half; o <= half; ++o)
            m[std::size_t(i) * std::size_t(n) + std::size_t(reflected(i + o, n))] +=
                float(weights[std::size_t(o + half)] / sum);
    return m;
}

// `copies` of a blur matrix below each other, for a batched product.
Tensor blurBatch(Backend& b, int n, double sigma, std::int64_t copies, DType type) {
    const auto one = blurMatrix(n, sigma);
    std::vector<float> all;
    all.reserve(one.size() * std::size_t(copies));
    for (std::int64_t i = 0; i < copies; ++i) all.insert(all.end(), one.begin(), one.end());
    return upload(b, HostTensor::fromFloats({copies, n, n}, all)).converted(type);
}

// q (rows, height·width, c), blurred along both sides of the grid.
Tensor blurred(const Tensor& q, double sigma, nn::Grid grid) {
    Backend& b = q.backend();
    const std::int64_t rows = q.shape()[0], c = q.shape()[2], h = grid.height, w = grid.width;
    Tensor tall(b, {rows, h, w * c}, q.type()), both(b, {rows * h, w, c}, q.type());
    b.batchedMatmul(blurBatch(b, grid.height, sigma, rows, q.type()), q.reshaped(tall.shape()), tall, false);
    b.batchedMatmul(blurBatch(b, grid.width, sigma, rows * h, q.type()), tall.reshaped(both.shape()), both, false);
    return both.reshaped(q.shape());
}

class SmoothedAttention final : public BlockHook {
public:
    SmoothedAttention(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, {nn::SiteKind::SelfAttention}),
          m_sigma(p.contains("blur") ? real(p, "blur") : std::numeric_limits<double>::infinity()) {}
    void attending(const nn::SiteCall& call, nn::Attention& a) override {
        if (m_sigma > 0) a.q = blurred(a.q.clone(), m_sigma, call.grid);
    }

private:
    double m_sigma;
};

}  // namespace

InterventionInfo smoothedAttention() {
    return {.id = "smoothed_attention",
            .label = label,
            .summary = "The queries of self-attention are blurred",
            .source = "Hong 2024, SEG",
            .params = {optionalParam(withUnit(
                           realParam("blur", "Blur", 10, 0, 9999,
                                     "σ of the blur of the queries; absent: infinite, every query is the mean of all.",
                                     0.5),
                           "tokens")),
                       blocksParam()},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<SmoothedAttention>(p, s);
            }};
}

}  // namespace meander::intervention
