// Inversion-free editing (Xu et al. 2024, InfEdit, algorithm 2: denoising diffusion consistent model). The source is
// known, so its noise is, e = (x_s − a x0)/τ, and no inversion is needed: x̂0 = x0 + D_target(x) − D_source(x_s); both
// branches go on with the same direction e + ε̂_t − ε̂_s and the same fresh noise, of variance v = η τ'². The source
// prompt is the negative prompt, the target the prompt. Equal prompts return the data exactly. (D differences are the
// paper's x0 + ((x − x_s) − τ (ε̂_t − ε̂_s))/a without the division, which has no limit at pure noise.)
#include <cmath>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta");
    if (!s.clean)
        throw Failure(
            "Inversion-free editing needs the data that is edited: start the run from data or from another run.");
    Tensor source = s.x;
    for (auto [from, to] : s.intervals()) {
        const std::vector<Sampling::Query> both{{.x = s.x, .tau = from}, {.x = source, .tau = from}};
        const std::vector<DenoiseResult> answers = co_await s.denoiseAll(both);
        const Tensor target = answers[0].conditional,
                     known = answers[1].unconditional ? answers[1].unconditional : answers[1].conditional;
        const double a = s.signal(to), b = s.signal(from), fresh = std::sqrt(eta) * to,
                     kept = std::sqrt(std::max(0.0, to * to - fresh * fresh));
        // ε̂_t − ε̂_s + e
        const Tensor before = kept / from * (s.x + b * (known - target - s.clean));
        const Tensor direction = before + s.freshNoise(fresh);
        source = a * s.clean + direction;
        s.advance(a * (s.clean + target - known) + direction, to);
    }
}

static int requests(int, int, const Params&) { return 2; }

SamplerInfo ddcm() {
    return {.id = "ddcm",
            .label = "DDCM edit",
            .summary = "Edits given data from the negative prompt towards the prompt, without inverting it",
            .source = "Xu et al. 2024, InfEdit algorithm 2",
            .group = "Inversion",
            .params = {etaParam(1, "Share of the noise that is drawn afresh at each step: 1 is the consistent form of "
                                   "the paper, 0 keeps the noise of the source.")},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::None, Distillation::Lcm, Distillation::Consistency},
            .unconditional = true,
            .needsData = true,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
