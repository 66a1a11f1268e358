// Residual branches that are left out, and not computed: the whole block, its attention, or its feed-forward
// (skip-layer guidance, Stability AI 2024; Hyung et al. 2024).
#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Skipping";

class Skip final : public BlockHook {
public:
    Skip(const Params& p, const InterventionSetup& s) : BlockHook(p, s, label, sitesOf(text(p, "part"))) {}
    nn::Decision before(const nn::SiteCall&) override { return {nn::Decision::Skip, {}}; }
};

}  // namespace

InterventionInfo skip() {
    return {.id = "skip",
            .label = label,
            .summary = "Leaves out blocks, their attention, or their feed-forward, and saves their time",
            .source = "Stability AI 2024 (SD 3.5); Hyung et al. 2024",
            .params = {blocksParam(), partParam("Which residual branches are left out.")},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<Skip>(p, s);
            }};
}

}  // namespace meander::intervention
