// Residual classifier-free guidance (Kodaira et al. 2023, StreamDiffusion): the unconditional estimate is replaced by a
// virtual one, the noise that leads from y back to a fixed clean state: ε_res = (y − a x̂0)/τ, D_u = (y − δ τ ε_res)/a.
// "self": that state is a reference image, the data that the run starts from (the paper's image-to-image), or the run's
// first estimate, no further row at all; "onetime": the
// unconditional estimate of the first step, one row in the whole run.
#include <optional>

#include "engine/guidance/reference.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class ResidualCfg final : public GuidanceRun {
public:
    ResidualCfg(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup),
          m_scale(real(p, "scale")),
          m_delta(real(p, "delta")),
          m_isOnetime(text(p, "kind") == "onetime") {
        if (!text(p, "reference").empty() && !m_isOnetime)
            m_image = referenceImage(text(p, "reference"), setup.model, "Residual guidance");
    }
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_isOnetime && !m_reference && m.isFirst && m_from.isConditioned && m_scale != 1)
            w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_reference && !m_isOnetime)
            m_reference = m_image && m.model ? referenceState(m_image, *m.model, parts.conditional)
                          : m.clean          ? m.clean
                                             : parts.conditional;
        if (!m_reference) m_reference = parts.unconditional;
        if (!m_reference || !acts(m)) return;
        // δ = 1 makes D_u the reference itself; otherwise part of y is taken for signal, which pure noise has none of.
        const double a = m.signal(), delta = a > 0 ? m_delta : 1;
        const Tensor virtualOne =
            delta == 1 ? m_reference : combine({{(1 - delta) / a, m.state}, {delta, m_reference}});
        parts.guide(combine({{m_scale, parts.conditional}, {1 - m_scale, virtualOne}}));
    }
    void select(const std::vector<std::int64_t>& rows) override {
        if (m_reference) m_reference = gatheredRows(m_reference, rows);
    }
    double weight(const GuidanceMoment& m) const override { return acts(m) ? m_scale : 1; }

private:
    bool acts(const GuidanceMoment& m) const {
        return m_scale != 1 && m_from.window.holds(m) && (m_from.isConditioned || !m_isOnetime);
    }
    Extrapolation m_from;
    double m_scale, m_delta;
    bool m_isOnetime;
    HostTensor m_image;
    Tensor m_reference;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "scale") == 1) return "Residual guidance has no effect at scale 1.";
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return text(c.params, "kind") == "onetime" ? whyConditionsAreEqual(c) : "";
}

}  // namespace

GuidanceRule residualCfg() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("scale", "γ", 1.2, 0, 20,
                   "Weight of the conditional estimate over the virtual unconditional one; 1 is off."),
         choiceParam("kind", "Kind",
                     {{"onetime", "One time: the first unconditional estimate"}, {"self", "Self: a fixed clean state"}},
                     "Where the virtual unconditional estimate comes from."),
         advanced(realParam("delta", "δ", 1, 0, 2, "Factor on the virtual noise.")),
         advanced(imageParam(
             "reference", "Reference image",
             "Path of a PNG for the kind 'self'; empty: the data that the run starts from, or its first conditional "
             "estimate when it starts from noise."))});
    return {.id = "residual_cfg",
            .label = "Residual guidance",
            .group = "Combination",
            .summary = "Guidance from a virtual unconditional estimate that costs no row",
            .source = "Kodaira et al. 2023, StreamDiffusion",
            .cost = "one more row in the whole run (onetime), or none (self)",
            .params = params,
            .guides = true,
            .make = made<ResidualCfg>,
            .idle = idle};
}

}  // namespace meander::guidance
