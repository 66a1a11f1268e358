// Rules that change the network inside and add no rows: an intervention with its parameters (interventions/
// intervention.h), and the window in which it acts.
#pragma once
#include <memory>

#include "engine/guidance/guidance.h"

namespace meander {

// `rule` in the group "Inside the network", with the parameters of the intervention of the same id and a window behind
// its own.
GuidanceRule insideNetwork(GuidanceRule rule);
// Its run: the intervention in every row of the recipe's model while the window holds; nothing where `acts` is false.
// Throws what the intervention throws where it cannot work with the model.
std::unique_ptr<GuidanceRun> insideNetwork(const std::string& intervention, const Params& p, const GuidanceSetup& s,
                                           bool acts);

}  // namespace meander
