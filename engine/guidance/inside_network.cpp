#include "engine/guidance/inside_network.h"

#include "engine/core/switched.h"
#include "engine/guidance/rule_common.h"
#include "engine/interventions/intervention.h"
#include "engine/recipe/recipe.h"

namespace meander {
namespace {

class InsideNetwork final : public GuidanceRun {
public:
    InsideNetwork(Choice intervention, const Params& p, bool acts)
        : m_intervention(std::move(intervention)), m_window(p), m_acts(acts) {}
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_acts && m_window.holds(m)) w.interventions.emplace_back(m_intervention, EvaluationPlan::Rows::All);
    }
    void apply(const GuidanceMoment&, GuidanceParts&) override {}

private:
    Choice m_intervention;
    Window m_window;
    bool m_acts;
};

}  // namespace

GuidanceRule insideNetwork(GuidanceRule rule) {
    rule.group = "Inside the network";
    std::vector<ParamSpec> params = findIntervention(rule.id)->params;
    for (auto& s : rule.params) params.push_back(std::move(s));
    rule.params = withWindow(std::move(params));
    return rule;
}

std::unique_ptr<GuidanceRun> insideNetwork(const std::string& intervention, const Params& p, const GuidanceSetup& s,
                                           bool acts) {
    Choice choice{intervention, {}};
    for (const auto& spec : findIntervention(intervention)->params)
        if (const auto it = p.find(spec.key); it != p.end()) choice.params.insert(*it);
    if (const GuidanceRule& rule = *findGuidance(intervention); acts && rule.keepsFeatures)
        for (const Choice& other : s.recipe.guidance)
            if (other.id == "reward_steering" && !isSwitchedOff(other))
                throw Failure(rule.label
                              + " keeps what the network made of each image, and reward steering lets one image go on "
                                "as another. Remove one of them.");
    makeHook(choice, {s.model, {}});  // refuses before the run what does not fit the model
    return std::make_unique<InsideNetwork>(std::move(choice), p, acts);
}

}  // namespace meander
