// FreeU (Si et al. 2023): backbone and skip connections of a U-Net weighed anew on its way up, in every row of the run
// (interventions/free_u.cpp).
#include "engine/guidance/inside_network.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

bool isPlain(const Params& p) {
    return real(p, "b1") == 1 && real(p, "b2") == 1 && real(p, "s1") == 1 && real(p, "s2") == 1;
}

std::unique_ptr<GuidanceRun> make(const Params& p, GuidanceSetup& s) {
    return insideNetwork("freeu", p, s, !isPlain(p));
}

std::string idle(const GuidanceContext& c) {
    if (isPlain(c.params)) return "FreeU has no effect: all four factors are 1.";
    return whyWindowIsEmpty(c);
}

}  // namespace

GuidanceRule freeU() {
    return insideNetwork({.id = "freeu",
                          .label = "FreeU",
                          .group = {},
                          .summary = "Weighs backbone and skip connections of a U-Net anew",
                          .source = "Si et al. 2023, FreeU",
                          .cost = "nothing",
                          .params = {},
                          .make = make,
                          .idle = idle});
}

}  // namespace meander::guidance
