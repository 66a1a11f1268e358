// Cycle-SDE (Wu & De la Torre 2023; Nie et al. 2024, "The blessing of randomness"). Where the list of levels rises,
// noise is added by the true forward process and the path is kept; where it falls back over the same levels, the noise
// that would have led down that path is used: w = x_low − mean(x_high). An unchanged state is reconstructed exactly,
// one that guidance or a branch changes keeps its details. Over levels that it did not climb it is the reverse SDE with
// fresh noise (DDIM with η). The plan makes the list (SamplerInfo::roundTrip).
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
struct Climb {
    double low, high;
    Tensor lower, upper;
};
Sum ddimMean(const Sampling& s, const PosteriorSplit& split, const Tensor& y, const Tensor& d, double from, double to) {
    return s.signal(to) * d + split.direction * s.noiseEstimate(y, d, from);
}
}  // namespace

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta");
    std::vector<Climb> path;
    for (const auto& [from, to] : s.intervals()) {
        if (to > from) {
            const Tensor next = s.addNoise(s.x, s.ancestralVia(from, to));
            path.push_back({from, to, s.x, next});
            s.advance(next, to);
            continue;
        }
        const PosteriorSplit split = posteriorSplit(s, from, to, eta);
        if (!path.empty() && path.back().high == from && path.back().low == to) {
            const Climb recorded = path.back();
            path.pop_back();
            const std::vector<Sampling::Query> both{{s.x, from}, {recorded.upper, from}};
            const std::vector<DenoiseResult> d = co_await s.denoiseAll(both);
            // The noise of this descent: w = lower − mean(upper).
            const Sum w = recorded.lower - ddimMean(s, split, recorded.upper, d[1], from, to);
            s.advance(ddimMean(s, split, s.x, d[0], from, to) + w, to);
        } else {
            const Tensor d = co_await s.denoise(s.x, from), mean = ddimMean(s, split, s.x, d, from, to);
            s.advance(mean + s.freshNoise(split.noiseStd), to);
        }
    }
}

static int requests(int step, int steps, const Params&) { return step < steps / 2 ? 0 : 2; }

SamplerInfo cycleSde() {
    return {.id = "cycle_sde",
            .label = "Cycle-SDE",
            .summary = "Records the noise on the way up and replays it on the way down",
            .source = "Nie et al. 2024, SDE editing; Wu & De la Torre 2023",
            .group = "Stochastic",
            .params = {etaParam(1)},
            .stochastic = true,
            .roundTrip = true,
            .needsData = true,
            .drawsBesidePath = true,
            .run = run,
            .requestsInStep = requests,
            .draws = [](const Params&) { return true; }};  // on the climb, whatever η is
}

}  // namespace meander::sampler
