// Classifier-free guidance whose weight moves from one value to another over the steps: Consistent123 (Weng et al.
// 2023) trades geometry, decided early, against texture.
#include <cmath>
#include <numbers>

#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class Progressive final : public GuidanceRun {
public:
    Progressive(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup),
          m_first(real(p, "first")),
          m_last(real(p, "last")),
          m_power(real(p, "power")),
          m_shape(text(p, "shape")) {}

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_from.acts(m, scaleAt(m))) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        const double w = scaleAt(m);
        if (m_from.acts(m, w)) parts.guide(combine({{w, parts.conditional}, {1 - w, parts.unconditional}}));
    }
    double weight(const GuidanceMoment& m) const override { return m_from.acts(m, scaleAt(m)) ? scaleAt(m) : 1; }

private:
    double scaleAt(const GuidanceMoment& m) const {
        double done = m.steps > 1 ? std::min(1.0, double(m.step) / (m.steps - 1)) : 0;
        if (m_shape == "cosine") done = 0.5 - 0.5 * std::cos(std::numbers::pi * done);
        if (m_shape == "power") done = std::pow(done, m_power);
        return m_first + (m_last - m_first) * done;
    }
    Extrapolation m_from;
    double m_first, m_last, m_power;
    std::string m_shape;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "first") == 1 && real(c.params, "last") == 1) return "Guidance has no effect at scale 1.";
    return whyExtrapolationIsIdle(c, 2);
}

}  // namespace

GuidanceRule progressiveCfg() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("first", "First scale", 6, 0, 50, "Weight at the first step, where the layout is decided.", 0.25),
         realParam("last", "Last scale", 2, 0, 50, "Weight at the last step, where texture is decided.", 0.25),
         choiceParam("shape", "Shape",
                     {{"linear", "Linear"}, {"cosine", "Half a cosine"}, {"power", "Power of the share done"}},
                     "How the weight moves from the first to the last value."),
         advanced(realParam("power", "Power", 2, 0.1, 10,
                            "Exponent of the shape 'power': above 1 it moves late, below 1 early.", 0.1))});
    return {.id = "progressive_cfg",
            .label = "Progressive guidance",
            .group = "Combination",
            .summary = "Classifier-free guidance whose weight moves from one value to another over the steps",
            .source = "Weng et al. 2023, Consistent123",
            .cost = "one more row while it acts",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<Progressive>,
            .idle = idle};
}

}  // namespace meander::guidance
