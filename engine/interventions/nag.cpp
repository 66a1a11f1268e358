// Normalised attention guidance (Chen et al. 2025): every cross-attention's output z becomes the guided
// z̃ = scale·z − (scale − 1)·z₋, whose L1 norm per token may be at most tau times that of z, blended as
// alpha·z̃ + (1 − alpha)·z. z₋: the same queries attend to another prompt.
#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

class Nag final : public nn::SiteHook {
public:
    Nag(const Params& p, const InterventionSetup& s)
        : m_scale(real(p, "scale")), m_tau(real(p, "tau")), m_alpha(real(p, "alpha")) {
        const std::string& prompt = text(p, "prompt");
        m_avoided = s.condition({.text = prompt, .unconditional = prompt.empty()})->conditions.at(condition::context);
        if (!m_avoided)
            throw Failure("Normalised attention guidance works inside cross-attention to text, which '" + s.model.name
                          + "' does not have. Choose a text model, or remove the rule.");
    }
    bool actsAt(const nn::Site& site) const override { return site.kind == nn::SiteKind::CrossAttention; }
    void attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor& y) override {
        const std::int64_t c = y.shape()[-1];
        nn::Attention avoided{
            {}, m_avoided.columns(call.site.context, c), m_avoided.columns(call.site.context + c, c), a.heads};
        for (std::int64_t r = 0; r < call.rows; ++r) {
            avoided.q = a.q.slice(r, 1);
            guide(y.slice(r, 1).reshaped({y.shape()[1], c}), nn::attend(avoided).reshaped({y.shape()[1], c}));
        }
    }

private:
    // z (tokens, c), in place; z₋ of the same shape. L1 norms per token are taken on the host.
    void guide(const Tensor& z, const Tensor& minus) const {
        Backend& b = z.backend();
        const Tensor positive = wide(z), guided = combine({{m_scale, positive}, {1 - m_scale, wide(minus)}});
        const auto own = b.reduceRows(kernels::Reduction::SumAbs, positive),
                   norms = b.reduceRows(kernels::Reduction::SumAbs, guided);
        std::vector<double> onGuided(own.size()), onOwn(own.size(), 1 - m_alpha);
        for (std::size_t i = 0; i < own.size(); ++i) {
            const double ratio = std::max(norms[i], 1e-6) / std::max(own[i], 1e-6);
            onGuided[i] = m_alpha * std::min(ratio, m_tau) / ratio;
        }
        const Tensor values[] = {guided, positive};
        const std::vector<double> factors[] = {onGuided, onOwn};
        b.convert(combineRows(values, factors), z);
    }
    static Tensor wide(const Tensor& t) { return t.converted(DType::F32); }

    double m_scale, m_tau, m_alpha;
    Tensor m_avoided;  // (1, tokens, total): keys and values of the other prompt
};

}  // namespace

InterventionInfo nag() {
    return {.id = "nag",
            .label = "Normalised attention guidance",
            .summary = "Cross-attention is guided away from another prompt",
            .source = "Chen et al. 2025",
            .params = {realParam("scale", "Scale", 5, 0, 50,
                                 "Extrapolation of each attention output away from the prompt; 1 is off.", 0.25),
                       realParam("tau", "τ", 2.5, 1, 1e9, "Largest growth of a token's L1 norm."),
                       realParam("alpha", "α", 0.25, 0, 1, "Share of the guided output; 0 is off."),
                       textParam("prompt", "Prompt", "What to avoid; empty: the unconditional text.")},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<Nag>(p, s);
            }};
}

}  // namespace meander::intervention
