// What the sampler files share: parameters that several have, and the integrals behind multistep and exponential
// integrators.
#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "engine/core/param_specs.h"
#include "engine/sampling/sampling.h"

namespace meander {

// The two that most stochastic samplers have.
ParamSpec etaParam(
    double value,
    const char* help = "Share of fresh noise: 0 follows the ODE, 1 has the variance of the reverse diffusion.");
ParamSpec noiseScaleParam();

// w_j = ∫_a^b ℓ_j(u) du for the Lagrange polynomials ℓ_j of the nodes: Adams–Bashforth on any nodes (LMS, PLMS, iPNDM).
// Exact up to rounding.
std::vector<double> adamsWeights(std::span<const double> nodes, double a, double b);
// w_j = ∫_a^b e^{rate (u − b)} ℓ_j(u) du: the variation of constants behind DEIS, DPM-Solver, UniPC, RES and SA-Solver.
// b may be infinite when rate > 0 and the polynomial is a constant (one node).
std::vector<double> exponentialWeights(std::span<const double> nodes, double a, double b, double rate);

// Weights of the k-step Adams–Bashforth rule on equal steps, newest first; k = 1 … 4.
std::span<const double> adamsBashforth(std::size_t k);

// Song et al. 2021, eq. 12 (DDIM with a share η of the posterior's noise): y' = a' D + direction · ε̂ + noiseStd · z,
// direction² + noiseStd² = τ'². No noise in the step to clean.
struct PosteriorSplit {
    double direction, noiseStd;
};
PosteriorSplit posteriorSplit(const Sampling& s, double from, double to, double eta);

// φ_1(z) = (e^z − 1)/z, φ_{k+1}(z) = (φ_k(z) − 1/k!)/z, without cancellation at small z.
double phi(int k, double z);
// Solves a small dense system by elimination with pivoting; `a` by rows.
std::vector<double> solveLinear(std::vector<std::vector<double>> a, std::vector<double> b);

// The Euler step of dy/dτ = (y − D)/τ, y' = (τ'/τ) y + (1 − τ'/τ) D; at to = 0 exactly D. In these coordinates it is
// the DDIM step a' D + τ' ε̂ too, and the jump G(y, τ → τ') of few-step rules.
Sum eulerStep(const Tensor& y, const Tensor& denoised, double from, double to);
// Heun's step (Karras et al. 2022, algorithm 1) from the estimates at y and at its Euler step `predicted`.
Sum heunStep(const Tensor& y, const Tensor& denoised, const Tensor& predicted, const Tensor& denoisedThere, double from,
             double to);

// What earlier evaluations gave, newest first, each with the place it was taken at (τ, log τ ... whatever the rule
// extrapolates in).
class EvaluationHistory {
public:
    explicit EvaluationHistory(std::size_t longest) : m_longest(longest) {}
    void add(double at, Tensor value);
    std::size_t size() const { return m_values.size(); }
    std::span<const double> at(std::size_t k) const { return {m_at.data(), k}; }  // of the newest k
    const Tensor& operator[](std::size_t i) const { return m_values[i]; }
    // Σ weights[j] · value[j]
    Sum combined(std::span<const double> weights) const;

private:
    std::size_t m_longest;
    std::vector<double> m_at;
    std::vector<Tensor> m_values;
};

// The time in which an exponential integrator extrapolates: u = −log τ, or λ = log(a/τ) as published and in diffusers.
// The same for a = 1. For flow the first is finite at pure noise and has D without a factor; on the second a step from
// pure noise, where λ = −∞, is Euler's.
class ExponentialClock {
public:
    explicit ExponentialClock(const Sampling& s)
        : m_process(s.process), m_isLambda(text(s.params, "clock") == "lambda") {}
    bool isLambda() const { return m_isLambda; }
    bool isFinite(double tau) const { return !m_isLambda || m_process.signal(tau) > 0; }
    // u(to) − u(from)
    double between(double from, double to) const {
        const double u = std::log(from / to);
        return m_isLambda ? u + std::log(m_process.signal(to) / m_process.signal(from)) : u;
    }
    double signal(double tau) const { return m_isLambda ? m_process.signal(tau) : 1; }
    // What the integrator takes as slowly varying: the estimate, or (y − a D)/τ with the a of this time.
    Tensor predicted(bool onNoise, const Tensor& y, const Tensor& denoised, double tau) const {
        return onNoise ? (y - signal(tau) * denoised) / tau : Sum(denoised);
    }

private:
    const Process& m_process;
    bool m_isLambda;
};
ParamSpec clockParam();

// Variation of constants over a step of length h. On estimates, y' = (τ'/τ) y + a' ∫ e^{u − u'} D du: DPM-Solver++. On
// noise ε, y' = (a'/a) y − τ' ∫ e^{u' − u} ε du: DPM-Solver; a = 1 in u = −log τ, where ε is the slope (y − D)/τ. Both
// are stateCoeff · y + scale · [h φ_1(z) V + h φ_2(z) h V' + …] with V the estimate or the noise at the start.
struct ExponentialForm {
    ExponentialForm(bool onNoise, double from, double to)
        : h(std::log(from / to)), z(onNoise ? h : -h), stateCoeff(onNoise ? 1 : to / from), scale(onNoise ? -to : 1) {}
    ExponentialForm(const ExponentialClock& clock, bool onNoise, double from, double to)
        : h(clock.between(from, to)),
          z(onNoise ? h : -h),
          stateCoeff(onNoise ? clock.signal(to) / clock.signal(from) : to / from),
          scale(onNoise ? -to : clock.signal(to)) {}
    double h, z, stateCoeff, scale;
    double hPhi(int k) const { return h * phi(k, z); }
};
// The two names that this choice has.
ParamSpec predictionParam();
bool onNoise(const Params& p);  // "noise"

// The last estimate of a two-step rule and the length h of the step it was made for.
struct TwoStepHistory {
    Tensor denoised;
    double h = 0;
    // The new estimate extrapolated to the middle of a step of length `next`; itself where there is no history.
    Sum extrapolated(const Tensor& newest, double next) const {
        return denoised ? newest + next / (2 * h) * (newest - denoised) : Sum(newest);
    }
};

// Explicit Runge–Kutta for dy/dτ = (y − D)/τ, one step, stage by stage:
//   RungeKuttaStep step(kutta4(), s.x, from, to);
//   while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
struct Tableau {
    std::vector<double> c;
    std::vector<std::vector<double>> a;
    std::vector<double> b, embedded;  // embedded: weights of the second solution of an error estimate
};
const Tableau& kutta4();          // the classical method of order 4
const Tableau& dormandPrince5();  // order 5 with an embedded 4; the last stage is the first of the next step (Dormand &
                                  // Prince 1980)
class RungeKuttaStep {
public:
    RungeKuttaStep(const Tableau& t, Tensor y, double from, double to)
        : m_tableau(t), m_y(std::move(y)), m_from(from), m_to(to) {}
    bool done() const { return m_slopes.size() == m_tableau.c.size(); }
    double tau() const { return m_from + m_tableau.c[m_slopes.size()] * (m_to - m_from); }
    const Tensor& state();
    void add(const Tensor& denoised) { addSlope(Sampling::slope(state(), denoised, tau())); }
    void addSlope(Tensor slope) {
        m_slopes.push_back(std::move(slope));
        m_state = {};
    }
    Tensor result() const { return along(m_tableau.b); }
    Tensor embedded() const { return along(m_tableau.embedded); }
    const Tensor& slope(std::size_t stage) const { return m_slopes[stage]; }

private:
    Tensor along(const std::vector<double>& weights) const;
    const Tableau& m_tableau;
    Tensor m_y, m_state;
    double m_from, m_to;
    std::vector<Tensor> m_slopes;
};

// One singlestep DPM-Solver step (Lu et al. 2022a, algorithms 1 to 3; 2022b, algorithm 1) of order 1, 2 or 3 with its
// own levels at r1 and r2 of the step in log τ.
class DpmSolverStep {
public:
    DpmSolverStep(int order, bool onNoise, Tensor y, double from, double to, double r1, double r2 = 2.0 / 3)
        : m_order(std::size_t(order)), m_onNoise(onNoise), m_y(std::move(y)), m_from(from), m_to(to), m_r{0, r1, r2} {}
    bool done() const { return m_values.size() == m_order; }
    double tau() const;
    const Tensor& state();
    void add(const Tensor& denoised) {
        m_values.push_back(m_onNoise ? Sampling::slope(state(), denoised, tau()) : Sum(denoised));
        m_state = {};
    }
    Tensor result() const { return result(m_order); }
    Tensor result(std::size_t order) const;  // also of a lower order, from the same evaluations

private:
    std::size_t m_order;
    bool m_onNoise;
    Tensor m_y, m_state;
    double m_from, m_to, m_r[3];
    std::vector<Tensor> m_values;
};

// Rules that extrapolate slopes break down where the first step falls over too many noise levels at once, as with
// cosine β or zero terminal SNR at few steps. `most`: factor between the first two levels that the rule bears.
std::string firstFallAdvice(const SamplerSituation& s, double most);
// What "denoise_last" off means: k-diffusion's DPM solvers end at the lowest level above 0.
std::string keptNoiseAdvice(const SamplerSituation& s);

// Step size control for adaptive solvers (Söderlind 2003), in the form of k-diffusion: the factor is limited smoothly,
// and a step is accepted when its factor is at least `safety`.
class PidController {
public:
    // `way`: of all steps together. None is shorter than its ten-thousandth, which is accepted whatever its error:
    // below that rounding decides, not the tolerance, and a run has to end.
    PidController(double h, double way, double p, double i, double d, double order, double safety);
    double h;
    bool propose(double error);  // changes h; true: the step is good

private:
    double m_shortest, m_b[3], m_safety, m_inverse[3] = {0, 0, 0};
    bool m_first = true;
};
// √(mean ((a − b)/max(atol, rtol · max(|a|, |before|)))²) over all elements of all rows.
double scaledError(const Tensor& a, const Tensor& b, const Tensor& before, double atol, double rtol);

}  // namespace meander
