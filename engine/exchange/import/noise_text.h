// How A1111 and its kin write down where an image's noise came from: "RNG: NV, Variation seed: 3, Variation seed
// strength: 0.2, Seed resize from: 512x512, ENSD: 31337".
#pragma once
#include <string>

#include "engine/core/params.h"
#include "engine/recipe/peer.h"

namespace meander {

// Takes one setting of theirs into `noise`; false when it is none about noise. `key` in lower case. The same word means
// other generators in other programs: "cuda" is Philox in stable-diffusion.cpp and torch's GPU stream in InvokeAI.
bool readNoiseSetting(const std::string& key, const std::string& value, Choice& noise, Peer peer = Peer::A1111);
// ", RNG: NV" and so on; empty for noise that they do not know.
std::string noiseSettingsText(const Choice& noise);

}  // namespace meander
