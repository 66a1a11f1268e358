#include "engine/recipe/unknown_name.h"

#include "engine/core/did_you_mean.h"
#include "engine/recipe/peer_names.h"

namespace meander {
namespace {

// Programs whose names differ from one another's; those of the others are in every table.
constexpr Peer peers[] = {Peer::A1111, Peer::SdCpp, Peer::Diffusers};

// "dpm_multistep with order=3"
std::string textOf(const Choice& choice) {
    std::string settings;
    for (const auto& [key, value] : choice.params)
        settings += (settings.empty() ? " with " : ", ") + key + "=" + display(value);
    return choice.id + settings;
}

std::string samplerElsewhere(const std::string& name) {
    for (const Peer peer : peers)
        if (const auto known = samplerNamed(name, peer))
            return textOf(known->sampler) + (known->schedule ? " and the schedule " + textOf(*known->schedule) : "");
    return {};
}
std::string scheduleElsewhere(const std::string& name) {
    for (const Peer peer : peers)
        if (const auto known = scheduleNamed(name, peer)) return textOf(*known);
    return {};
}

}  // namespace

std::string remedyForUnknownName(const std::string& noun, const std::string& name,
                                 const std::vector<std::string>& known) {
    const bool isSampler = noun == "sampler";
    if (isSampler || noun == "schedule") {
        const std::string same = isSampler ? samplerElsewhere(name) : scheduleElsewhere(name),
                          other = isSampler ? scheduleElsewhere(name) : samplerElsewhere(name);
        if (!same.empty()) return " '" + name + "' is called " + same + " here.";
        if (!other.empty()) return " '" + name + "' is a " + (isSampler ? "schedule" : "sampler") + ": " + other + ".";
    }
    return didYouMean(name, known);
}

}  // namespace meander
