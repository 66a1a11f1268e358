#include "engine/recipe/peer_names.h"

#include <algorithm>
#include <span>
#include <sstream>
#include <vector>

#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander {

namespace {

// Settings as "key=value key=value"; those not named keep our defaults. The first row of an `ours` whose settings hold
// is the one that is written.
struct Row {
    const char *theirs, *ours, *settings;
    const char* automatic = "";  // A1111's own schedule of that sampler
};

constexpr Row samplerTitles[] = {
    // A1111, Forge
    {"DPM++ 2M", "dpmpp_2m", "", "karras"},
    {"DPM++ SDE", "dpmpp_sde", "", "karras"},
    {"DPM++ 2M SDE", "dpmpp_2m_sde", "", "exponential"},
    {"DPM++ 2M SDE Heun", "dpmpp_2m_sde_heun", "", "exponential"},
    {"DPM++ 2S a", "dpmpp_2s_ancestral", "", "karras"},
    {"DPM++ 3M SDE", "dpmpp_3m_sde", "", "exponential"},
    {"Euler a", "euler_ancestral", "", "normal"},
    {"Euler", "euler", "", "normal"},
    {"LMS", "lms", "", "normal"},
    {"Heun", "heun", "", "normal"},
    {"DPM2", "dpm_2", "", "karras"},
    {"DPM2 a", "dpm_2_ancestral", "", "karras"},
    {"DPM fast", "dpm_fast", "", "normal"},
    {"DPM adaptive", "dpm_adaptive", "", "normal"},
    {"HeunPP2", "heunpp2", "", "normal"},
    {"IPNDM", "ipndm", "", "normal"},
    {"IPNDM_V", "ipndm_v", "", "normal"},
    {"DEIS", "deis", "", "normal"},
    {"DDIM", "ddim", "", "ddim_uniform"},
    {"DDIM CFG++", "euler_cfg_pp", "", "ddim_uniform"},
    {"PLMS", "plms", "", "ddim_uniform"},
    {"UniPC", "uni_pc", "", "ddim_uniform"},
    {"LCM", "lcm", "", "normal"},
    {"DDPM", "ddpm", "", "normal"},
    {"TCD", "tcd", "", "normal"},
    // SD.Next
    {"DPM++ 1S", "dpm_singlestep", "order=1"},
    {"DPM++ 3M", "dpm_multistep", "order=3"},
    {"DPM++ Inverse", "dpm_inversion", ""},
    {"SA Solver", "sa_solver", ""},
    {"KDPM2", "dpm_2", ""},
    {"KDPM2 a", "dpm_2_ancestral", ""},
    {"ER-SDE", "er_sde", ""},
    {"LMSD", "lms", ""},
    {"PNDM", "pndm", ""},
    {"DPM SDE", "dpmpp_sde", ""},
    {"CMSI", "consistency", ""},
    {"Euler FlowMatch", "euler", ""},
    {"Heun FlowMatch", "heun", ""},
    {"DPM2 FlowMatch", "dpm_2", ""},
    {"DPM2a FlowMatch", "dpm_2_ancestral", ""},
    {"DPM2++ 2M FlowMatch", "dpmpp_2m", ""},
    {"DPM2++ 2M SDE FlowMatch", "dpmpp_2m_sde", ""},
    {"UniPC FlowMatch", "uni_pc_bh2", "clock=lambda"},
    {"LCM FlowMatch", "lcm", ""},
};

constexpr Row samplerIds[] = {
    // stable-diffusion.cpp
    {"euler_a", "euler_ancestral", ""},
    {"dpm2", "dpm_2", ""},
    {"dpm++2s_a", "dpmpp_2s_ancestral", ""},
    {"dpm++2m", "dpmpp_2m", ""},
    {"dpm++2mv2", "dpmpp_2m_v2", ""},
    {"dpm++2m_sde", "dpmpp_2m_sde", ""},
    {"dpm++2m_sde_bt", "dpmpp_2m_sde", ""},
    {"ddim_trailing", "ddim", ""},
    {"euler_a_cfg_pp", "euler_ancestral_cfg_pp", ""},
    {"euler_ge", "gradient_estimation", ""},
    // ComfyUI: noise on the GPU is a matter of the noise source
    {"dpmpp_sde_gpu", "dpmpp_sde", ""},
    {"dpmpp_2m_sde_gpu", "dpmpp_2m_sde", ""},
    {"dpmpp_2m_sde_heun_gpu", "dpmpp_2m_sde_heun", ""},
    {"dpmpp_3m_sde_gpu", "dpmpp_3m_sde", ""},
    // InvokeAI, diffusers
    {"kdpm_2", "dpm_2", ""},
    {"kdpm_2_a", "dpm_2_ancestral", ""},
    {"dpmpp_3m", "dpm_multistep", "order=3"},
    {"unipc", "uni_pc_bh2", ""},
    // NovelAI, Draw Things
    {"ddim_v3", "ddim", ""},
    {"dpmpp_2s", "dpmpp_2s", ""},
    {"Euler A", "euler_ancestral", ""},
    // diffusers
    {"DDIMScheduler", "ddim", ""},
    {"DDIMParallelScheduler", "ddim", ""},
    {"DDPMScheduler", "ddpm", ""},
    {"DDPMParallelScheduler", "ddpm", ""},
    {"DEISMultistepScheduler", "deis", "order=2 time=log_rho lower_order_final=true"},
    {"DPMSolverMultistepScheduler", "dpm_multistep", ""},
    {"DPMSolverSinglestepScheduler", "dpm_singlestep", ""},
    {"DPMSolverSDEScheduler", "dpmpp_sde", ""},
    {"EulerDiscreteScheduler", "euler", ""},
    {"EulerAncestralDiscreteScheduler", "euler_ancestral", ""},
    {"FlowMatchEulerDiscreteScheduler", "euler", ""},
    {"FlowMatchHeunDiscreteScheduler", "heun", ""},
    {"FlowMatchLCMScheduler", "lcm", ""},
    {"HeunDiscreteScheduler", "heun", ""},
    {"IPNDMScheduler", "ipndm", ""},
    {"KDPM2DiscreteScheduler", "dpm_2", ""},
    {"KDPM2AncestralDiscreteScheduler", "dpm_2_ancestral", ""},
    {"LCMScheduler", "lcm", ""},
    {"LMSDiscreteScheduler", "lms", "multistep_last=true"},
    {"PNDMScheduler", "pndm", ""},
    {"SASolverScheduler", "sa_solver", ""},
    {"TCDScheduler", "tcd", ""},
    {"UniPCMultistepScheduler", "uni_pc_bh2", "order=2 end_level=0"},
};

constexpr Row scheduleTitles[] = {
    {"Uniform", "normal", ""},
    {"Normal", "normal", ""},
    {"Karras", "karras", ""},
    {"Exponential", "exponential", ""},
    {"Polyexponential", "polyexponential", ""},
    {"SGM Uniform", "sgm_uniform", ""},
    {"KL Optimal", "kl_optimal", "dialect=a1111"},
    {"Align Your Steps", "ays", "dialect=a1111"},
    {"Align Your Steps 11", "ays", "dialect=a1111"},
    {"Align Your Steps 32", "ays", "dialect=a1111_32"},
    {"Align Your Steps GITS", "gits", "dialect=a1111"},
    {"Simple", "simple", ""},
    {"DDIM", "ddim_uniform", "dialect=a1111"},
    {"Beta", "beta", "dialect=a1111"},
    {"Turbo", "sd_turbo", "dialect=a1111"},
    // reForge
    {"Cosine", "reforge", "curve=cosine"},
    {"CosineExponential Blend", "reforge", "curve=cosine_exponential"},
    {"Phi", "reforge", "curve=phi"},
    {"Laplace", "laplace", "dialect=reforge"},
    {"Karras Dynamic", "reforge", "curve=karras_dynamic"},
    {"Sinusoidal SF", "reforge", "curve=sinusoidal_sf"},
    {"Invcosinusoidal SF", "reforge", "curve=invcosinusoidal_sf"},
    {"React Cosinusoidal DynSF", "reforge", "curve=react_cosinusoidal_dynsf"},
};

// ComfyUI's identifiers are ours; these are the others: SwarmUI, StabilityMatrix, RES4LYF, NovelAI, Draw Things,
// diffusers.
constexpr Row scheduleIds[] = {
    {"align_your_steps", "ays", ""},
    {"turbo", "sd_turbo", ""},
    {"ltxv", "ltx2", ""},
    {"native", "normal", ""},
    {"AYS", "ays", ""},
    {"Trailing", "model_steps", "spacing=trailing"},
    {"leading", "model_steps", "spacing=leading"},
    {"sinusoidal_sf", "reforge", "curve=sinusoidal_sf"},
    {"invcosinusoidal_sf", "reforge", "curve=invcosinusoidal_sf"},
    {"react_cosinusoidal_dynsf", "reforge", "curve=react_cosinusoidal_dynsf"},
};
constexpr Row scheduleIdsOfSdCpp[] = {
    {"discrete", "normal", "dialect=sdcpp"},
    {"simple", "simple", "dialect=sdcpp"},
    {"sgm_uniform", "sgm_uniform", "dialect=sdcpp"},
    {"beta", "beta", "dialect=sdcpp"},
    {"ays", "ays", "dialect=sdcpp"},
    {"gits", "gits", "dialect=sdcpp"},
    {"lcm", "model_steps", "spacing=lcm"},
    {"flux", "flow_dynamic", ""},
    {"bong_tangent", "bong_tangent", "dialect=sdcpp"},
};

std::string lower(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return s;
}

Choice choiceOf(const std::vector<ParamSpec>& specs, const Row& row) {
    Choice choice{row.ours, {}};
    std::istringstream words(row.settings);
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        for (const auto& s : specs)
            if (s.key == word.substr(0, equals)) choice.params[s.key] = *parseParam(s, word.substr(equals + 1));
    }
    return choice;
}
Choice samplerOf(const Row& row) { return choiceOf(findSampler(row.ours)->params, row); }
Choice scheduleOf(const Row& row) { return choiceOf(findSchedule(row.ours)->params, row); }

// Exactly, or but for case.
const Row* rowNamed(std::span<const Row> rows, const std::string& name, bool isExact) {
    for (const Row& r : rows)
        if (isExact ? name == r.theirs : lower(name) == lower(r.theirs)) return &r;
    return nullptr;
}

std::string nameOf(std::span<const Row> rows, const Choice& choice, const std::vector<ParamSpec>& specs) {
    const auto filled = resolveParams(specs, choice.params, choice.id);
    for (const Row& r : rows) {
        if (choice.id != r.ours) continue;
        const Params wanted = choiceOf(specs, r).params;
        if (std::all_of(wanted.begin(), wanted.end(), [&](const auto& p) {
                return filled.ok() && filled->contains(p.first) && filled->at(p.first) == p.second;
            }))
            return r.theirs;
    }
    return choice.id;
}

std::optional<NamedSampler> wholeName(const std::string& name) {
    for (const bool isExact : {true, false})
        for (const std::span<const Row> rows :
             {std::span<const Row>(samplerTitles), std::span<const Row>(samplerIds)}) {
            if (isExact && findSampler(name)) return NamedSampler{{name, {}}, {}, {}};
            if (const Row* r = rowNamed(rows, name, isExact))
                return NamedSampler{
                    samplerOf(*r), {}, *r->automatic ? std::optional(Choice{r->automatic, {}}) : std::nullopt};
        }
    return std::nullopt;
}

// "k_euler" of k-diffusion's early users, "sample_dpmpp_sde" of its functions.
std::optional<NamedSampler> withoutPrefix(const std::string& name) {
    for (const char* prefix : {"k_", "sample_"})
        if (name.starts_with(prefix)) return wholeName(name.substr(std::string(prefix).size()));
    return std::nullopt;
}

// The sampler up to a separator and the schedule behind it, the longest sampler first.
std::optional<NamedSampler> joinedName(const std::string& name, Peer peer) {
    for (std::size_t cut = name.find_last_of(" _"); cut != std::string::npos && cut > 0;
         cut = name.find_last_of(" _", cut - 1)) {
        auto known = wholeName(name.substr(0, cut));
        if (!known) known = withoutPrefix(name.substr(0, cut));
        auto schedule = scheduleNamed(name.substr(cut + 1), peer);
        if (known && schedule) {
            known->schedule = std::move(schedule);
            return known;
        }
    }
    return std::nullopt;
}

std::optional<NamedSampler> anyName(const std::string& name, Peer peer) {
    if (auto whole = wholeName(name)) return whole;
    if (auto bare = withoutPrefix(name)) return bare;
    if (name.ends_with("_k"))
        if (auto known = wholeName(name.substr(0, name.size() - 2))) {
            known->schedule = Choice{"karras", {}};
            return known;
        }
    return joinedName(name, peer);
}

constexpr const char* pathSamplers[] = {"dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"};

}  // namespace

std::optional<Choice> scheduleNamed(const std::string& name, Peer peer) {
    if (peer == Peer::SdCpp)
        if (const Row* r = rowNamed(scheduleIdsOfSdCpp, name, true)) return scheduleOf(*r);
    for (const bool isExact : {true, false})
        for (const std::span<const Row> rows :
             {std::span<const Row>(scheduleTitles), std::span<const Row>(scheduleIds)}) {
            if (const Row* r = rowNamed(rows, name, isExact)) return scheduleOf(*r);
            if (isExact && findSchedule(name)) return Choice{name, {}};
        }
    return std::nullopt;
}

std::optional<NamedSampler> samplerNamed(const std::string& name, Peer peer) {
    auto known = anyName(name, peer);
    if (!known) return known;
    const bool isPathSampler =
        std::find(std::begin(pathSamplers), std::end(pathSamplers), known->sampler.id) != std::end(pathSamplers);
    known->drawsPath = isPathSampler && (infoOf(peer).drawsPaths || name.starts_with("dpm++2m_sde_bt"));
    known->drawsOnGpu = name.find("_gpu") != std::string::npos;
    return known;
}

std::string peerNameOfSampler(const Choice& sampler) {
    const auto* info = findSampler(sampler.id);
    return info ? nameOf(samplerTitles, sampler, info->params) : sampler.id;
}
std::string peerNameOfSchedule(const Choice& schedule) {
    const auto* info = findSchedule(schedule.id);
    return info ? nameOf(scheduleTitles, schedule, info->params) : schedule.id;
}

}  // namespace meander
