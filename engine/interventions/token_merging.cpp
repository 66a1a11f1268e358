// Token merging (Bolya et al. 2023, ToMe; Bolya & Hoffman 2023 for Stable Diffusion): self-attention is computed on
// fewer tokens. One token of every 2 × 2 square is a destination; of the others those whose keys point most nearly
// where that of a destination does are averaged into it, and receive its result.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Token merging";

// Where each token of a row goes.
struct Merging {
    std::vector<std::int32_t> target;  // of n tokens, among the merged ones
    std::int64_t merged = 0;           // their number
};

// (rows, c), each of length 1.
HostTensor directions(const HostTensor& keys) {
    const std::int64_t n = keys.shape()[0], c = keys.shape()[1];
    std::vector<float> v = keys.toFloats();
    for (std::int64_t i = 0; i < n; ++i) {
        const auto row = std::span(v).subspan(std::size_t(i * c), std::size_t(c));
        double square = 0;
        for (const float x : row) square += double(x) * x;
        for (float& x : row) x = square > 0 ? float(x / std::sqrt(square)) : 0;
    }
    return HostTensor::fromFloats(keys.shape(), v);
}

Merging mergingOf(Backend& backend, const HostTensor& keys, nn::Grid grid, double ratio) {
    const auto n = std::int32_t(keys.shape()[0]);
    std::vector<std::int32_t> sources, destinations;
    for (std::int32_t i = 0; i < n; ++i) {
        const bool isDestination = i / grid.width % 2 == 0 && i % grid.width % 2 == 0;
        (isDestination ? destinations : sources).push_back(i);
    }
    const auto ns = std::int64_t(sources.size()), nd = std::int64_t(destinations.size()), c = keys.shape()[1];
    Merging m{std::vector<std::int32_t>(std::size_t(n)), 0};
    std::vector<std::int32_t> nearest(sources.size()), order(sources.size());
    std::vector<float> score(sources.size(), -2);
    if (ns > 0) {
        const Tensor units = upload(backend, directions(keys)), scores(backend, {1, ns, nd});
        backend.batchedMatmul(nn::embedding(sources, units).reshaped({1, ns, c}),
                              nn::embedding(destinations, units).reshaped({1, nd, c}), scores, true);
        const HostTensor host = download(scores);
        const auto all = host.floats();
        for (std::int64_t i = 0; i < ns; ++i) {
            const auto row = all.subspan(std::size_t(i * nd), std::size_t(nd));
            const auto best = std::max_element(row.begin(), row.end());
            nearest[std::size_t(i)] = std::int32_t(best - row.begin());
            score[std::size_t(i)] = *best;
        }
    }
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return score[std::size_t(a)] > score[std::size_t(b)]; });
    const auto gone = std::min<std::size_t>(sources.size(), std::size_t(std::floor(ratio * n)));
    for (std::int32_t d = 0; d < std::int32_t(nd); ++d) m.target[std::size_t(destinations[std::size_t(d)])] = d;
    m.merged = nd;
    std::sort(order.begin() + std::ptrdiff_t(gone), order.end());
    for (std::size_t k = 0; k < order.size(); ++k) {
        const auto i = std::size_t(order[k]);
        m.target[std::size_t(sources[i])] = k < gone ? nearest[i] : std::int32_t(m.merged++);
    }
    return m;
}

// The mean of the tokens that go to one place: (n, c) → (1, merged, c).
Tensor averaged(const Tensor& tokens, const Merging& m) {
    const HostTensor host = download(tokens);
    const std::int64_t n = tokens.shape()[0], c = tokens.shape()[1];
    std::vector<double> sum(std::size_t(m.merged * c)), count(std::size_t(m.merged));
    const std::vector<float> values = host.toFloats();
    for (std::int64_t i = 0; i < n; ++i) {
        const auto to = std::size_t(m.target[std::size_t(i)]);
        ++count[to];
        for (std::size_t e = 0; e < std::size_t(c); ++e)
            sum[to * std::size_t(c) + e] += double(values[std::size_t(i * c) + e]);
    }
    std::vector<float> mean(sum.size());
    for (std::size_t i = 0; i < sum.size(); ++i) mean[i] = float(sum[i] / count[i / std::size_t(c)]);
    return upload(tokens.backend(), HostTensor::fromFloats({1, m.merged, c}, mean)).converted(tokens.type());
}

class TokenMerging final : public nn::SiteHook {
public:
    TokenMerging(const Params& p, const ModelInfo& model)
        : m_ratio(real(p, "ratio")), m_isEverywhere(text(p, "where") == "all") {
        for (const TapSite& b : model.blocks) m_finest = std::max(m_finest, b.height);
    }
    bool actsAt(const nn::Site& site) const override { return site.kind == nn::SiteKind::SelfAttention; }
    bool decidesPerRow() const override { return true; }
    void starting() override { m_saved.clear(); }
    bool attend(const nn::SiteCall& call, const nn::Attention& a, const Tensor& y) override {
        const std::int64_t n = a.q.shape()[1], c = y.shape()[-1];
        const bool isHere = m_isEverywhere || call.grid.height >= m_finest;
        double& saved = m_saved[SavedWork::at(call)] = 0;
        if (!isHere || a.probabilities || n != std::int64_t(call.grid.height) * call.grid.width) return false;
        const auto flat = [&](const Tensor& t) { return t.clone().reshaped({n, t.shape()[-1]}); };
        const Tensor k = flat(a.k);
        const Merging m = mergingOf(y.backend(), download(k), call.grid, m_ratio);
        nn::Attention few{averaged(flat(a.q), m), averaged(k, m), averaged(flat(a.v), m), a.heads};
        const Tensor result = nn::attend(few).reshaped({m.merged, c});
        y.backend().copy(nn::embedding(m.target, result).reshaped({1, n, c}), y);
        const double pairs = double(n) * double(n) - double(m.merged) * double(m.merged),
                     compared = double(n / 4) * double(n - n / 4);
        saved = 4 * double(c) * pairs - 2 * double(c) * compared;
        return true;
    }
    std::optional<double> savedFlops(std::int64_t offset) const override { return m_saved.of(offset); }

private:
    double m_ratio;
    bool m_isEverywhere;
    int m_finest = 0;
    SavedWork m_saved;
};

}  // namespace

InterventionInfo tokenMerging() {
    return {.id = "token_merging",
            .label = label,
            .summary = "Computes self-attention on fewer tokens, those that are alike averaged",
            .source = "Bolya et al. 2023, Token Merging; Bolya & Hoffman 2023",
            .params = {percentParam("ratio", "Ratio", 0.5, 0, 0.75, "tokens", "Share of the tokens that are merged."),
                       choiceParam("where", "Places", {{"finest", "The finest grid"}, {"all", "Every grid"}},
                                   "At which resolutions of the network; the finest costs most and bears it best.")},
            .hasMemory = true,
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                if (s.model.blocks.empty())
                    throw Failure(std::string(label) + " works inside the self-attention of a network, and '"
                                  + s.model.name
                                  + "' has none. Choose a U-Net or a diffusion transformer, for example "
                                    "builtin:sprites-unet, or remove the rule.");
                return std::make_shared<TokenMerging>(p, s.model);
            }};
}

}  // namespace meander::intervention
