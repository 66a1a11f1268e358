// What the stochastic samplers share beyond sampler_common.h.
#pragma once
#include <vector>

#include "engine/sampling/sampler_common.h"

namespace meander {

// A step to `to` without regard to the signal: down to sigmaDown, then fresh noise of standard deviation sigmaUp,
// sigmaDown² + sigmaUp² = to². k-diffusion's pair on any clock on which levels are noise over a constant signal: σ =
// n/s always, τ where a = 1. `from` may be infinite.
struct AncestralPair {
    double sigmaDown, sigmaUp;
};
AncestralPair ancestralPair(double from, double to, double eta);

// Where a flow starts at pure noise λ = −∞, and exponential integrators in λ need a finite level: the model's level one
// ten-thousandth of the training time below it. As ComfyUI does, so that its numbers appear. The training time of most
// flow models is shifted: t' = s t/(1 + (s − 1) t).
ParamSpec timeShiftParam();
// Level at a share of the training time, 0 noisiest and 1 clean: training steps where there are any, log σ for EDM,
// shifted t for flow.
double levelAtProgress(const Process& process, double progress, double timeShift);
// s.intervals(), the first of which begins at a finite λ: at that level, or half-way where the first step ends above
// it.
std::vector<Interval> finiteIntervals(const Sampling& s);

// Two published samplers handle flows as if the signal were constant. On, the state is rescaled so that its marginal
// stays that of the process; off, the numbers are those of the published code. The same thing for variance exploding
// and preserving.
ParamSpec exactMarginalParam();
std::string exactMarginalAdvice(const SamplerSituation& s);

// One exponential step of the reverse SDE with stochasticity η from λ to λ + h on constant D: y' = stateCoeff y +
// denoisedCoeff D + noiseStd z, y' = (τ'/τ) e^{−ηh} y + a' (1 − e^{−(1+η)h}) D + τ' √(1 − e^{−2ηh}) z   (Lu et al.
// 2022, DPM-Solver++ appendix; η = 1 the reverse SDE, 0 the ODE)
struct ExponentialStep {
    double h, stateCoeff, denoisedCoeff, noiseStd;
    Sum mean(const Tensor& y, const Tensor& denoised) const { return stateCoeff * y + denoisedCoeff * denoised; }
};
ExponentialStep exponentialStep(const Sampling& s, double from, double to, double eta);

// One explicit step of the reverse SDE dy = [(y − D)/τ + η² (y − a D)/τ] dτ + η √(2τ) dw, whose marginals are those of
// the process for every η. For a = 1 and η = 1 it is the variance-exploding SDE of Song et al. 2021; for flows its
// diffusion stays bounded at pure noise. y' = stateCoeff y + denoisedCoeff D + noiseStd z.
struct DiffusionStep {
    double stateCoeff, denoisedCoeff, noiseStd;
    Sum mean(const Tensor& y, const Tensor& denoised) const { return stateCoeff * y + denoisedCoeff * denoised; }
};
DiffusionStep eulerMaruyama(const Sampling& s, double from, double to, double eta);
// With the drift over the step as in Song et al. 2021, eq. 46: (1 − (τ'/τ)²)/2 in place of 1 − τ'/τ.
DiffusionStep reverseDiffusion(const Sampling& s, double from, double to, double eta);

// Cores that two table rows share.
SamplerTask runTwoStageAncestral(Sampling& s, bool guidedOutside);  // dpmpp_2s_ancestral and its CFG++ form
SamplerTask runResAncestral(Sampling& s, bool guidedOutside);       // res_multistep_ancestral and its CFG++ form
SamplerTask runTwoStepSde(Sampling& s, bool heun);                  // dpmpp_2m_sde, dpmpp_2m_sde_heun
SamplerTask runSeeds2(Sampling& s, double node);                    // seeds_2, exp_heun_2_x0_sde
SamplerTask runStochasticAdams(Sampling& s, bool evaluateTwice);    // sa_solver, sa_solver_pece
std::vector<ParamSpec> stochasticAdamsParams();

}  // namespace meander
