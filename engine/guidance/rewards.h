// What reward steering prefers: one number for each clean estimate, needing no gradient.
#pragma once
#include <memory>

#include "engine/guidance/guidance.h"

namespace meander {

class Reward {
public:
    virtual ~Reward() = default;
    virtual std::vector<double> of(const GuidanceMoment& m, const Tensor& estimate) const = 0;
};
std::vector<ParamSpec> rewardParams();
// Throws Failure when the model's states are not what the reward judges.
std::unique_ptr<Reward> makeReward(const Params& p, const ModelInfo& model, const Recipe& recipe);

}  // namespace meander
