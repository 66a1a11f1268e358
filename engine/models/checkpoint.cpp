#include "engine/models/checkpoint.h"

#include <algorithm>

#include "engine/sampling/sampling.h"

namespace meander {

namespace {

const CheckpointRule rules[] = {
    {Distillation::None, "none", "an ordinary diffusion or flow model", "", true, false, 0, 20,
     "Few-step rules expect a jump to the data and get the mean of what the model expects: blurred averages."},
    {Distillation::Consistency, "consistency", "a consistency model", "consistency", false, true, 8, 4,
     "Its network answers with the end of the path, not with the velocity: other rules over-smooth or burn the "
     "image."},
    {Distillation::Lcm, "lcm", "a latent consistency model", "lcm", false, true, 8, 4,
     "Its network answers with the end of the path, not with the velocity: other rules over-smooth or burn the "
     "image."},
    {Distillation::Shortcut, "shortcut", "a shortcut model", "shortcut", false, false, 128, 4,
     "Its network answers for a whole step of the length it is told: rules that ask inside a step or without a length "
     "mix directions."},
    {Distillation::Reflow, "reflow", "a rectified model", "euler", true, false, 0, 4, ""},
    {Distillation::Trajectory, "trajectory", "a trajectory consistency model", "tcd", false, true, 8, 4,
     "Its network answers for a jump along the path, not for one moment: other rules blur at few steps and drift at "
     "many."},
    {Distillation::Phased, "phased", "a phased consistency model", "pcm", false, true, 16, 4,
     "Its network answers with the edge of the phase: steps that do not end there drift off the path."},
    {Distillation::ContinuousConsistency, "scm", "a continuous-time consistency model", "scm", false, true, 4, 2,
     "Its network answers with the end of the path, not with the velocity: other rules over-smooth or burn the "
     "image."},
    {Distillation::Acceleration, "acceleration", "a constant-acceleration flow", "caf", false, false, 0, 4,
     "Its paths bend: rules that follow the straight direction miss their end."},
    {Distillation::DistributionMatching, "dmd", "a generator distilled by distribution matching", "dmd", false, true, 4,
     4, "It was trained at a few times only: other times and more steps make its images worse."},
    {Distillation::Poisson, "poisson", "a Poisson flow model", "pfgmpp", false, false, 0, 20,
     "Its noise has heavy tails: started from Gaussian noise, it sees radii it was not trained on."},
    {Distillation::Bridge, "bridge", "a mixture of bridges", "bridge_mixture", false, false, 0, 60,
     "Its expected end belongs to paths with noise on them: without that noise they end short of the data's spread."},
};

std::string names(const std::vector<Distillation>& list) {
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i)
        text += (i == 0 ? "" : i + 1 == list.size() ? " or " : ", ") + std::string(checkpointRule(list[i]).name);
    return text;
}

}  // namespace

const CheckpointRule& checkpointRule(Distillation d) { return rules[std::size_t(d)]; }

std::optional<Distillation> distillationOf(const std::string& key) {
    for (const auto& r : rules)
        if (key == r.key) return r.distillation;
    return {};
}

bool isMadeFor(const SamplerInfo& s, Distillation d) {
    if (s.madeFor.empty()) return checkpointRule(d).followsOde;
    return std::find(s.madeFor.begin(), s.madeFor.end(), d) != s.madeFor.end();
}

void requireVelocity(Distillation d, const std::string& name) {
    const CheckpointRule& rule = checkpointRule(d);
    if (rule.followsOde || d == Distillation::Shortcut) return;  // a shortcut model without a step gives it too
    throw Failure(name + " is " + rule.name
                  + ", whose network does not give the velocity of a probability flow. Use the model it was distilled "
                    "from.");
}

std::string samplerCaution(const SamplerInfo& s, Distillation d, const std::string& model, const std::string& usual) {
    if (isMadeFor(s, d)) return {};
    const CheckpointRule& rule = checkpointRule(d);
    const SamplerInfo* own = findSampler(*rule.sampler ? std::string(rule.sampler) : usual);
    const std::string remedy = own && own->id != s.id ? " Choose " + own->label + "." : std::string();
    if (d == Distillation::None)
        return s.label + " is made for " + names(s.madeFor) + ", and " + model + " is " + rule.name + ". " + rule.misuse
               + remedy;
    return s.label + " on " + rule.name + ". " + rule.misuse + remedy;
}

}  // namespace meander
