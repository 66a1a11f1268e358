#include "engine/exchange/import/noise_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "engine/core/unsigned_param.h"
#include "engine/exchange/table.h"

namespace meander {
namespace {

constexpr std::int64_t pixelsPerElement = 8;  // of the latents of these programs

struct Source {
    const char *theirs, *ours;
};
constexpr Source sources[] = {{"NV", "nv_philox"}, {"CPU", "torch_cpu"}, {"GPU", "torch_cuda"}};
constexpr Source sourcesOfSdCpp[] = {{"CUDA", "nv_philox"}, {"CPU", "torch_cpu"}};
constexpr Source sourcesOfInvokeAi[] = {{"CUDA", "torch_cuda"}, {"CPU", "torch_cpu"}};

std::span<const Source> sourcesOf(Peer peer) {
    if (peer == Peer::SdCpp) return sourcesOfSdCpp;
    if (peer == Peer::InvokeAi) return sourcesOfInvokeAi;
    return sources;
}

std::string upper(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::toupper(c)); });
    return s;
}

template <class T> bool number(const std::string& s, T& into) {
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), into);
    return error == std::errc() && end == s.data() + s.size();
}

// Their streams, where settings are about streams: without a word about the source it was the GPU's.
void ensureStream(Choice& noise) {
    if (noise.id == "philox") noise.id = "torch_cuda";
}

}  // namespace

bool readNoiseSetting(const std::string& key, const std::string& value, Choice& noise, Peer peer) {
    std::int64_t whole = 0;
    double real = 0;
    if (key == "rng") {
        for (const Source& s : sourcesOf(peer))
            if (upper(value) == s.theirs) {
                noise.id = s.ours;
                return true;
            }
    } else if (key == "variation seed" && number(value, whole) && whole >= 0) {
        ensureStream(noise);
        noise.params["variation_seed"] = whole;
        return true;
    } else if (key == "variation seed strength" && number(value, real) && real >= 0 && real <= 1) {
        ensureStream(noise);
        noise.params["variation_strength"] = real;
        noise.params["variation_rule"] = std::string("a1111");
        return true;
    } else if (key == "seed resize from") {
        const auto by = value.find('x');
        std::int64_t height = 0;
        if (by == std::string::npos || !number(value.substr(0, by), whole) || !number(value.substr(by + 1), height)
            || whole < pixelsPerElement || height < pixelsPerElement)
            return false;
        ensureStream(noise);
        noise.params["resize_width"] = whole / pixelsPerElement;
        noise.params["resize_height"] = height / pixelsPerElement;
        return true;
    } else if (key == "ensd" && number(value, whole)) {
        ensureStream(noise);
        noise.params["step_noise"] = std::string(whole == 0 ? "continue" : "restart");
        noise.params["step_seed_delta"] = whole;
        return true;
    } else if (key == "sgm noise multiplier") {
        noise.params["initial_scale"] = std::string("unit_variance");
        return true;
    }
    return false;
}

std::string noiseSettingsText(const Choice& noise) {
    std::string s;
    for (const Source& known : sources)
        if (noise.id == known.ours) s = std::string(", RNG: ") + known.theirs;
    const auto& p = noise.params;
    const auto is = [&](const char* key, const char* value) { return p.contains(key) && text(p, key) == value; };
    if (s.empty() || (p.contains("per") && !is("per", "image"))) return {};
    if (is("variation_rule", "a1111") && p.contains("variation_strength") && real(p, "variation_strength") > 0)
        s += ", Variation seed: "
             + std::to_string(p.contains("variation_seed") ? unsignedInteger(p, "variation_seed") : 0)
             + ", Variation seed strength: " + numberText(real(p, "variation_strength"));
    if (p.contains("resize_width") && p.contains("resize_height"))
        s += ", Seed resize from: " + std::to_string(integer(p, "resize_width") * pixelsPerElement) + "x"
             + std::to_string(integer(p, "resize_height") * pixelsPerElement);
    if (is("step_noise", "restart") && p.contains("step_seed_delta"))
        s += ", ENSD: " + std::to_string(integer(p, "step_seed_delta"));
    if (is("initial_scale", "unit_variance")) s += ", SGM noise multiplier: True";
    return s;
}

}  // namespace meander
