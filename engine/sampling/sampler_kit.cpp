#include "engine/sampling/sampler_kit.h"

#include <algorithm>
#include <array>
#include <limits>

namespace meander {

ParamSpec realParam(const char* key, const char* label, double value, double low, double high, const char* help, double step) {
    ParamSpec s;
    s.key = key;
    s.label = label;
    s.defaultValue = value;
    s.minimum = low;
    s.maximum = high;
    s.step = step;
    s.help = help;
    return s;
}

ParamSpec integerParam(const char* key, const char* label, std::int64_t value, double low, double high, const char* help) {
    ParamSpec s = realParam(key, label, 0, low, high, help, 1);
    s.kind = ParamKind::Integer;
    s.defaultValue = value;
    return s;
}

ParamSpec toggleParam(const char* key, const char* label, bool value, const char* help) {
    ParamSpec s = realParam(key, label, 0, 0, 1, help, 1);
    s.kind = ParamKind::Toggle;
    s.defaultValue = value;
    return s;
}

ParamSpec choiceParam(const char* key, const char* label, const char* value, std::vector<ParamChoice> choices, const char* help) {
    ParamSpec s = realParam(key, label, 0, 0, 1, help, 1);
    s.kind = ParamKind::Choice;
    s.defaultValue = std::string(value);
    s.choices = std::move(choices);
    return s;
}

ParamSpec advanced(ParamSpec spec) {
    spec.advanced = true;
    return spec;
}

ParamSpec etaParam(double value, const char* help) { return realParam("eta", "η", value, 0, 2, help); }

ParamSpec noiseScaleParam() {
    return advanced(realParam("s_noise", "Noise scale", 1, 0, 2, "Factor on the fresh noise; 1 is exact, slightly above 1 adds detail that imprecise models lose."));
}

namespace {

// Gauss–Legendre, 12 points on [−1, 1]: exact for polynomials up to degree 23. Nodes by Newton's iteration on P_12, once.
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
    if (std::isinf(b)) {  // ∫ e^{rate (u − b)} du over an infinite past of the end point is 1/rate; only a constant is bounded there
        std::vector<double> w(nodes.size(), 0.0);
        w[0] = 1 / rate;
        return w;
    }
    static const Rule rule;
    // Panels on which the exponential changes by less than e².
    const int panels = std::clamp(int(std::ceil(std::abs(rate * (b - a)) / 2)), 1, 400);
    std::vector<double> w(nodes.size(), 0.0);
    for (int p = 0; p < panels; ++p) {
        const double left = a + (b - a) * p / panels, right = a + (b - a) * (p + 1) / panels, half = (right - left) / 2, middle = (right + left) / 2;
        for (std::size_t i = 0; i < std::size_t(Rule::n); ++i) {
            const double u = middle + half * rule.x[i], factor = half * rule.w[i] * (rate == 0 ? 1 : std::exp(rate * (u - b)));
            for (std::size_t j = 0; j < nodes.size(); ++j) w[j] += factor * lagrange(nodes, j, u);
        }
    }
    return w;
}

std::vector<double> adamsWeights(std::span<const double> nodes, double a, double b) { return exponentialWeights(nodes, a, b, 0); }

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

}  // namespace meander
