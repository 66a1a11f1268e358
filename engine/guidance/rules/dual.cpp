// Two conditions with a weight each (Brooks et al. 2023, InstructPix2Pix: image and text). With u unconditional, m
// the middle condition, c the prompt: regular u + w₂ (m − u) + w₁ (c − m); nested u + w₂ (m + w₁ (c − m) − u), as
// ComfyUI's two styles. Of a model that changes an image, m is the image alone and u has no image.
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class Dual final : public GuidanceRun {
public:
    Dual(const Params& p, GuidanceSetup& setup)
        : m_from(p, setup),
          m_scale(real(p, "scale")),
          m_middleScale(real(p, "middle_scale")),
          m_isNested(text(p, "style") == "nested") {
        if (isImageInTheMiddle(text(p, "middle"), setup.model)) m_none = setup.withoutImage();
        else m_middle = setup.prompt(text(p, "middle"));
    }

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (!acts(m)) return;
        if (onUnconditional() != 0) w.want(m_none);
        if (onMiddle() != 0) w.want(m_middle);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!acts(m)) return;
        std::vector<LinearTerm> terms{{1 - onUnconditional() - onMiddle(), parts.conditional}};
        if (onUnconditional() != 0) terms.push_back({onUnconditional(), of(parts, m_none)});
        if (onMiddle() != 0) terms.push_back({onMiddle(), of(parts, m_middle)});
        parts.guide(combine(terms));
    }
    double weight(const GuidanceMoment& m) const override { return acts(m) ? 1 - onUnconditional() : 1; }

private:
    double onUnconditional() const { return 1 - m_middleScale; }
    double onMiddle() const { return m_isNested ? m_middleScale * (1 - m_scale) : m_middleScale - m_scale; }
    static bool isImageInTheMiddle(const std::string& middle, const ModelInfo& model) {
        return middle.empty() && model.imageCondition == ImageCondition::Editing;
    }
    // Rules before this one may have replaced the unconditional estimate.
    static const Tensor& of(const GuidanceParts& parts, Branch b) {
        return b == Branch::Unconditional ? parts.unconditional : parts.of(b);
    }
    bool acts(const GuidanceMoment& m) const { return m_from.window.holds(m) && (m_scale != 1 || m_middleScale != 1); }
    Extrapolation m_from;
    double m_scale, m_middleScale;
    bool m_isNested;
    Branch m_none = Branch::Unconditional, m_middle = Branch::Unconditional;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "scale") == 1 && real(c.params, "middle_scale") == 1)
        return "Guidance has no effect: both scales are 1.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule dual() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("scale", "Scale", 7.5, 0, 50, "Weight w₁ of the prompt beyond the middle condition.", 0.25),
         realParam("middle_scale", "Middle scale", 1.5, 0, 50, "Weight w₂ of the middle condition beyond none.", 0.25),
         textParam("middle", "Middle condition",
                   "What is held while the prompt is varied: a prompt, or a class by name or number. Left empty for a "
                   "model that changes an image: the image."),
         choiceParam("style", "Style", {{"regular", "Side by side"}, {"nested", "Nested"}},
                     "Side by side: each weight acts on its own difference; nested: the middle scale acts on both.")});
    return {.id = "dual",
            .label = "Dual guidance",
            .group = "Combination",
            .summary = "Two conditions with a weight each, side by side or nested",
            .source = "Brooks et al. 2023, InstructPix2Pix",
            .cost = "up to two more rows while it acts",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<Dual>,
            .idle = idle};
}

}  // namespace meander::guidance
