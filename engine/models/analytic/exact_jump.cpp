#include "engine/models/analytic/exact_jump.h"

#include <algorithm>
#include <cmath>

namespace meander {

namespace {

void posteriorMean(const Mixture& g, const Process& p, double tau, std::span<const double> y, std::span<double> x0) {
    std::vector<double> native(y.begin(), y.end());
    for (double& v : native) v *= p.nativeScale(tau);
    g.denoise(native, p.nativeSignal(tau), p.nativeNoise(tau), {}, x0);
}

}  // namespace

bool hasExactJump(Distillation d) {
    return d == Distillation::Consistency || d == Distillation::ContinuousConsistency || d == Distillation::Trajectory
           || d == Distillation::Shortcut || d == Distillation::Phased || d == Distillation::Reflow;
}

void exactJump(const Mixture& g, const Process& p, Distillation d, double tau, double target, std::span<const double> y,
               std::span<double> x0) {
    const double a = p.signal(tau);
    if (d == Distillation::Reflow) {  // y = a (m + √v ε) + τ ε
        for (int i = 0; i < g.dimensions(); ++i) {
            const double m = g.mean(0, i), s = std::sqrt(g.variance(0, i));
            x0[std::size_t(i)] = m + s * (y[std::size_t(i)] - a * m) / (a * s + tau);
        }
        return;
    }
    const bool jumpsToData = d == Distillation::Consistency || d == Distillation::ContinuousConsistency;
    if (jumpsToData) target = 0;
    if (!(target <= tau * (1 - 1e-9))) return posteriorMean(g, p, tau, y, x0);
    const std::vector<double> landed = exactFlowMap(g, p, tau, target, y);
    const double kept = target / tau, gain = p.signal(target) - a * kept;
    for (std::size_t i = 0; i < landed.size(); ++i) x0[i] = (landed[i] - kept * y[i]) / gain;
}

}  // namespace meander
