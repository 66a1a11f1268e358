// The guidance scale that a guidance-distilled network is conditioned on (Meng et al. 2023; Luo et al. 2023): guidance
// without a second row.
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class Distilled final : public GuidanceRun {
public:
    Distilled(const Params& p, const GuidanceSetup& setup)
        : m_window(p), m_scale(p, "scale", "curve"), m_isTold(setup.model.takesGuidance) {}
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_isTold && m_window.holds(m)) w.guidance = m_scale.at(m);
    }
    void apply(const GuidanceMoment&, GuidanceParts&) override {}

private:
    Window m_window;
    Followed m_scale;
    bool m_isTold;
};

std::string idle(const GuidanceContext& c) {
    if (!c.model.takesGuidance)
        return "Distilled guidance has no effect: '" + c.model.name + "' is not conditioned on a guidance scale.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule distilled() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("scale", "Scale", 3.5, 0, 50,
                   "The scale the network is conditioned on; it imitates that much guidance in one row.", 0.25),
         curveParam("curve", "Curve", 0, 50, "scale")});
    return {.id = "distilled",
            .label = "Distilled guidance",
            .group = "Combination",
            .summary = "Tells a guidance-distilled network its scale",
            .source = "Meng et al. 2023; Luo et al. 2023",
            .cost = "nothing",
            .params = params,
            .make = made<Distilled>,
            .idle = idle};
}

}  // namespace meander::guidance
