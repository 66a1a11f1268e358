// Normalised attention guidance (Chen et al. 2025): negative prompts inside the cross-attention, in the same row, so
// they work without a second one and in few-step models.
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class Nag final : public GuidanceRun {
public:
    Nag(const Params& p, GuidanceSetup& s)
        : m_window(p),
          m_isNeutral(real(p, "scale") == 1 || real(p, "alpha") == 0),
          m_usesNegativePrompt(text(p, "prompt").empty()) {
        if (s.model.conditioning != ConditioningKind::Text || s.model.blocks.empty())
            throw Failure(
                "Normalised attention guidance works inside cross-attention to text, which '" + s.model.name
                + "' does not have. Choose a text model, for example builtin:sprites-unet, or remove the rule.");
        // A prompt of its own is named as a branch, so that the run prepares it before it starts.
        if (!m_usesNegativePrompt) s.prompt(text(p, "prompt"));
        m_intervention = {"nag",
                          {{"scale", real(p, "scale")},
                           {"tau", real(p, "tau")},
                           {"alpha", real(p, "alpha")},
                           {"prompt", m_usesNegativePrompt ? s.recipe.negativePrompt : text(p, "prompt")}}};
    }
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_isNeutral || !m_window.holds(m)) return;
        w.interventions.push_back({m_intervention, EvaluationPlan::Rows::RecipePrompt});
        w.usesNegativePrompt |= m_usesNegativePrompt;
    }
    void apply(const GuidanceMoment&, GuidanceParts&) override {}

private:
    Window m_window;
    bool m_isNeutral, m_usesNegativePrompt;
    Choice m_intervention;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "scale") == 1) return "Normalised attention guidance has no effect at scale 1.";
    if (real(c.params, "alpha") == 0) return "Normalised attention guidance has no effect at α 0.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule nag() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("scale", "Scale", 5, 0, 50,
                   "Extrapolation of each attention output away from the negative prompt; 1 is off.", 0.25),
         realParam("tau", "τ", 1.5, 1, 10, "Largest growth of a token's L1 norm."),
         realParam("alpha", "α", 0.5, 0, 1, "Share of the guided output; 0 is off."),
         textParam("prompt", "Negative prompt", "What to avoid; empty: the recipe's negative prompt, or none.")});
    return {.id = "nag",
            .label = "Normalised attention guidance",
            .group = "Combination",
            .summary = "Avoids a prompt inside the cross-attention, without a second row",
            .source = "Chen et al. 2025",
            .cost = "no row; twice the cross-attention",
            .params = params,
            .make = made<Nag>,
            .idle = idle};
}

}  // namespace meander::guidance
