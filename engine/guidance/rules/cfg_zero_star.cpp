// CFG-Zero* (Fan et al. 2025): the unconditional output is first scaled by its best fit α = ⟨c, u⟩/‖u‖² to the
// conditional one; the first steps may output zero. Not linear in x̂0, so the space is a parameter: diffusers fits and
// combines the network's output; ComfyUI fits ε and combines x̂0 with that α.
#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

class ZeroStar final : public GuidanceRun {
public:
    ZeroStar(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup),
          m_scale(real(p, "scale")),
          m_zeroSteps(int(integer(p, "zero_steps"))),
          m_space(text(p, "space")),
          m_combinesEstimate(text(p, "combined_in") == "x0") {}

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_from.acts(m, m_scale) && m.step >= m_zeroSteps) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_from.isConditioned) return;
        const Space s = spaceOf(m_space, m);
        if (m.step < m_zeroSteps)
            return parts.guide(s.back(combine({{0, s.from(parts.conditional, m.state)}}), m.state));
        if (!m_from.acts(m, m_scale)) return;
        const Tensor c = s.from(parts.conditional, m.state), u = s.from(parts.unconditional, m.state);
        auto alpha = u.backend().dotRows(c, u);
        const auto squares = u.backend().dotRows(u, u);
        const double w = m_from.standard(m_scale);
        for (std::size_t i = 0; i < alpha.size(); ++i) alpha[i] *= (1 - w) / (squares[i] + 1e-8);
        const std::vector<double> onC(alpha.size(), w);
        parts.guide(m_combinesEstimate ? mixedRows(parts.conditional, onC, parts.unconditional, alpha)
                                       : s.back(mixedRows(c, onC, u, alpha), m.state));
    }
    double weight(const GuidanceMoment& m) const override {
        return m_from.acts(m, m_scale) && m.step >= m_zeroSteps ? m_from.standard(m_scale) : 1;
    }

private:
    Extrapolation m_from;
    double m_scale;
    int m_zeroSteps;
    std::string m_space;
    bool m_combinesEstimate;
};

std::string idle(const GuidanceContext& c) {
    if (integer(c.params, "zero_steps") > 0 && c.model.conditioning != ConditioningKind::None) return {};
    return whyExtrapolationIsIdle(c, real(c.params, "scale"));
}

}  // namespace

GuidanceRule cfgZeroStar() {
    const std::vector<ParamSpec> params = withWindow(
        {scaleParam(4),
         integerParam("zero_steps", "Zero steps", 1, 0, 1000,
                      "In this many first steps the output is zero: for a flow the state stays where it is."),
         spaceParam("output"),
         advanced(choiceParam("combined_in", "Combined in",
                              {{"space", "The same space"}, {"x0", "The clean estimate (ComfyUI, with the space ε)"}},
                              "Where the fitted estimates are combined.")),
         formulationParam()});
    return {.id = "cfg_zero_star",
            .label = "CFG-Zero*",
            .group = "Combination",
            .summary = "Guidance from an unconditional estimate scaled to fit, with zero output in the first steps",
            .source = "Fan et al. 2025",
            .cost = "one more row while it acts, none in zero steps",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<ZeroStar>,
            .idle = idle};
}

}  // namespace meander::guidance
