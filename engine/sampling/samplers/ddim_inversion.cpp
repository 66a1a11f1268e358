// DDIM inversion (Song et al. 2021, section 4.3; Mokady et al. 2023): the DDIM step run upwards, y' = (a'/a) y + (τ' −
// τ a'/a) ε̂. The network is conditioned on the state's own level, or on the next one (diffusers). From clean data it is
// evaluated at the lowest level it was trained at.
#include "engine/sampling/inversion_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool conditionsOnNext = text(s.params, "asked") == "next";
    const double range = real(s.params, "clip");
    for (auto [from, to] : s.intervals()) {
        const InversionPoint at = inversionPoint(s, from, to);
        const Sampling::Query query{.x = at.state,
                                    .tau = at.tau,
                                    .target = double(to),
                                    .networkTau = conditionsOnNext ? std::optional(double(to)) : std::nullopt};
        const Tensor d = co_await s.denoise(query);
        const Tensor noise = s.noiseEstimate(at.state, d, at.tau);
        if (range == 0) s.advance(noisedAlong(s, noise, from, to), to);
        else  // a' x̂0 + τ' ε̂ with only x̂0 clipped
            s.advance(s.signal(to) * clippedTo(from.isClean() ? s.x : d, range) + to * noise, to);
    }
}

SamplerInfo ddimInversion() {
    return {
        .id = "ddim_inversion",
        .label = "DDIM inversion",
        .summary = "The deterministic step run from the data to noise",
        .source = "Song et al. 2021, section 4.3",
        .group = "Inversion",
        .params = {choiceParam(
                       "asked", "Network conditioned on", "current",
                       {{"current", "The state's level"}, {"next", "The next level"}},
                       "The level the network is conditioned on while the state stands at the current one; the next "
                       "one is how diffusers inverts."),
                   advanced(realParam("clip", "Clip x̂0", 0, 0, 100,
                                      "Keeps the estimate within ± this range while ε̂ stays as it is (clip_sample "
                                      "of diffusers, for pixel models); 0 does not."))},
        .inverts = true,
        .run = run};
}

}  // namespace meander::sampler
