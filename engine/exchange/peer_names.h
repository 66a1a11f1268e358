// How other programs name our samplers and schedules. The same name means different numbers in different programs, so a
// name comes with settings (dialects).
#pragma once
#include <optional>
#include <string>

#include "engine/core/params.h"

namespace meander {

// Whose text it is: stable-diffusion.cpp and ComfyUI write identifiers, some with the same name for other rules; A1111
// and its kin write titles.
enum class Peer : std::uint8_t { A1111, SdCpp };

// A sampler as A1111, Forge, SD.Next, ComfyUI, stable-diffusion.cpp, InvokeAI or diffusers name it, or as we do. Older
// texts join the schedule to it ("DPM++ 2M Karras", "euler_a karras", "euler_k"); a sampler that brings its own
// schedule where the text says "Automatic" has it here.
struct NamedSampler {
    Choice sampler;
    std::optional<Choice> schedule;   // joined to the name
    std::optional<Choice> automatic;  // what "Automatic" means with it (A1111)
};
std::optional<NamedSampler> samplerNamed(const std::string& name, Peer peer = Peer::A1111);
std::optional<Choice> scheduleNamed(const std::string& name, Peer peer = Peer::A1111);

// The title that A1111 and its kin have for it; our own id where they have none.
std::string peerNameOfSampler(const Choice& sampler);
std::string peerNameOfSchedule(const Choice& schedule);

}  // namespace meander
