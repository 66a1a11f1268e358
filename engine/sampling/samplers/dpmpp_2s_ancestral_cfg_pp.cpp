// DPM++ 2S ancestral with guidance kept out of the noise (CFG++, Chung et al. 2024). "shifted_once": the guided step
// starts from the state shifted by D − U, y ← y + (D − U), with the middle halfway in log τ. "shifted": ComfyUI's code,
// whose step shifts by D − U₂ with the second unconditional estimate. Without guidance that leaves (τ_down/τ)(D − D₂),
// which is of first order in every step: it does not converge, and does not become DPM++ 2S ancestral as the other
// forms do. "outside": the whole step follows the unconditional estimate and a' (D − U) is added after it.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask shifted(Sampling& s, bool once) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        const auto [sigmaDown, sigmaUp] = ancestralPair(from, to, eta);
        Tensor next = d;
        if (sigmaDown > 0) {
            const double middle = std::sqrt(from * sigmaDown), kept = sigmaDown / from;
            const Tensor half = d + middle / from * (s.x - u);
            const DenoiseResult second = co_await s.denoise(half, middle);
            next = kept * (s.x + d - (once ? u : second.unconditional)) + (1 - kept) * second.denoised;
        }
        s.advance(next + s.freshNoise(noiseScale * sigmaUp), to);
    }
}

static SamplerTask run(Sampling& s) {
    const std::string form = text(s.params, "form");
    return form == "outside" ? runTwoStageAncestral(s, true) : shifted(s, form == "shifted_once");
}

SamplerInfo dpmpp2sAncestralCfgPp() {
    return {
        .id = "dpmpp_2s_ancestral_cfg_pp",
        .label = "DPM++ 2S ancestral CFG++",
        .summary = "DPM++ 2S ancestral with guidance kept out of the noise; use low scales",
        .source = "Chung et al. 2024, CFG++",
        .group = "Stochastic",
        .params =
            {etaParam(1), noiseScaleParam(),
             advanced(choiceParam(
                 "form", "Guidance", "shifted",
                 {{"shifted", "Shifts the state (ComfyUI)"},
                  {"shifted_once", "Shifts the state once"},
                  {"outside", "Added after the step"}},
                 "Where the guidance enters. ComfyUI's form has its numbers, but shifts twice by different estimates "
                 "and does not converge, even without guidance; in flows only the last keeps the marginal."))},
        .stochastic = true,
        .unconditional = true,
        .run = run,
        .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
