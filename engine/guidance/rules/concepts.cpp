// Concept-wise steering with a monitor (Semantic Guidance Tuning, Kang et al. 2023): for every concept cᵢ the direction
// δᵢ = D(·, cᵢ) − D(·, ∅) is compared with the prompt's, cosᵢ = ⟨δ_p, δᵢ⟩/(‖δ_p‖‖δᵢ‖); where it falls below the
// threshold, λ δᵢ is added. The cosine is the same on ε and on x̂0.
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class Concepts final : public GuidanceRun {
public:
    Concepts(const Params& p, GuidanceSetup& s)
        : m_window(p), m_strength(real(p, "strength")), m_threshold(real(p, "threshold")) {
        const auto texts = partsOf(text(p, "concepts"));
        for (std::size_t i = 0; i < texts.size(); ++i)
            m_concepts.push_back({texts[i], s.prompt(texts[i]), at(p, "weights", i, 1)});
    }
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_concepts.empty() || !m_window.holds(m)) return;
        w.want(Branch::Unconditional);
        for (const auto& c : m_concepts) w.want(c.branch);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (m_concepts.empty() || !m_window.holds(m)) return;
        const Tensor &whole = parts.of(Branch::Conditional), &none = parts.of(Branch::Unconditional);
        const Tensor prompt = combine({{1, whole}, {-1, none}});
        const auto promptNorm = normRows(prompt);
        for (const auto& c : m_concepts) {
            const Tensor direction = combine({{1, parts.of(c.branch)}, {-1, none}});
            auto cosine = prompt.backend().dotRows(prompt, direction);
            const auto norm = normRows(direction);
            std::vector<double> push(cosine.size());
            for (std::size_t i = 0; i < cosine.size(); ++i) {
                const double length = norm[i] * promptNorm[i];
                cosine[i] = length > 0 ? cosine[i] / length : 0;
                push[i] = cosine[i] < m_threshold ? m_strength * c.weight : 0;
            }
            parts.combined = mixedRows(parts.combined, std::vector<double>(push.size(), 1.0), direction, push);
            parts.metrics.push_back({"cos " + c.label, cosine});
            parts.metrics.push_back({"steering " + c.label, push});
        }
    }

private:
    struct Concept {
        std::string label;
        Branch branch;
        double weight;
    };
    Window m_window;
    double m_strength, m_threshold;
    std::vector<Concept> m_concepts;
};

std::string idle(const GuidanceContext& c) {
    if (partsOf(text(c.params, "concepts")).empty()) return "Concept steering has no effect: no concept is named.";
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return real(c.params, "strength") == 0 ? "Concept steering only watches at strength 0." : "";
}

}  // namespace

GuidanceRule concepts() {
    const std::vector<ParamSpec> params = withWindow(
        {textParam("concepts", "Concepts", "Parts of the prompt to watch, separated by |; classes by name or number."),
         realParam("strength", "Strength λ", 1, 0, 20,
                   "How much of a concept's direction is added while it is ignored; 0 only watches.", 0.1),
         realParam("threshold", "Threshold", 0.2, -1, 1,
                   "Cosine to the prompt's direction below which a concept counts as ignored."),
         advanced(listParam("weights", "Weights", -20, 20, "One for each concept; missing ones are 1."))});
    return {.id = "concepts",
            .label = "Concept steering",
            .group = "Several concepts and models",
            .summary = "Watches how well each concept lines up with the prompt and steers towards ignored ones",
            .source = "Kang et al. 2023, Semantic Guidance Tuning",
            .cost = "one more row for each concept, and the unconditional one, while it acts",
            .params = params,
            .guides = true,
            .make = made<Concepts>,
            .idle = idle};
}

}  // namespace meander::guidance
