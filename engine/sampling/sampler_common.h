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

// φ_1(z) = (e^z − 1)/z, φ_{k+1}(z) = (φ_k(z) − 1/k!)/z, without cancellation at small z.
double phi(int k, double z);
// Solves a small dense system by elimination with pivoting; `a` by rows.
std::vector<double> solveLinear(std::vector<std::vector<double>> a, std::vector<double> b);

// The Euler step of dy/dτ = (y − D)/τ; at to = 0 exactly D.
Tensor eulerStep(const Tensor& y, const Tensor& denoised, double from, double to);

// What earlier evaluations gave, newest first, each with the place it was taken at (τ, log τ ... whatever the rule
// extrapolates in).
class EvaluationHistory {
public:
    explicit EvaluationHistory(std::size_t longest) : m_longest(longest) {}
    void add(double at, Tensor value);
    std::size_t size() const { return m_values.size(); }
    std::span<const double> at(std::size_t k) const { return {m_at.data(), k}; }  // of the newest k
    const Tensor& operator[](std::size_t i) const { return m_values[i]; }
    // onState · state + scale · Σ weights[j] · value[j]
    Tensor combined(double stateCoeff, const Tensor& state, double scale, std::span<const double> weights) const;

private:
    std::size_t m_longest;
    std::vector<double> m_at;
    std::vector<Tensor> m_values;
};

// Variation of constants over a step in u = −log τ, of length h. On estimates, y' = (τ'/τ) y + ∫ e^{u − u'} D du:
// DPM-Solver++. On slopes ε = (y − D)/τ, y' = y − τ' ∫ e^{u' − u} ε du: DPM-Solver. Both are onState · y + scale · [h
// φ_1(z) V + h φ_2(z) h V' + …] with V the estimate or the slope at the start. In log τ, not in λ = log(a/τ): the same
// for a = 1; for flow the first is finite at pure noise and has D without a factor.
struct ExponentialForm {
    ExponentialForm(bool onSlopes, double from, double to)
        : h(std::log(from / to)),
          z(onSlopes ? h : -h),
          stateCoeff(onSlopes ? 1 : to / from),
          scale(onSlopes ? -to : 1) {}
    double h, z, stateCoeff, scale;
    double hPhi(int k) const { return h * phi(k, z); }
};
// The two names that this choice has.
ParamSpec predictionParam();
bool onSlopes(const Params& p);  // "noise"
inline Tensor predicted(bool onSlopes, const Tensor& y, const Tensor& denoised, double tau) {
    return onSlopes ? Sampling::slope(y, denoised, tau) : denoised;
}

// Explicit Runge–Kutta for dy/dτ = (y − D)/τ, one step, stage by stage:
//   RungeKuttaStep step(kutta4(), s.x, from, to);
//   while (!step.done()) step.add((co_await s.denoise(step.state(), step.tau())).denoised);
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
    DpmSolverStep(int order, bool onSlopes, Tensor y, double from, double to, double r1, double r2 = 2.0 / 3)
        : m_order(std::size_t(order)),
          m_onSlopes(onSlopes),
          m_y(std::move(y)),
          m_from(from),
          m_to(to),
          m_r{0, r1, r2} {}
    bool done() const { return m_values.size() == m_order; }
    double tau() const;
    const Tensor& state();
    void add(const Tensor& denoised) {
        m_values.push_back(predicted(m_onSlopes, state(), denoised, tau()));
        m_state = {};
    }
    Tensor result() const { return result(m_order); }
    Tensor result(std::size_t order) const;  // also of a lower order, from the same evaluations

private:
    std::size_t m_order;
    bool m_onSlopes;
    Tensor m_y, m_state;
    double m_from, m_to, m_r[3];
    std::vector<Tensor> m_values;
};

// Step size control for adaptive solvers (Söderlind 2003), in the form of k-diffusion: the factor is limited smoothly,
// and a step is accepted when its factor is at least `safety`.
class PidController {
public:
    PidController(double h, double p, double i, double d, double order, double safety);
    double h;
    bool propose(double error);  // changes h; true: the step is good

private:
    double m_b[3], m_safety, m_inverse[3] = {0, 0, 0};
    bool m_first = true;
};
// √(mean ((a − b)/max(atol, rtol · max(|a|, |before|)))²) over all elements of all rows.
double scaledError(const Tensor& a, const Tensor& b, const Tensor& before, double atol, double rtol);

}  // namespace meander
