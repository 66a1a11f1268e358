// FreeU (Si et al. 2023): backbone and skip connections of a U-Net weighed anew on its way up, in every row of the run
// (models/layers/free_u.h).
#include <algorithm>

#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

Intervention::FreeU how(const Params& p) {
    return {{real(p, "b1"), real(p, "b2")},
            {real(p, "s1"), real(p, "s2")},
            text(p, "where") == "width",
            text(p, "version") == "2"};
}
bool isPlain(const Params& p) {
    const auto f = how(p);
    return f.backbone == std::array{1.0, 1.0} && f.skip == std::array{1.0, 1.0};
}

class FreeU final : public GuidanceRun {
public:
    FreeU(const Params& p, const GuidanceSetup& s) : m_window(p), m_how(how(p)), m_acts(!isPlain(p)) {
        const auto& blocks = s.model.blocks;
        if (std::none_of(blocks.begin(), blocks.end(),
                         [](const TapSite& b) { return b.path.starts_with("mid_block."); }))
            throw Failure("FreeU weighs the skip connections of a U-Net, which '" + s.model.name
                          + "' does not have. Choose a U-Net, for example builtin:sprites-unet, or remove the rule.");
    }
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_acts && m_window.holds(m)) w.freeU = m_how;
    }
    void apply(const GuidanceMoment&, GuidanceParts&) override {}

private:
    Window m_window;
    Intervention::FreeU m_how;
    bool m_acts;
};

std::string idle(const GuidanceContext& c) {
    if (isPlain(c.params)) return "FreeU has no effect: all four factors are 1.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule freeU() {
    std::vector<ParamSpec> params = {
        realParam("b1", "Backbone 1", 1.3, 0, 10,
                  "Factor on the first half of the backbone's channels at the first place, the coarser one; 1 is off.",
                  0.05),
        realParam("b2", "Backbone 2", 1.4, 0, 10, "The same at the second place.", 0.05),
        realParam("s1", "Skip 1", 0.9, 0, 10,
                  "Factor on the lowest frequencies of the skip connection at the first place; 1 is off.", 0.05),
        realParam("s2", "Skip 2", 0.2, 0, 10, "The same at the second place.", 0.05),
        choiceParam("version", "Version", "2", {{"1", "1: one factor"}, {"2", "2: follows the structure"}},
                    "Version 2 scales the backbone more where its mean over channels is high: by 1 at its least, by "
                    "the full factor at its greatest."),
        choiceParam("where", "Places", "stage",
                    {{"stage", "The first two up blocks"}, {"width", "By width: 4 and 2 times the first level"}},
                    "By block as diffusers, or wherever the backbone is that wide as the authors' code, ComfyUI and "
                    "Forge; a network may have such widths nowhere.")};
    for (auto& s : windowParams()) params.push_back(std::move(s));
    return {.id = "freeu",
            .label = "FreeU",
            .group = "Inside the network",
            .summary = "Weighs backbone and skip connections of a U-Net anew",
            .source = "Si et al. 2023, FreeU",
            .cost = "nothing",
            .params = params,
            .make = [](const Params& p, GuidanceSetup& s) -> std::unique_ptr<GuidanceRun> {
                return std::make_unique<FreeU>(p, s);
            },
            .idle = idle};
}

}  // namespace meander::guidance
