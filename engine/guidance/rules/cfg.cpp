// Classifier-free guidance (Ho & Salimans 2022) in an interval (Kynkäänniemi et al. 2024), with a weight that may
// follow a curve over the steps and rescale (Lin et al. 2024).
#include <algorithm>

#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

class Cfg final : public GuidanceRun {
public:
    Cfg(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup),
          m_scale(p, "scale", "curve"),
          m_rescale(p, "rescale", "rescale_curve"),
          m_space(text(p, "rescale_space")) {}

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_from.acts(m, m_scale.at(m))) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_from.acts(m, m_scale.at(m))) return;
        const double w = m_from.standard(m_scale.at(m)), phi = m_rescale.at(m);
        Tensor guided = combine({{w, parts.conditional}, {1 - w, parts.unconditional}});
        if (phi > 0) {
            const Space s = spaceOf(m_space, m);
            guided = s.back(rescaledRows(s.from(guided, m.state), s.from(parts.conditional, m.state), phi), m.state);
        }
        parts.guide(guided);
    }
    double weight(const GuidanceMoment& m) const override {
        return m_from.acts(m, m_scale.at(m)) ? m_from.standard(m_scale.at(m)) : 1;
    }

private:
    Extrapolation m_from;
    Followed m_scale, m_rescale;
    std::string m_space;
};

std::string idle(const GuidanceContext& c) {
    const auto& curve = std::get<std::vector<double>>(c.params.at("curve"));
    if (curve.empty()) return whyExtrapolationIsIdle(c, real(c.params, "scale"));
    const double neutral = text(c.params, "formulation") == "original" ? 0 : 1;
    if (std::all_of(curve.begin(), curve.end(), [&](double w) { return w == neutral; }))
        return "Guidance has no effect: its curve is the neutral weight everywhere.";
    return whyExtrapolationIsIdle(c, neutral + 1);
}

}  // namespace

GuidanceRule cfg() {
    std::vector<ParamSpec> params = windowParams();
    params.insert(params.begin(), scaleParam(4));
    params.insert(
        params.begin() + 3,
        realParam("rescale", "Rescale φ", 0, 0, 1,
                  "Pulls the contrast of the guided estimate back to the conditional one; cures over-saturation."));
    params.push_back(advanced(listParam("curve", "Curve", 0, 50,
                                        "Weights spread evenly over the steps with straight lines between (as many as "
                                        "steps: one each); replaces the scale.")));
    params.push_back(formulationParam());
    params.push_back(spaceParam("x0", "rescale_space"));
    params.push_back(curveParam("rescale_curve", "Rescale curve", 0, 1, "rescale φ"));
    return {.id = "cfg",
            .label = "Classifier-free guidance",
            .group = "Combination",
            .summary = "Extrapolates from the unconditional to the conditional estimate, in an interval, with rescale",
            .source = "Ho & Salimans 2022; Kynkäänniemi et al. 2024; Lin et al. 2024",
            .cost = "one more row while it acts",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<Cfg>,
            .idle = idle};
}

}  // namespace meander::guidance
