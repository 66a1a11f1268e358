#include "engine/recipe/peer.h"

#include <algorithm>
#include <iterator>

namespace meander {
namespace {

constexpr const char *gpu = "GPU noise, its default", *cpu = "CPU noise, its default";

constexpr PeerInfo peers[] = {
    {Peer::Meander, "Meander", "dpmpp_2m", "karras", 20, 4, "philox", "its default", false, false,
     PromptDialect::Plain},
    {Peer::A1111, "AUTOMATIC1111", "DPM++ 2M", "", 20, 7, "torch_cuda", gpu, true, true, PromptDialect::A1111},
    {Peer::Forge, "Forge", "Euler", "", 20, 7, "torch_cuda", gpu, true, true, PromptDialect::A1111},
    {Peer::SdNext, "SD.Next", "UniPC", "", 20, 6, "torch_cuda", gpu, false, false, PromptDialect::A1111},
    {Peer::SdCpp, "stable-diffusion.cpp", "euler_a", "discrete", 20, 7, "nv_philox", "\"cuda\" noise, its default",
     false, true, PromptDialect::A1111},
    {Peer::ComfyUi, "ComfyUI", "euler", "normal", 20, 8, "torch_cpu", cpu, true, false, PromptDialect::ComfyUi},
    {Peer::InvokeAi, "InvokeAI", "dpmpp_3m_k", "", 30, 7.5, "torch_cpu", cpu, false, false, PromptDialect::Plain},
    {Peer::SwarmUi, "SwarmUI", "euler", "normal", 20, 7, "torch_cpu", "CPU noise of its ComfyUI backend", true, false,
     PromptDialect::ComfyUi},
    {Peer::Fooocus, "Fooocus", "dpmpp_2m_sde_gpu", "karras", 30, 4, "torch_cpu", cpu, true, false,
     PromptDialect::A1111},
    {Peer::NovelAi, "NovelAI", "k_euler_ancestral", "native", 28, 5, "torch_cuda", "GPU noise", true, true,
     PromptDialect::Plain},
    {Peer::DrawThings, "Draw Things", "DPM++ 2M Karras", "", 20, 7, "nv_philox",
     "its own seed modes are not known here; NVIDIA-compatible taken", false, false, PromptDialect::Plain},
    {Peer::Diffusers, "diffusers", "DDIM", "", 50, 7.5, "torch_cpu", "a CPU generator, as its examples use", false,
     false, PromptDialect::Plain},
};

// "v1.5.1" or "f2.0.1v1.10.1-previous": the digits behind the last "v".
int minorVersion(const std::string& version) {
    const auto v = version.rfind("v1.");
    if (v == std::string::npos || v + 3 >= version.size()) return 1000;
    int minor = 0;
    for (std::size_t i = v + 3; i < version.size() && version[i] >= '0' && version[i] <= '9' && minor < 1000; ++i)
        minor = minor * 10 + (version[i] - '0');
    return minor;
}

}  // namespace

const PeerInfo& infoOf(Peer peer) {
    return *std::find_if(std::begin(peers), std::end(peers), [&](const PeerInfo& p) { return p.peer == peer; });
}

Peer peerOfVersion(const std::string& version, const std::string& app) {
    if (version.find("stable-diffusion.cpp") != version.npos) return Peer::SdCpp;
    if (version.starts_with("Meander")) return Peer::Meander;
    if (version.find("ComfyUI") != version.npos) return Peer::ComfyUi;
    if (version.find("Fooocus") != version.npos) return Peer::Fooocus;
    if (app.find("SD.Next") != app.npos || app.find("SDNext") != app.npos) return Peer::SdNext;
    if (version.starts_with('f') && version.find('v') != version.npos) return Peer::Forge;
    if (version == "neo" || version == "classic" || version.starts_with("Forge")) return Peer::Forge;
    return Peer::A1111;
}

bool joinsSchedule(const std::string& version) { return minorVersion(version) < 9; }

}  // namespace meander
