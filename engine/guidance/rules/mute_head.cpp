// Head scaling (Michel et al. 2019, "Are Sixteen Heads Really Better than One?"): the output of one attention head
// times a factor in every row of the run; 0 mutes it, so the difference to the run without it is what the head does.
#include "engine/guidance/inside_network.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

std::unique_ptr<GuidanceRun> make(const Params& p, GuidanceSetup& s) {
    return insideNetwork("mute_head", p, s, real(p, "scale") != 1);
}

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "scale") == 1) return "Head scaling has no effect at scale 1.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule muteHead() {
    return insideNetwork({.id = "mute_head",
                          .label = "Head scaling",
                          .group = {},
                          .summary = "Mutes or scales an attention head, to see what it does",
                          .source = "Michel et al. 2019",
                          .cost = "nothing",
                          .params = {rowsParam()},
                          .make = make,
                          .idle = idle});
}

}  // namespace meander::guidance
