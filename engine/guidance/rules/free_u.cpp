// FreeU (Si et al. 2023): backbone and skip connections of a U-Net weighed anew on its way up, in every row of the run
// (interventions/free_u.cpp).
#include <algorithm>

#include "engine/guidance/rule_common.h"
#include "engine/interventions/intervention.h"

namespace meander::guidance {
namespace {

// The parameters of the intervention are those of the rule, without its window.
const std::vector<ParamSpec>& interventionParams() { return findIntervention("freeu")->params; }

bool isPlain(const Params& p) {
    return real(p, "b1") == 1 && real(p, "b2") == 1 && real(p, "s1") == 1 && real(p, "s2") == 1;
}

class FreeU final : public GuidanceRun {
public:
    FreeU(const Params& p, const GuidanceSetup& s) : m_window(p), m_acts(!isPlain(p)) {
        for (const auto& spec : interventionParams()) m_intervention.params[spec.key] = p.at(spec.key);

        const auto& blocks = s.model.blocks;
        if (std::none_of(blocks.begin(), blocks.end(),
                         [](const TapSite& b) { return b.path.starts_with("mid_block."); }))
            throw Failure("FreeU weighs the skip connections of a U-Net, which '" + s.model.name
                          + "' does not have. Choose a U-Net, for example builtin:sprites-unet, or remove the rule.");
    }
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_acts && m_window.holds(m)) w.interventions.emplace_back(m_intervention, EvaluationPlan::Rows::All);
    }
    void apply(const GuidanceMoment&, GuidanceParts&) override {}

private:
    Window m_window;
    bool m_acts;
    Choice m_intervention{"freeu", {}};
};

std::string idle(const GuidanceContext& c) {
    if (isPlain(c.params)) return "FreeU has no effect: all four factors are 1.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule freeU() {
    std::vector<ParamSpec> params = interventionParams();
    for (auto& s : windowParams()) params.push_back(std::move(s));
    return {.id = "freeu",
            .label = "FreeU",
            .group = "Inside the network",
            .summary = "Weighs backbone and skip connections of a U-Net anew",
            .source = "Si et al. 2023, FreeU",
            .cost = "nothing",
            .params = params,
            .make = made<FreeU>,
            .idle = idle};
}

}  // namespace meander::guidance
