// Cycle-SDE (Wu & De la Torre 2023; Nie et al. 2024, "The blessing of randomness"). Where the list of levels rises,
// noise is added by the true forward process and the path is kept; where it falls back over the same levels, the noise
// that would have led down that path is used: w = x_low − mean(x_high). An unchanged state is reconstructed exactly, an
// edited one keeps its details. Over levels it did not climb it is the reverse SDE with fresh noise (DDIM with η).
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
struct Climb {
    double low, high;
    Tensor lower, upper;
};
struct Mean {
    double stateCoeff, onDenoised, noiseStd;  // Song et al. 2021, eq. 12
};
Mean ddimMean(const Sampling& s, double from, double to, double eta) {
    const double ratio = s.process.sigma(to) / s.process.sigma(from),
                 fresh = eta * to * std::sqrt(std::max(0.0, 1 - ratio * ratio));
    const double kept = std::sqrt(std::max(0.0, to * to - fresh * fresh)) / from;
    return {kept, s.signal(to) - s.signal(from) * kept, fresh};
}
}  // namespace

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta");
    std::vector<Climb> path;
    for (auto [from, to] : s.intervals()) {
        if (to > from) {
            const auto split = s.ancestralVia(from, to);
            const Tensor next = combine({{split.scale, s.x}, {split.noiseStd, s.noise()}});
            path.push_back({from, to, s.x, next});
            s.advance(next, to);
            continue;
        }
        const Mean step = ddimMean(s, from, to, eta);
        if (!path.empty() && path.back().high == from && path.back().low == to) {
            const Climb recorded = path.back();
            path.pop_back();
            const std::vector<Sampling::Query> both{{s.x, from, {}, {}}, {recorded.upper, from, {}, {}}};
            const auto answers = co_await s.denoiseAll(both);
            s.advance(combine({{step.stateCoeff, s.x},
                               {step.onDenoised, answers[0].denoised},
                               {1, recorded.lower},
                               {-step.stateCoeff, recorded.upper},
                               {-step.onDenoised, answers[1].denoised}}),
                      to);
        } else {
            const Tensor d = (co_await s.denoise(s.x, from)).denoised;
            const Tensor mean = combine({{step.stateCoeff, s.x}, {step.onDenoised, d}});
            s.advance(step.noiseStd > 0 ? combine({{1, mean}, {step.noiseStd, s.noise()}}) : mean, to);
        }
    }
}

SamplerInfo cycleSde() {
    return {.id = "cycle_sde",
            .label = "Cycle-SDE",
            .summary = "Records the noise on the way up and replays it on the way down",
            .source = "Nie et al. 2024, SDE editing; Wu & De la Torre 2023",
            .group = "Stochastic",
            .params = {etaParam(1)},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
