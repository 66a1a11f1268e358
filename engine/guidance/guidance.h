// Guidance turns one request of a sampler into several network rows (branches) and combines the answers. Rules stack in a visible order.
#pragma once
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/process/process.h"
#include "engine/tensor/tensor.h"

namespace meander {

enum class Branch : std::uint8_t { Conditional, Unconditional };
const char* nameOf(Branch b);  // "cond", "uncond"

struct GuidanceMoment {
    const Process& process;
    double tau = 0;
    int step = 0, steps = 1;
    const Tensor& state;  // y
};

// x̂0 of each branch that was evaluated, and the combination so far.
struct GuidanceParts {
    Tensor conditional, unconditional;  // unconditional may be empty
    Tensor combined;
};

struct GuidanceRule {
    std::string id, label, summary, source;
    std::vector<ParamSpec> params;
    // Does this rule need the unconditional branch at this moment? Decides the cost.
    bool (*needsUnconditional)(const Params&, double logSnr, double fraction);
    void (*apply)(const Params&, const GuidanceMoment&, GuidanceParts&);
    // A sentence when the rule does nothing at these settings, else empty.
    std::string (*idle)(const Params&);
    // The weight on (cond − uncond) at this moment, for display.
    double (*weight)(const Params&, double logSnr, double fraction);
};

const std::vector<GuidanceRule>& guidanceRules();
const GuidanceRule* findGuidance(const std::string& id);

}  // namespace meander
