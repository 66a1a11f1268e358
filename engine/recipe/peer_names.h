// How other programs name our samplers and schedules. The same name means different numbers in different programs, so a
// name comes with settings (dialects).
#pragma once
#include <optional>
#include <string>

#include "engine/core/params.h"
#include "engine/recipe/peer.h"

namespace meander {

// A sampler as A1111, Forge, SD.Next, ComfyUI, stable-diffusion.cpp, InvokeAI, NovelAI or diffusers name it, or as we
// do. Older texts join the schedule to it ("DPM++ 2M Karras", "euler_a karras", "dpmpp_2m_karras", "euler_k"); a
// sampler that brings its own schedule where the text says "Automatic" has it here.
struct NamedSampler {
    Choice sampler;
    std::optional<Choice> schedule;   // joined to the name
    std::optional<Choice> automatic;  // what "Automatic" means with it (A1111)
    bool drawsPath = false;           // that program draws its noise from a Brownian path
    bool drawsOnGpu = false;          // ComfyUI's variants "…_gpu"
};
std::optional<NamedSampler> samplerNamed(const std::string& name, Peer peer = Peer::A1111);
std::optional<Choice> scheduleNamed(const std::string& name, Peer peer = Peer::A1111);

// The title that A1111 and its kin have for it; our own id where they have none.
std::string peerNameOfSampler(const Choice& sampler);
std::string peerNameOfSchedule(const Choice& schedule);

}  // namespace meander
