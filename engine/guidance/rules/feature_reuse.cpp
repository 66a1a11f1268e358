// Feature reuse over steps (Ma et al. 2024, DeepCache; Selvaraju et al. 2024, FORA): the residuals of chosen blocks are
// computed in every n-th evaluation of a branch and used again in those between. What is used again is not computed.
#include "engine/guidance/inside_network.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

std::unique_ptr<GuidanceRun> make(const Params& p, GuidanceSetup& s) {
    return insideNetwork("feature_reuse", p, s, integer(p, "every") > 1);
}

std::string idle(const GuidanceContext& c) {
    if (integer(c.params, "every") == 1) return "Feature reuse has no effect: every evaluation is computed whole.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule featureReuse() {
    return insideNetwork({.id = "feature_reuse",
                          .label = "Feature reuse",
                          .group = {},
                          .summary = "Computes blocks in every n-th evaluation only, and reuses them in between",
                          .source = "Ma et al. 2024, DeepCache; Selvaraju et al. 2024, FORA",
                          .cost = "no row; saves the blocks in all but every n-th evaluation",
                          .params = {},
                          .keepsFeatures = true,
                          .reuses = true,
                          .make = make,
                          .idle = idle});
}

}  // namespace meander::guidance
