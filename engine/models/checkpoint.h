// The sampling rule of each kind of checkpoint, and what comes of another one: a table that plans and forms read.
// (Wrong rules give plausible rubbish, not errors.)
#pragma once
#include <optional>
#include <string>

#include "engine/process/distillation.h"

namespace meander {

struct SamplerInfo;

struct CheckpointRule {
    Distillation distillation;
    const char* key;      // stable; used in files
    const char* name;     // "a consistency model"
    const char* sampler;  // id of its own rule; empty: any
    bool followsOde;      // it still gives the velocity, so that any solver of the ODE works, if slower
    bool holdsGuidance;   // guidance is usually distilled in: a scale above 1 is applied twice
    int mostSteps;        // more bring nothing or harm; 0: no limit
    int usualSteps;       // for a start
    const char* misuse;   // a sentence: what a sampler that is not made for it gives
};

const CheckpointRule& checkpointRule(Distillation d);
std::optional<Distillation> distillationOf(const std::string& key);
bool isMadeFor(const SamplerInfo& sampler, Distillation d);
// Throws Failure, with the reason and the remedy, when the network gives no velocity of a probability flow, which
// likelihoods and measurements of samplers follow. `name`: of the model.
void requireVelocity(Distillation d, const std::string& name);
// A sentence with its remedy when the sampler is not made for such a checkpoint, else empty. `model`: its name;
// `usual`: the sampler to go back to on an ordinary model.
std::string samplerCaution(const SamplerInfo& sampler, Distillation d, const std::string& model,
                           const std::string& usual);

}  // namespace meander
