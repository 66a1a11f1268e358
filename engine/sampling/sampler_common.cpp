#include "engine/sampling/sampler_common.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace meander {

ParamSpec etaParam(double value, const char* help) { return realParam("eta", "η", value, 0, 2, help); }

ParamSpec noiseScaleParam() {
    return advanced(
        realParam("s_noise", "Noise scale", 1, 0, 2,
                  "Factor on the fresh noise; 1 is exact, slightly above 1 adds detail that imprecise models lose."));
}

namespace {

// Gauss–Legendre, 12 points on [−1, 1]: exact for polynomials up to degree 23. Nodes by Newton's iteration on P_12,
// once.
struct Rule {
    static constexpr int n = 12;
    std::array<double, n> x{}, w{};
    Rule() {
        for (int i = 0; i < n; ++i) {
            double z = std::cos(3.14159265358979323846 * (i + 0.75) / (n + 0.5)), slope = 1;
            for (int k = 0; k < 100; ++k) {
                double p = 1, before = 0;
                for (int j = 1; j <= n; ++j) before = std::exchange(p, ((2 * j - 1) * z * p - (j - 1) * before) / j);
                slope = n * (z * p - before) / (z * z - 1);
                const double move = p / slope;
                z -= move;
                if (std::abs(move) < 1e-16) break;
            }
            x[std::size_t(i)] = z;
            w[std::size_t(i)] = 2 / ((1 - z * z) * slope * slope);
        }
    }
};

double lagrange(std::span<const double> nodes, std::size_t j, double u) {
    double product = 1;
    for (std::size_t k = 0; k < nodes.size(); ++k)
        if (k != j) product *= (u - nodes[k]) / (nodes[j] - nodes[k]);
    return product;
}

}  // namespace

std::vector<double> exponentialWeights(std::span<const double> nodes, double a, double b, double rate) {
    if (std::isinf(b)) {  // ∫ e^{rate (u − b)} du over an infinite past of the end point is 1/rate; only a constant is
                          // bounded there
        std::vector<double> w(nodes.size(), 0.0);
        w[0] = 1 / rate;
        return w;
    }
    static const Rule rule;
    // Panels on which the exponential changes by less than e².
    const int panels = std::clamp(int(std::ceil(std::abs(rate * (b - a)) / 2)), 1, 400);
    std::vector<double> w(nodes.size(), 0.0);
    for (int p = 0; p < panels; ++p) {
        const double left = a + (b - a) * p / panels, right = a + (b - a) * (p + 1) / panels, half = (right - left) / 2,
                     middle = (right + left) / 2;
        for (std::size_t i = 0; i < std::size_t(Rule::n); ++i) {
            const double u = middle + half * rule.x[i],
                         factor = half * rule.w[i] * (rate == 0 ? 1 : std::exp(rate * (u - b)));
            for (std::size_t j = 0; j < nodes.size(); ++j) w[j] += factor * lagrange(nodes, j, u);
        }
    }
    return w;
}

std::vector<double> adamsWeights(std::span<const double> nodes, double a, double b) {
    return exponentialWeights(nodes, a, b, 0);
}

double phi(int k, double z) {
    if (k == 0) return std::exp(z);
    if (std::abs(z) < 1) {  // Σ z^m/(m + k)!
        double term = 1;
        for (int i = 2; i <= k; ++i) term /= i;
        double sum = 0;
        for (int m = 0; m < 40 && std::abs(term) > 1e-18 * std::abs(sum); ++m) {
            sum += term;
            term *= z / (m + k + 1);
        }
        return sum;
    }
    double value = std::expm1(z) / z, factorial = 1;
    for (int i = 1; i < k; ++i) {
        factorial *= i;
        value = (value - 1 / factorial) / z;
    }
    return value;
}

std::span<const double> adamsBashforth(std::size_t k) {
    static constexpr double weights[4][4] = {
        {1}, {1.5, -0.5}, {23.0 / 12, -16.0 / 12, 5.0 / 12}, {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24}};
    return {weights[k - 1], k};
}

std::vector<double> solveLinear(std::vector<std::vector<double>> a, std::vector<double> b) {
    const std::size_t n = b.size();
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
        std::swap(a[k], a[pivot]);
        std::swap(b[k], b[pivot]);
        for (std::size_t i = k + 1; i < n; ++i) {
            const double f = a[i][k] / a[k][k];
            for (std::size_t j = k; j < n; ++j) a[i][j] -= f * a[k][j];
            b[i] -= f * b[k];
        }
    }
    for (std::size_t k = n; k-- > 0;) {
        for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k][j] * b[j];
        b[k] /= a[k][k];
    }
    return b;
}

Sum eulerStep(const Tensor& y, const Tensor& denoised, double from, double to) {
    return to == 0 ? Sum(denoised) : to / from * y + (1 - to / from) * denoised;
}

Sum heunStep(const Tensor& y, const Tensor& denoised, const Tensor& predicted, const Tensor& denoisedThere, double from,
             double to) {
    return y + (to - from) / 2 * (Sampling::slope(y, denoised, from) + Sampling::slope(predicted, denoisedThere, to));
}

void EvaluationHistory::add(double at, Tensor value) {
    m_at.insert(m_at.begin(), at);
    m_values.insert(m_values.begin(), std::move(value));
    if (m_values.size() > m_longest) {
        m_at.pop_back();
        m_values.pop_back();
    }
}

Sum EvaluationHistory::combined(std::span<const double> weights) const {
    Sum sum;
    for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * m_values[j];
    return sum;
}

PosteriorSplit posteriorSplit(const Sampling& s, double from, double to, double eta) {
    const double ratio = s.process.sigma(to) / s.process.sigma(from),
                 noiseStd = to == 0 ? 0 : eta * to * std::sqrt(std::max(0.0, 1 - ratio * ratio));
    return {std::sqrt(std::max(0.0, to * to - noiseStd * noiseStd)), noiseStd};
}

ParamSpec clockParam() {
    return advanced(choiceParam("clock", "Extrapolates in", "log_tau",
                                {{"log_tau", "log τ"}, {"lambda", "λ = log(a/τ) (diffusers)"}},
                                "The time of the exponential integrator. It matters for flows only, where λ is half "
                                "the log-SNR that diffusers steps in and log τ is also right at pure noise."));
}

ParamSpec predictionParam() {
    return choiceParam("prediction", "Extrapolates", "data", {{"data", "Estimate x̂0"}, {"noise", "Noise ε"}},
                       "What the exponential integrator takes as slowly varying: x̂0 is DPM-Solver++, steady under "
                       "strong guidance; ε is DPM-Solver.");
}

bool onNoise(const Params& p) { return text(p, "prediction") == "noise"; }

const Tableau& kutta4() {
    static const Tableau t = {
        {0, 0.5, 0.5, 1}, {{}, {0.5}, {0, 0.5}, {0, 0, 1}}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, {}};
    return t;
}

const Tableau& dormandPrince5() {
    static const Tableau t = {
        {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1},
        {{},
         {1.0 / 5},
         {3.0 / 40, 9.0 / 40},
         {44.0 / 45, -56.0 / 15, 32.0 / 9},
         {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
         {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
         {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}},
        {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0},
        {5179.0 / 57600, 0, 7571.0 / 16695, 393.0 / 640, -92097.0 / 339200, 187.0 / 2100, 1.0 / 40}};
    return t;
}

const Tensor& RungeKuttaStep::state() {
    if (!m_state) m_state = m_slopes.empty() ? m_y : along(m_tableau.a[m_slopes.size()]);
    return m_state;
}

Tensor RungeKuttaStep::along(const std::vector<double>& weights) const {
    Sum mean;
    for (std::size_t j = 0; j < weights.size(); ++j) mean += weights[j] * m_slopes[j];
    return m_y + (m_to - m_from) * mean;
}

double DpmSolverStep::tau() const { return m_from * std::pow(m_to / m_from, m_r[m_values.size()]); }

const Tensor& DpmSolverStep::state() {
    if (m_state) return m_state;
    if (m_values.empty()) return m_state = m_y;
    const ExponentialForm e(m_onNoise, m_from, tau());
    const double whole = e.hPhi(1);
    if (m_values.size() == 1) return m_state = e.stateCoeff * m_y + e.scale * whole * m_values[0];
    const double w = m_r[2] / m_r[1] * e.hPhi(2);
    return m_state = e.stateCoeff * m_y + e.scale * ((whole - w) * m_values[0] + w * m_values[1]);
}

Tensor DpmSolverStep::result(std::size_t order) const {
    const ExponentialForm e(m_onNoise, m_from, m_to);
    const double whole = e.hPhi(1);
    if (order == 1) return e.stateCoeff * m_y + e.scale * whole * m_values[0];
    // Second order takes φ_1/2 for φ_2, as published.
    const double w = order == 2 ? whole / (2 * m_r[1]) : e.hPhi(2) / m_r[2];
    return e.stateCoeff * m_y + e.scale * ((whole - w) * m_values[0] + w * m_values[order - 1]);
}

std::string firstFallAdvice(const SamplerSituation& s, double most) {
    if (s.levels.size() < 3 || s.levels[0] <= most * s.levels[1]) return {};
    return "The first step falls from level " + display(s.levels[0]) + " to " + display(s.levels[1])
           + " at once, and slopes of such different levels extrapolate to states far off the data. Use more steps, "
             "clip "
             "the first level, or choose DPM++ 2M.";
}

std::string keptNoiseAdvice(const SamplerSituation& s) {
    if (s.levels.back() > 0 || s.levels.size() < 3 || toggle(s.params, "denoise_last")) return {};
    return "As in k-diffusion it leaves the noise of the last level above 0 (" + display(s.levels[s.levels.size() - 2])
           + ") in the result. Turn on \"Denoise at the end\".";
}

PidController::PidController(double start, double way, double p, double i, double d, double order, double safety)
    : h(std::max(start, way / 10'000)),
      m_shortest(way / 10'000),
      m_b{(p + i + d) / order, -(p + 2 * d) / order, d / order},
      m_safety(safety) {}

bool PidController::propose(double error) {
    const double inverse = 1 / (error + 1e-8);
    if (std::exchange(m_first, false)) m_inverse[1] = m_inverse[2] = inverse;
    m_inverse[0] = inverse;
    double factor = 1;
    for (int k = 0; k < 3; ++k) factor *= std::pow(m_inverse[k], m_b[k]);
    factor = 1 + std::atan(factor - 1);
    const bool isShortest = h <= m_shortest;
    h = std::max(h * factor, m_shortest);
    if (factor < m_safety && !isShortest) return false;
    m_inverse[2] = std::exchange(m_inverse[1], m_inverse[0]);
    return true;
}

double scaledError(const Tensor& a, const Tensor& b, const Tensor& before, double atol, double rtol) {
    const auto x = download(a).toDoubles(), y = download(b).toDoubles(), z = download(before).toDoubles();
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double e = (x[i] - y[i]) / std::max(atol, rtol * std::max(std::abs(x[i]), std::abs(z[i])));
        sum += e * e;
    }
    return std::sqrt(sum / double(x.size()));
}

}  // namespace meander
