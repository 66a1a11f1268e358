#include "engine/process/process.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/process/terminal.h"

namespace meander {

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
}

Process Process::varianceExploding(double sigmaMin, double sigmaMax) {
    Process p;
    p.m_kind = ProcessKind::VarianceExploding;
    p.m_scheduleName = "EDM";
    p.m_min = sigmaMin;
    p.m_max = sigmaMax;
    return p;
}

namespace {
double logSigmaOf(double alphaCumprod) { return 0.5 * std::log((1 - alphaCumprod) / alphaCumprod); }

// log σ of every training step. Steps that hold less signal than `least` are pure noise to a network, and σ would grow
// beyond all numbers (e^500 after 100,000 steps of β = 0.02): they end at the σ of `least`, a millionth apart, so that
// every step keeps a level of its own.
std::vector<double> logSigmasOf(const std::vector<double>& alphasCumprod, double least) {
    constexpr double apart = 1e-6;
    const std::size_t n = alphasCumprod.size();
    if (n < 2) throw Failure("A variance-preserving process needs at least two training steps.");
    std::vector<double> logSigmas;
    for (std::size_t k = 0; k < n; ++k) {
        const double alpha = std::min(alphasCumprod[k], 1 - 1e-12);
        if (k > 0 && !(alphasCumprod[k] < alphasCumprod[k - 1]) && alphasCumprod[k - 1] > least)
            throw Failure("The training schedule does not get noisier at step " + std::to_string(k)
                          + "; the scheduler settings of the model are damaged.");
        logSigmas.push_back(std::min(logSigmaOf(alpha), logSigmaOf(least) - apart * double(n - 1 - k)));
    }
    return logSigmas;
}
}  // namespace

Process Process::variancePreserving(std::vector<double> alphasCumprod, std::string scheduleName) {
    Process p;
    p.m_kind = ProcessKind::VariancePreserving;
    p.m_scheduleName = std::move(scheduleName);
    p.m_logSigmas = logSigmasOf(alphasCumprod, terminalSignal);
    p.m_min = std::exp(p.m_logSigmas.front());
    p.m_max = std::exp(p.m_logSigmas.back());
    return p;
}

namespace {
std::vector<double> cumulative(int steps, auto beta) {
    std::vector<double> alphas;
    double product = 1;
    for (int k = 0; k < steps; ++k) alphas.push_back(product *= 1 - beta(k));
    return alphas;
}
}  // namespace

Process Process::vpLinear(int steps, double betaStart, double betaEnd) {
    return variancePreserving(
        cumulative(steps, [&](int k) { return betaStart + (betaEnd - betaStart) * k / (steps - 1); }), "linear");
}

Process Process::vpScaledLinear(int steps, double betaStart, double betaEnd) {
    const double from = std::sqrt(betaStart), to = std::sqrt(betaEnd);
    return variancePreserving(cumulative(steps,
                                         [&](int k) {
                                             const double root = from + (to - from) * k / (steps - 1);
                                             return root * root;
                                         }),
                              "scaled linear");
}

Process Process::vpCosine(int steps, double maxBeta) {
    const auto alphaBar = [](double t) {
        const double c = std::cos((t + 0.008) / 1.008 * M_PI / 2);
        return c * c;
    };
    return variancePreserving(
        cumulative(
            steps,
            [&](int k) { return std::min(1 - alphaBar((k + 1.0) / steps) / alphaBar(double(k) / steps), maxBeta); }),
        "cosine");
}

Process Process::withZeroTerminalSnr(double lastSignal) const {
    if (m_kind != ProcessKind::VariancePreserving)
        throw Failure("Zero terminal SNR is a property of variance-preserving training schedules; this one is " + name()
                      + ".");
    std::vector<double> alphas;
    for (const double logSigma : m_logSigmas) alphas.push_back(1 / (1 + std::exp(2 * logSigma)));
    Process p = *this;
    p.m_scheduleName += " with zero terminal SNR";
    p.m_logSigmas = logSigmasOf(zeroTerminalSnr(std::move(alphas), lastSignal), lastSignal);
    p.m_min = std::exp(p.m_logSigmas.front());
    p.m_max = std::exp(p.m_logSigmas.back());
    return p;
}

Process Process::rectifiedFlow(double timeScale, double shift, int tableSteps) {
    if (!(shift > 0) || tableSteps < 2)
        throw Failure("A rectified flow needs a time shift above 0 and a table of at least two training times.");
    Process p;
    p.m_kind = ProcessKind::RectifiedFlow;
    p.m_scheduleName = "rectified flow";
    const double first = 1.0 / tableSteps;
    p.m_min = shift * first / (1 + (shift - 1) * first);
    p.m_max = 1;
    p.m_shift = shift;
    p.m_tableSteps = tableSteps;
    p.m_timeScale = timeScale;
    return p;
}

Process Process::onManifold(Manifold manifold) const {
    if (m_kind != ProcessKind::RectifiedFlow && !manifold.isFlat())
        throw Failure("A curved space needs the clock of a rectified flow; this process is " + name() + ".");
    Process p = *this;
    p.m_manifold = manifold;
    return p;
}

std::string Process::name() const {
    switch (m_kind) {
    case ProcessKind::VarianceExploding: return "variance exploding (EDM)";
    case ProcessKind::VariancePreserving:
        return "variance preserving, " + m_scheduleName + ", " + std::to_string(trainingSteps()) + " steps";
    case ProcessKind::RectifiedFlow: {
        char shift[40] = "";
        if (m_shift != 1) std::snprintf(shift, sizeof shift, ", time shift %g", m_shift);
        return std::string("rectified flow") + shift
               + (m_manifold.isFlat() ? std::string() : std::string(" on the ") + nameOf(m_manifold.kind()));
    }
    }
    return {};
}

double Process::signal(double tau) const { return m_kind == ProcessKind::RectifiedFlow ? 1 - tau : 1; }

double Process::nativeScale(double tau) const {
    return m_kind == ProcessKind::VariancePreserving ? 1 / std::sqrt(1 + tau * tau) : 1;
}

double Process::networkTime(double tau) const {
    switch (m_kind) {
    case ProcessKind::VarianceExploding: return tau;
    case ProcessKind::RectifiedFlow: return m_timeScale * tau;
    case ProcessKind::VariancePreserving: break;
    }
    const double logSigma = std::log(tau);
    const auto upper = std::upper_bound(m_logSigmas.begin(), m_logSigmas.end(), logSigma);
    if (upper == m_logSigmas.begin()) return 0;
    if (upper == m_logSigmas.end()) return double(m_logSigmas.size() - 1);
    const auto k = std::size_t(upper - m_logSigmas.begin()) - 1;
    const double position = double(k) + (logSigma - m_logSigmas[k]) / (m_logSigmas[k + 1] - m_logSigmas[k]);
    // A level that was made from a whole step must give that step back exactly.
    const double whole = std::round(position);
    return std::abs(position - whole) < 1e-9 * double(m_logSigmas.size()) ? whole : position;
}

double Process::tauOfTime(double time) const {
    switch (m_kind) {
    case ProcessKind::VarianceExploding: return time;
    case ProcessKind::RectifiedFlow: return time / m_timeScale;
    case ProcessKind::VariancePreserving: return tauOfStep(time);
    }
    return time;
}

double Process::tauOfStep(double step) const {
    const double last = double(m_logSigmas.size() - 1);
    step = std::clamp(step, 0.0, last);
    const auto k = std::size_t(std::min(std::floor(step), last - 1));
    const double w = step - double(k);
    return std::exp((1 - w) * m_logSigmas[k] + w * m_logSigmas[k + 1]);
}

double Process::logSnr(double tau) const {
    if (tau == 0) return infinity;
    const double a = signal(tau);
    return a <= 0 ? -infinity : 2 * std::log(a / tau);
}

bool Process::startsFromPureNoise() const {
    return m_kind == ProcessKind::RectifiedFlow
           || (m_kind == ProcessKind::VariancePreserving && 1 / (1 + m_max * m_max) < 1e-7);
}

double Process::tauOfLogSnr(double lambda) const { return tauOfSigma(std::exp(-0.5 * lambda)); }

double Process::sigma(double tau) const {
    const double a = signal(tau);
    return a <= 0 ? infinity : tau / a;
}

double Process::tauOfSigma(double sigma) const {
    if (m_kind != ProcessKind::RectifiedFlow) return sigma;
    return std::isinf(sigma) ? 1 : sigma / (1 + sigma);
}

}  // namespace meander
