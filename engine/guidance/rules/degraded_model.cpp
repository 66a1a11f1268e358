// Guidance away from a worse copy of the network, D + s (D_c − D_worse): perturbed attention (PAG, Ahn et al. 2024:
// identity), smoothed energy (SEG, Hong 2024: blurred queries), skipped layers (SLG), and autoguidance (Karras et al.
// 2024: a weaker model, or dropped layers, as an extrapolation w D_c + (1 − w) D_weak).
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

// With `isOriginal` the weight counts on top of the conditional estimate (0 is off), else from the worse one (1 is
// off).
class WorseNetwork final : public GuidanceRun {
public:
    WorseNetwork(const Params& p, Branch worse, bool isOriginal, WindowStart start = WindowStart::RoundedUp)
        : m_window(p, start), m_scale(real(p, "scale")), m_worse(worse), m_isOriginal(isOriginal) {}
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (acts(m)) w.want(m_worse);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!acts(m)) return;
        const double s = m_isOriginal ? m_scale : m_scale - 1;
        parts.guide(combine({{1 + s, parts.conditional}, {-s, parts.of(m_worse)}}));
    }

private:
    bool acts(const GuidanceMoment& m) const { return m_scale != (m_isOriginal ? 0 : 1) && m_window.holds(m); }
    Window m_window;
    double m_scale;
    Branch m_worse;
    bool m_isOriginal;
};

std::string listed(const std::vector<int>& blocks, const ModelInfo& model) {
    std::string names;
    for (int b : blocks) names += (names.empty() ? "" : ", ") + model.blocks[std::size_t(b)].path;
    return names;
}

std::unique_ptr<GuidanceRun> attentionRule(const Params& p, GuidanceSetup& s, const std::string& rule,
                                           const std::string& what, Choice intervention) {
    const auto blocks = blocksNamed(text(p, "layers"), s.model, rule);
    intervention.params["layers"] = numbersText(blocks);
    return std::make_unique<WorseNetwork>(p,
                                          s.changed({std::move(intervention)}, what + " in " + listed(blocks, s.model)),
                                          text(p, "formulation") == "original");
}

std::unique_ptr<GuidanceRun> makePag(const Params& p, GuidanceSetup& s) {
    return attentionRule(p, s, "Perturbed-attention guidance", "identity attention", {"perturbed_attention", {}});
}

std::unique_ptr<GuidanceRun> makeSeg(const Params& p, GuidanceSetup& s) {
    Choice smoothed{"smoothed_attention", {}};
    if (p.contains("blur")) smoothed.params["blur"] = real(p, "blur");
    return attentionRule(p, s, "Smoothed energy guidance", "smoothed attention", smoothed);
}

Branch skipping(const Params& p, GuidanceSetup& s, const std::string& rule) {
    const auto blocks = blocksNamed(text(p, "layers"), s.model, rule);
    return s.changed({{"skip", {{"layers", numbersText(blocks)}, {"part", text(p, "part")}}}},
                     "skipped " + listed(blocks, s.model));
}

std::unique_ptr<GuidanceRun> makeSlg(const Params& p, GuidanceSetup& s) {
    return std::make_unique<WorseNetwork>(p, skipping(p, s, "Skip-layer guidance"),
                                          text(p, "formulation") == "original");
}

std::unique_ptr<GuidanceRun> makeAuto(const Params& p, GuidanceSetup& s) {
    if (!text(p, "model").empty())
        return std::make_unique<WorseNetwork>(p, s.otherModel(text(p, "model")), false, WindowStart::RoundedDown);
    return std::make_unique<WorseNetwork>(p, skipping(p, s, "Autoguidance without a weaker model"), false,
                                          WindowStart::RoundedDown);
}

std::string idle(const GuidanceContext& c) {
    const bool isOriginal = c.params.contains("formulation") && text(c.params, "formulation") == "original";
    if (real(c.params, "scale") == (isOriginal ? 0 : 1))
        return isOriginal ? "It has no effect at scale 0." : "It has no effect at scale 1.";
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return Window(c.params, isOriginal ? WindowStart::RoundedUp : WindowStart::RoundedDown).isEmpty(c.recipe.steps)
               ? "It has no effect: its interval holds the beginning of no step behind the first. Widen it, or use "
                 "more "
                 "steps."
               : "";
}

ParamSpec onTop() {
    return advanced(choiceParam(
        "formulation", "Formulation",
        {{"original", "D + s (c − worse)"}, {"extrapolate", "worse + s (c − worse), where nothing else guides"}},
        "How the scale counts: on top of the conditional estimate (0 is off), or from the worse one (1 is off)."));
}
ParamSpec partParam() {
    return choiceParam(
        "part", "Leave out",
        {{"block", "Whole blocks"}, {"attention", "Their attention"}, {"feed_forward", "Their feed-forward"}},
        "Which residuals the worse network does without.");
}

GuidanceRule worse(GuidanceRule rule, double from, double to) {
    rule.group = "A worse copy of the network";
    rule.cost = "one more row while it acts";
    rule.guides = true;
    rule.idle = idle;
    for (auto& s : windowParams(from, to)) rule.params.push_back(std::move(s));
    return rule;
}

const char* const scaleHelp = "How far the estimate is pushed away from the worse one.";

}  // namespace

GuidanceRule pag() {
    return worse({.id = "pag",
                  .label = "Perturbed-attention guidance",
                  .group = {},
                  .summary = "Away from the network whose self-attention is the identity",
                  .source = "Ahn et al. 2024",
                  .cost = {},
                  .params = {realParam("scale", "Scale", 3, 0, 50, scaleHelp, 0.25), blocksParam(), onTop()},
                  .make = makePag},
                 0, 1);
}

GuidanceRule seg() {
    return worse(
        {.id = "seg",
         .label = "Smoothed energy guidance",
         .group = {},
         .summary = "Away from the network whose self-attention queries are blurred",
         .source = "Hong 2024",
         .cost = {},
         .params = {realParam("scale", "Scale", 3, 0, 50, scaleHelp, 0.25),
                    optionalParam(withUnit(
                        realParam("blur", "Blur", 10, 0, 9999,
                                  "σ of the blur of the queries; absent: infinite, every query is the mean of all.",
                                  0.5),
                        "tokens")),
                    blocksParam(), onTop()},
         .make = makeSeg},
        0, 1);
}

GuidanceRule slg() {
    return worse(
        {.id = "slg",
         .label = "Skip-layer guidance",
         .group = {},
         .summary = "Away from the network without some of its layers",
         .source = "Stability AI 2024 (SD 3.5); Hyung et al. 2024",
         .cost = {},
         .params = {realParam("scale", "Scale", 2.8, 0, 50, scaleHelp, 0.1), blocksParam(), partParam(), onTop()},
         .make = makeSlg},
        0.01, 0.2);
}

GuidanceRule autoguidance() {
    return worse(
        {.id = "autoguidance",
         .label = "Autoguidance",
         .group = {},
         .summary = "Away from a weaker model, or from the same one with layers left out",
         .source = "Karras et al. 2024",
         .cost = {},
         .params =
             {realParam("scale", "Scale", 2, 0, 50, "Weight w of w D − (w − 1) D_weak; 1 is off.", 0.1),
              textParam(
                  "model", "Weaker model",
                  "Id or path of a weaker model with the same states; empty: this model without the layers below."),
              blocksParam(), partParam()},
         .make = makeAuto},
        0, 1);
}

}  // namespace meander::guidance
