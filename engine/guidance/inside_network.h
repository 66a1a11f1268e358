// Rules that change the network inside: an intervention with its parameters (interventions/intervention.h), the rows
// and the window in which it acts. They add no rows, unless the intervention reads from a source.
#pragma once
#include <memory>

#include "engine/guidance/guidance.h"

namespace meander {

// `rule` in the group "Inside the network", with the parameters of the intervention of the same id and a window behind
// its own; label, summary and source that it leaves empty are the intervention's too. An intervention that reads from a
// source has the parameters of that too.
GuidanceRule insideNetwork(GuidanceRule rule);
// The parameter `branch`: the evaluations in which a rule acts; without it in all.
ParamSpec rowsParam();
// Of a rule's source, the parameters `source` and `run`: is one named?
bool namesSource(const Params& p);
// Its run: the intervention in the rows of the recipe's model while the window holds; nothing where `acts` is false.
// Throws what the intervention throws where it cannot work with the model.
std::unique_ptr<GuidanceRun> insideNetwork(const std::string& intervention, const Params& p, GuidanceSetup& s,
                                           bool acts);

}  // namespace meander
