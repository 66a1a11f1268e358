// MAMBO-G (magnitude-aware guidance, 2025): the weight shrinks where the update is large beside the unconditional
// estimate, w' = 1 + (w − 1) exp(−α‖c − u‖/‖u‖).
#include <cmath>

#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

class MagnitudeAware final : public GuidanceRun {
public:
    MagnitudeAware(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup), m_scale(real(p, "scale")), m_alpha(real(p, "alpha")), m_space(text(p, "space")) {}

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_from.acts(m, m_scale)) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_from.acts(m, m_scale)) return;
        const Space s = spaceOf(m_space, m);
        const Tensor c = s.from(parts.conditional, m.state), u = s.from(parts.unconditional, m.state);
        auto onC = normRows(combine({{1, c}, {-1, u}}));
        const auto norms = normRows(u);
        std::vector<double> onU(onC.size());
        for (std::size_t i = 0; i < onC.size(); ++i) {
            const double damping = norms[i] > 0 ? std::exp(-m_alpha * onC[i] / norms[i]) : 0;
            const double w = m_from.isOriginal ? 1 + m_scale * damping : 1 + (m_scale - 1) * damping;
            onC[i] = w;
            onU[i] = 1 - w;
        }
        parts.metrics.push_back({"weight", onC});
        parts.guide(s.back(mixedRows(c, onC, u, onU), m.state));
    }
    double weight(const GuidanceMoment& m) const override {
        return m_from.acts(m, m_scale) ? m_from.standard(m_scale) : 1;
    }

private:
    Extrapolation m_from;
    double m_scale, m_alpha;
    std::string m_space;
};

std::string idle(const GuidanceContext& c) { return whyExtrapolationIsIdle(c, real(c.params, "scale")); }

}  // namespace

GuidanceRule magnitudeAware() {
    const std::vector<ParamSpec> params = withWindow(
        {scaleParam(10),
         realParam("alpha", "α", 8, 0, 100, "How strongly a large update lowers the weight; 0 is plain guidance.", 0.5),
         spaceParam("output"), formulationParam()});
    return {.id = "magnitude_aware",
            .label = "Magnitude-aware guidance",
            .group = "Combination",
            .summary = "Guidance whose weight shrinks where the update is large",
            .source = "MAMBO-G 2025",
            .cost = "one more row while it acts",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<MagnitudeAware>,
            .idle = idle};
}

}  // namespace meander::guidance
