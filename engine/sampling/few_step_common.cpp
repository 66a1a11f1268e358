#include "engine/sampling/few_step_common.h"

#include <algorithm>
#include <cmath>

namespace meander {

double levelAtFraction(const Process& p, double u) {
    if (u <= 0) return 0;
    if (u >= 1) return p.maximum();
    if (const int steps = p.trainingSteps(); steps > 0) return p.tauOfStep(std::max(0.0, std::round(u * steps) - 1));
    if (p.kind() == ProcessKind::RectifiedFlow) return u * p.maximum();
    constexpr double rho = 7;
    const double low = std::pow(p.minimum(), 1 / rho), high = std::pow(p.maximum(), 1 / rho);
    return std::pow(low + u * (high - low), rho);
}

std::vector<double> between(const std::vector<double>& schedule, const std::vector<double>& inner) {
    std::vector<double> levels{schedule.front()};
    for (double tau : inner)
        if (tau < levels.back() * (1 - 1e-9) && tau > schedule.back() + 1e-12) levels.push_back(tau);
    levels.push_back(schedule.back());
    return levels;
}

std::vector<double> phasedLevels(const Process& p, const std::vector<double>& schedule, int phases, PhaseSteps inside) {
    int steps = int(schedule.size()) - 1;
    if (inside == PhaseSteps::EdgesOnly) steps = std::min(steps, phases);
    std::vector<double> inner;
    if (steps <= phases) {
        for (int k = steps - 1; k > 0; --k)
            inner.push_back(levelAtFraction(p, std::round(double(k) * phases / steps) / phases));
    } else {
        for (int m = phases; m > 0; --m) {  // the phase from m/M down to (m − 1)/M
            const int done = (phases - m) * steps / phases, own = (phases - m + 1) * steps / phases - done;
            for (int k = 0; k < own; ++k) inner.push_back(levelAtFraction(p, (m - double(k) / own) / phases));
        }
    }
    return between(schedule, inner);
}

double phaseEnd(const Process& p, int phases, double tau) {
    for (int m = phases - 1; m > 0; --m)
        if (const double edge = levelAtFraction(p, double(m) / phases); edge < tau * (1 - 1e-9)) return edge;
    return 0;
}

SamplerTask jumpToData(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from, 0.0);
        s.advance(s.addNoise(d, to), to);
    }
}

Tensor adjustedStep(const Sampling& s, const Tensor& denoised, double from, double to, double variance) {
    const double a = s.signal(from), next = s.signal(to), gap = next - a * to / from;
    std::vector<double> stateCoeff, denoisedCoeff;
    for (const double rms : rmsRows(s.noiseEstimate(s.x, denoised, from))) {
        const double length = std::sqrt(to * to + gap * gap * variance / std::max(rms * rms, 1e-30));
        stateCoeff.push_back(length / from);
        denoisedCoeff.push_back(next - a * length / from);
    }
    const Tensor parts[] = {s.x, denoised};
    const std::vector<double> factors[] = {stateCoeff, denoisedCoeff};
    return combineRows(parts, factors);
}

double trainedTime(const Process& p, double time) { return p.trainingSteps() > 0 ? std::floor(time) : time; }

namespace {

// P(a, x) = γ(a, x)/Γ(a) and its density: series below a + 1, continued fraction above (Lentz).
double lowerGamma(double a, double x) {
    if (x <= 0) return 0;
    const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (double n = a + 1; std::abs(term) > 1e-17 * sum; ++n) sum += term *= x / n;
        return front * sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 1000000; ++i) {
        const double an = -i * (i - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        const double change = c * d;
        h *= change;
        if (std::abs(change - 1) < 1e-16) break;
    }
    return 1 - front * h;
}

}  // namespace

double chiSquared(double degrees, double z) {
    // Wilson & Hilferty 1931: a third root is nearly normal. It is the start, and good to 1e-9 where there are very
    // many degrees.
    const double c = 2 / (9 * degrees), root = 1 - c + z * std::sqrt(c);
    double value = degrees * std::max(root * root * root, 1e-12);
    if (degrees > 1e5) return value;
    const double a = degrees / 2, wanted = 0.5 * std::erfc(-z / std::sqrt(2.0));
    double low = 0, high = degrees + 60 * std::sqrt(2 * degrees) + 200;
    for (int i = 0; i < 200; ++i) {
        const double x = value / 2, miss = lowerGamma(a, x) - wanted;
        (miss > 0 ? high : low) = value;
        const double density = 0.5 * std::exp((a - 1) * std::log(x) - x - std::lgamma(a));
        double next = value - miss / density;
        if (!(next > low && next < high)) next = (low + high) / 2;  // Newton, kept inside the bracket
        if (std::abs(next - value) <= 1e-13 * value) return next;
        value = next;
    }
    return value;
}

ParamSpec phasesParam(int value, const char* help) { return integerParam("phases", "Phases", value, 1, 128, help); }
ParamSpec gammaParam(const char* help) { return realParam("gamma", "γ", 0.3, 0, 1, help); }

}  // namespace meander
