// Time-shift sampler (Li et al. 2024, "Alleviating exposure bias in diffusion models through sampling with shifted time
// steps", algorithm 2): the network is told the time within ± w/2 of the due one at which the variance of a native
// state should be what it is measured to be, so that the error that has built up is seen as noise. Only above the
// cutoff. Around DDIM; with w = 0 it is DDIM bit by bit. Times are counted in training steps of a model of 1000,
// as in the paper, otherwise in thousandths of the time range.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
// Mean over rows of the variance over a row's elements.
double measuredVariance(const Tensor& y) {
    const auto v = download(y).toDoubles();
    const std::size_t rows = std::size_t(y.rows()), n = v.size() / rows;
    double total = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        double sum = 0, squares = 0;
        for (std::size_t i = r * n; i < (r + 1) * n; ++i) sum += v[i], squares += v[i] * v[i];
        total += squares / double(n) - sum / double(n) * (sum / double(n));
    }
    return total / double(rows);
}
}  // namespace

static SamplerTask run(Sampling& s) {
    const double window = real(s.params, "window"), cutoff = real(s.params, "cutoff"),
                 dataVariance = text(s.params, "reference") == "data" ? real(s.params, "data_variance") : 0;
    const bool isWhole = text(s.params, "shifted") == "step";
    const Process& p = s.process;
    const double low = p.networkTime(p.minimum()), high = p.networkTime(p.maximum()),
                 unit = p.trainingSteps() > 0 ? p.trainingSteps() / 1000.0 : (high - low) / 1000;
    const auto shifted = [&](const Tensor& y, double due) {
        const double time = p.networkTime(due), scale = p.nativeScale(due),
                     measured = scale * scale * measuredVariance(y);
        double best = due, gap = std::numeric_limits<double>::infinity();
        for (int k = -int(window / 2); k <= int(window / 2); ++k) {
            const double t = time + k * unit;
            if (t < low || t > high) continue;
            const double tau = k == 0 ? due : p.tauOfTime(t), noise = p.nativeNoise(tau), signal = p.nativeSignal(tau);
            const double g = std::abs(noise * noise + signal * signal * dataVariance - measured);
            if (g < gap) gap = g, best = tau;
        }
        return best;
    };
    for (auto [from, to] : s.intervals()) {
        const bool isOpen = window >= 2 && from.index > 0 && p.networkTime(from) - low > cutoff * unit;
        const double shiftedTau = isOpen ? shifted(s.x, from) : double(from);
        if (shiftedTau == from) {
            const Tensor d = co_await s.denoise(s.x, from);
            s.advance(eulerStep(s.x, d, from, to), to);
            continue;
        }
        // The same native state, at another time: ε̂ and x̂0 of that time.
        const Tensor y = p.nativeScale(from) / p.nativeScale(shiftedTau) * s.x, d = co_await s.denoise(y, shiftedTau),
                     noise = s.noiseEstimate(y, d, shiftedTau);
        if (isWhole) s.advance(s.signal(to) * d + to * noise, to);
        else  // x̂0 = (y − τ ε̂)/a at the due time
            s.advance(s.signal(to) / s.signal(from) * (s.x - from * noise) + to * noise, to);
    }
}

SamplerInfo timeShift() {
    return {.id = "time_shift",
            .label = "Time shift (DDIM)",
            .summary =
                "DDIM with the network conditioned on the time that fits the state's variance, against exposure bias",
            .source = "Li et al. 2024, algorithm 2",
            .group = "One step",
            .params = {realParam(
                           "window", "Window", 30, 0, 400,
                           "Width of the search around the due time, in thousandths of the time range; 0 is DDIM.", 2),
                       realParam("cutoff", "Cutoff", 300, 0, 1000, "Only above this time, in thousandths of the range.",
                                 10),
                       choiceParam("reference", "Expected variance", "noise",
                                   {{"noise", "Of the noise alone"}, {"data", "Of noise and data"}},
                                   "What the measured variance is compared with."),
                       realParam("data_variance", "Variance of the data", 0.25, 0, 10,
                                 "For the second choice: the variance of clean states over an image's elements."),
                       advanced(choiceParam(
                           "shifted", "Shifts", "query", {{"query", "Only the question"}, {"step", "The step too"}},
                           "Whether the step still starts at the due time (the paper), or at the shifted one."))},
            .run = run};
}

}  // namespace meander::sampler
