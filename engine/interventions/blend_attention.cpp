// Attention blended with a pattern that knows nothing: P' = (1 − u) P + u T, where T is the identity (every place keeps
// its own value) or uniform (every place takes the mean), for all heads of a layer or one (SoftPAG: Ahn et al. 2025).
#include "engine/interventions/common.h"
#include "engine/interventions/map_part.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Attention blending";

class BlendAttention final : public BlockHook {
public:
    BlendAttention(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, attentionsNamed(text(p, "attention"), s.model, label)),
          m_amount(real(p, "amount")),
          m_isIdentity(text(p, "with") == "identity") {
        if (p.contains("head")) m_head = integer(p, "head");
        if (m_head) checkHead(*m_head, text(p, "layers"), s.model, label);
        if (m_isIdentity && text(p, "attention") == "cross")
            throw Failure(
                std::string(label)
                + " with the identity is for attention among places: words have no place of their own. Choose "
                  "uniform, or self-attention.");
    }
    bool changesProbabilities(const nn::SiteCall& call) const override {
        return !m_isIdentity || call.site.kind != nn::SiteKind::CrossAttention;
    }
    void weighing(const nn::SiteCall& call, const nn::Attention& a) override {
        if (!changesProbabilities(call)) return;
        Backend& b = a.probabilities.backend();
        const Shape s = a.probabilities.shape();
        const std::int64_t n = s[2], m = s[3];
        std::vector<float> pattern(std::size_t(m_isIdentity ? n * m : 1), m_isIdentity ? 0.0f : 1.0f / float(m));
        for (std::int64_t i = 0; m_isIdentity && i < n; ++i) pattern[std::size_t(i * m + i)] = 1;
        Tensor target =
            uploaded(b, {n, m}, m_isIdentity ? pattern : std::vector<float>(std::size_t(n * m), pattern[0]));
        for (std::int64_t r = 0; r < call.rows; ++r)
            for (std::int64_t h = m_head.value_or(0); h <= m_head.value_or(s[1] - 1); ++h) {
                const Tensor map = mapsOfRow(a, r).slice(h, 1).reshaped({n, m});
                b.copy(combine({{1 - m_amount, map}, {m_amount, target}}), map);
            }
    }

private:
    double m_amount;
    bool m_isIdentity;
    std::optional<std::int64_t> m_head;
};

}  // namespace

InterventionInfo blendAttention() {
    return {.id = "blend_attention",
            .label = label,
            .summary = "Blends attention with the identity or with the mean, by head if need be",
            .source = "Ahn et al. 2025, SoftPAG",
            .params = {realParam("amount", "Amount", 1, 0, 1,
                                 "Share u of the pattern; 0 is off, 1 leaves nothing of "
                                 "the attention.",
                                 0.05),
                       choiceParam("with", "With", {{"uniform", "Uniform"}, {"identity", "Identity"}},
                                   "Uniform: every place takes the mean of all values; identity: every place keeps its "
                                   "own."),
                       blocksParam(), attentionParam(),
                       optionalParam(integerParam("head", "Head", 0, 0, 1023, "Which head, from 0; absent: all."))},
            .holdsMaps = true,
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<BlendAttention>(p, s);
            }};
}

}  // namespace meander::intervention
