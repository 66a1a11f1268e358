// Perp-Neg (Armandpour et al. 2023): of each negative prompt only what is perpendicular to the positive one counts. D =
// e + w (pos − Σ kᵢ perpᵢ), differences from the unconditional e, so the formula is the same in every space.
// Projections are per image.
#include <algorithm>

#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class PerpNeg final : public GuidanceRun {
public:
    PerpNeg(const Params& p, GuidanceSetup& setup) : m_from(p, setup), m_scale(real(p, "scale")) {
        if (!m_from.isConditioned) return;
        m_empty = setup.empty();
        const auto texts = partsOf(text(p, "negatives"));
        for (std::size_t i = 0; i < texts.size(); ++i)
            m_negatives.emplace_back(setup.prompt(texts[i]), at(p, "weights", i, 1));
        if (texts.empty() && !setup.recipe.negativePrompt.empty())
            m_negatives.emplace_back(Branch::Unconditional, at(p, "weights", 0, 1));
    }

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (!acts(m)) return;
        if (m_scale != 1 || !m_negatives.empty()) w.want(m_empty);
        for (const auto& n : m_negatives) w.want(n.first);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!acts(m)) return;
        const Tensor& e = parts.of(m_empty);
        const Tensor positive = combine({{1, parts.conditional}, {-1, e}});
        const auto squares = positive.backend().dotRows(positive, positive);
        Tensor guided = combine({{1, e}, {m_scale, positive}});
        for (const auto& [branch, weight] : m_negatives) {
            const Tensor negative = combine({{1, parts.of(branch)}, {-1, e}});
            auto along = positive.backend().dotRows(negative, positive);
            for (std::size_t i = 0; i < along.size(); ++i) along[i] = squares[i] > 0 ? -along[i] / squares[i] : 0;
            const Tensor perpendicular = mixedRows(negative, std::vector<double>(along.size(), 1.0), positive, along);
            guided = combine({{1, guided}, {-m_scale * weight, perpendicular}});
        }
        parts.guide(guided);
    }
    double weight(const GuidanceMoment& m) const override { return acts(m) ? m_scale : 1; }

private:
    bool acts(const GuidanceMoment& m) const {
        return m_from.isConditioned && m_from.window.holds(m) && (m_scale != 1 || !m_negatives.empty());
    }
    Extrapolation m_from;
    double m_scale;
    Branch m_empty = Branch::Unconditional;
    std::vector<std::pair<Branch, double>> m_negatives;
};

std::string idle(const GuidanceContext& c) {
    if (c.model.conditioning == ConditioningKind::None) return whyConditionsAreEqual(c);
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    if (real(c.params, "scale") == 0) return {};
    if (!partsOf(text(c.params, "negatives")).empty() || !c.recipe.negativePrompt.empty()) return {};
    return real(c.params, "scale") == 1 ? "Perp-Neg has no effect: there is no negative prompt, and the scale is 1."
                                        : "";
}

}  // namespace

GuidanceRule perpNeg() {
    const std::vector<ParamSpec> params =
        withWindow({scaleParam(7.5),
                    textParam("negatives", "Negative prompts",
                              "One or several, separated by |; empty: the recipe's negative prompt."),
                    listParam("weights", "Weights", 0, 100, "One for each negative prompt; missing ones are 1.")});
    return {.id = "perp_neg",
            .label = "Perp-Neg",
            .group = "Combination",
            .summary = "Negative prompts that cannot take away what the prompt asks for",
            .source = "Armandpour et al. 2023",
            .cost = "one more row and one for each negative prompt while it acts",
            .params = params,
            .guides = true,
            .make = made<PerpNeg>,
            .idle = idle};
}

}  // namespace meander::guidance
