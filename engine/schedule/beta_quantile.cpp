#include "engine/schedule/beta_quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace meander {
namespace {

double logBeta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

// Modified Lentz evaluation of the continued fraction; converges fast for x < (a + 1)/(a + b + 2).
double fraction(double x, double a, double b) {
    constexpr double tiny = 1e-300;
    const auto safe = [](double v) { return std::abs(v) < tiny ? tiny : v; };
    double c = 1, d = 1 / safe(1 - (a + b) * x / (a + 1)), h = d;
    for (int m = 1; m <= 10000; ++m) {
        const double even = m * (b - m) * x / ((a - 1 + 2 * m) * (a + 2 * m));
        d = 1 / safe(1 + even * d);
        c = safe(1 + even / c);
        h *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 1 + 2 * m));
        d = 1 / safe(1 + odd * d);
        c = safe(1 + odd / c);
        const double change = d * c;
        h *= change;
        if (std::abs(change - 1) < 1e-16) break;
    }
    return h;
}

}  // namespace

double betaCdf(double x, double a, double b) {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - logBeta(a, b));
    return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b;
}

double betaQuantile(double u, double a, double b) {
    if (u <= 0) return 0;
    if (u >= 1) return 1;
    if (a == 1 && b == 1) return u;
    // Bisection in the logit of x, which resolves both ends; 200 halvings of ±745 end at the last bit.
    double low = -745, high = 745;
    const auto at = [](double logit) {
        return logit < 0 ? std::exp(logit) / (1 + std::exp(logit)) : 1 / (1 + std::exp(-logit));
    };
    for (int i = 0; i < 200 && high - low > 1e-15 * std::max(1.0, std::abs(low)); ++i) {
        const double middle = 0.5 * (low + high);
        (betaCdf(at(middle), a, b) < u ? low : high) = middle;
    }
    const double x = at(0.5 * (low + high));
    // The median of a symmetric distribution, and other quantiles that are exactly a half, decide ties when training
    // steps are rounded.
    return std::abs(x - 0.5) < 1e-14 ? 0.5 : x;
}

double normalQuantile(double u) {
    if (u <= 0) return -std::numeric_limits<double>::infinity();
    if (u >= 1) return std::numeric_limits<double>::infinity();
    if (u == 0.5) return 0;
    double low = -40, high = 40;
    for (int i = 0; i < 120 && high - low > 1e-15 * std::max(1.0, std::abs(low)); ++i) {
        const double middle = 0.5 * (low + high);
        // The tail that does not cancel.
        const bool isBelow = u < 0.5 ? 0.5 * std::erfc(-middle / std::numbers::sqrt2) < u
                                     : 0.5 * std::erfc(middle / std::numbers::sqrt2) > 1 - u;
        (isBelow ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

}  // namespace meander
