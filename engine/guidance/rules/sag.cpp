// Self-attention guidance (Hong et al. 2023): where the middle block's self-attention looks most, the clean estimate is
// blurred, noised again and asked about; the combination is pushed away from what comes back. A second question in
// every step: the degraded states depend on the first answer.
#include <algorithm>

#include "engine/guidance/grid.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

constexpr int kernelTaps = 9;

class Sag final : public GuidanceRun {
public:
    Sag(const Params& p, GuidanceSetup& s)
        : m_window(p), m_scale(real(p, "scale")), m_blur(real(p, "blur")), m_threshold(real(p, "threshold")) {
        const int block = blocksNamed(text(p, "layers"), s.model, "Self-attention guidance").front();
        if (s.model.state.shape.rank() != 3)
            throw Failure("Self-attention guidance blurs images, but the states of '" + s.model.name
                          + "' are points. Remove the rule.");
        m_base = s.model.conditioning != ConditioningKind::None && text(p, "branch") == "unconditional"
                     ? Branch::Unconditional
                     : Branch::Conditional;
        s.tapSelfAttention(m_base, block);
        BranchSpec spec{.label = "blurred where attention looks", .prompt = {}, .classIndex = {}};
        spec.condition =
            m_base == Branch::Unconditional ? BranchSpec::Condition::Negative : BranchSpec::Condition::Recipe;
        m_degraded = s.degraded(std::move(spec));
    }

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (!acts(m)) return;
        w.want(m_base);
        ++w.dependentCount;
    }
    std::vector<std::pair<Branch, Tensor>> dependentEvaluations(const GuidanceMoment& m,
                                                                const GuidanceParts& parts) const override {
        if (!acts(m)) return {};
        for (const auto& [branch, mass] : parts.selfMass)
            if (branch == m_base)
                return {{m_degraded, combine({{1, m.state},
                                              {m.signal(), degraded(parts.of(m_base), mass)},
                                              {-m.signal(), parts.of(m_base)}})}};
        return {};
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        const Tensor* answer = parts.find(m_degraded);
        if (!acts(m) || !answer) return;
        for (const auto& [branch, state] : parts.askedAt)
            if (branch == m_degraded) {  // x̂0 of the degraded states is D + (y' − y)/a
                const double a = m.signal();
                parts.guide(combine({{1, parts.conditional},
                                     {m_scale, parts.of(m_base)},
                                     {m_scale / a, state},
                                     {-m_scale / a, m.state},
                                     {-m_scale, *answer}}));
            }
    }

private:
    bool acts(const GuidanceMoment& m) const { return m_scale != 0 && m_window.holds(m) && m.signal() > 0; }

    // Blurred where a token receives more than `threshold` of all queries together (1 on average).
    Tensor degraded(const Tensor& estimate, const std::vector<HostTensor>& mass) const {
        Planes d = Planes::of(estimate);
        const Planes soft = m_blur > 0 ? filtered(d, gaussianWeights(kernelTaps, m_blur)) : d;
        for (std::int64_t r = 0; r < d.rows; ++r) {
            const HostTensor& map = mass[std::size_t(r)];
            const std::int64_t h = map.shape()[0], w = map.shape()[1];
            for (std::int64_t y = 0; y < d.height; ++y)
                for (std::int64_t x = 0; x < d.width; ++x)
                    if (map.at(y * h / d.height * w + x * w / d.width) > m_threshold)
                        for (std::int64_t c = 0; c < d.channels; ++c) d.at(r, y, x, c) = soft.at(r, y, x, c);
        }
        return d.tensor(estimate);
    }
    Window m_window;
    double m_scale, m_blur, m_threshold;
    Branch m_base, m_degraded;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "scale") == 0) return "Self-attention guidance has no effect at scale 0.";
    if (real(c.params, "blur") == 0) return "Self-attention guidance has no effect without blur.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule sag() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("scale", "Scale", 0.5, -2, 5, "How far the estimate is pushed away from the degraded one."),
         realParam("blur", "Blur", 2, 0, 10, "σ of the blur, in pixels of the state.", 0.1),
         advanced(
             realParam("threshold", "Threshold", 1, 0, 10, "Attention, 1 on average, above which a place is blurred.")),
         advanced(choiceParam("branch", "Branch", {{"unconditional", "Unconditional"}, {"conditional", "Conditional"}},
                              "Whose attention and estimate are used.")),
         blocksParam()});
    return {.id = "sag",
            .label = "Self-attention guidance",
            .group = "A worse copy of the network",
            .summary = "Away from the estimate of states blurred where the network looks",
            .source = "Hong et al. 2023",
            .cost = "one more row, and one for the unconditional estimate unless a combination asked it, while it acts",
            .params = params,
            .guides = true,
            .make = made<Sag>,
            .idle = idle};
}

}  // namespace meander::guidance
