// The programs whose settings are read, with their own defaults: what their files leave out has these values.
#pragma once
#include <cstdint>
#include <string>

#include "engine/models/prompt_dialect.h"

namespace meander {

enum class Peer : std::uint8_t {
    Meander,
    A1111,
    Forge,
    SdNext,
    SdCpp,
    ComfyUi,
    InvokeAi,
    SwarmUi,
    Fooocus,
    NovelAi,
    DrawThings,
    Diffusers
};

struct PeerInfo {
    Peer peer;
    const char* name;
    const char *sampler, *schedule;  // as that program names them; an empty schedule is the sampler's own
    int steps;
    double scale;
    const char* noise;        // our source of its first noise where nothing is written
    const char* noiseReason;  // "GPU noise, its default"
    bool drawsPaths;          // its SDE samplers draw from a Brownian path
    bool pathsFollowNoise;    // the path's nodes come from the source of the first noise, else from the CPU
    PromptDialect dialect;    // of its prompts; Plain also where its syntax is not read here
};
const PeerInfo& infoOf(Peer peer);

// By the words that programs put into their text of parameters: version and application; both may be empty.
Peer peerOfVersion(const std::string& version, const std::string& app);
// A1111 and its kin before version 1.9 joined the schedule to the sampler's name, and a name alone meant even steps.
bool joinsSchedule(const std::string& version);

}  // namespace meander
