#include "engine/models/analytic/bridge_kernels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

namespace meander {

namespace {

constexpr double pi = std::numbers::pi;

// A function on 0 … π that is even at both ends, by cubic interpolation (Catmull–Rom) between equal nodes.
double interpolated(const std::vector<double>& nodes, double x) {
    const int last = int(nodes.size()) - 1;
    const double at = std::clamp(x / pi, 0.0, 1.0) * last;
    const int i = std::min(int(at), last - 1);
    const auto node = [&](int k) { return nodes[std::size_t(k < 0 ? -k : k > last ? 2 * last - k : k)]; };
    const double f = at - i, a = node(i - 1), b = node(i), c = node(i + 1), d = node(i + 2);
    return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
}

std::vector<double> tabulated(int intervals, const std::function<double(double)>& f) {
    std::vector<double> nodes;
    for (int i = 0; i <= intervals; ++i) nodes.push_back(f(pi * i / intervals));
    return nodes;
}

// log Σ e^{weight + value} − log Σ e^{weight}
class MeanOfExponentials {
public:
    void add(double logWeight, double value) {
        add(m_sum, m_top, logWeight + value);
        add(m_weights, m_topWeight, logWeight);
    }
    double log() const { return m_top + std::log(m_sum) - m_topWeight - std::log(m_weights); }

private:
    static void add(double& sum, double& top, double x) {
        if (x > top) sum *= std::exp(std::exchange(top, x) - x);
        sum += std::exp(x - top);
    }
    double m_sum = 0, m_top = -1e300, m_weights = 0, m_topWeight = -1e300;
};

// How far from x the integrand matters: 1/K_T grows by e^{π²/2s_T} at most.
double reach(double elapsed, double total) { return std::sqrt(elapsed * (80 + pi * pi / total)); }
int nodesFor(double length, double elapsed, double total) {
    return std::clamp(int(length / std::min(std::sqrt(elapsed) / 4, total / 8)), 100, 2000);
}

// log of the mean of 1/K_T around a state at the distance d from the end, under the kernel of the elapsed variance.
double circleMean(double d, double elapsed, double total, const std::vector<double>& logKernel) {
    const double length = 2 * reach(elapsed, total);
    const int n = nodesFor(length, elapsed, total);
    MeanOfExponentials mean;
    for (int i = 0; i < n; ++i) {
        const double u = length * ((i + 0.5) / n - 0.5), angle = std::remainder(d + u, 2 * pi);
        mean.add(-u * u / (2 * elapsed), -interpolated(logKernel, std::abs(angle)));
    }
    return mean.log();
}
// Rings around x on the sphere with the weight of the kernel, to be averaged over.
struct Ring {
    double sine, cosine, logWeight;
};
std::vector<Ring> ringsOf(double elapsed, double total) {
    const double length = std::min(pi, reach(elapsed, total));
    const int n = nodesFor(length, elapsed, total);
    std::vector<Ring> rings;
    for (int i = 0; i < n; ++i) {
        const double psi = length * (i + 0.5) / n;
        rings.push_back({std::sin(psi), std::cos(psi), sphereHeat(psi, elapsed).log + std::log(std::sin(psi))});
    }
    return rings;
}
double sphereMean(double d, const std::vector<Ring>& rings, double total, const std::vector<double>& logKernel) {
    const int turns = std::clamp(int(8 / total), 24, 96);
    MeanOfExponentials mean;
    for (const Ring& ring : rings)
        for (int j = 0; j < turns; ++j) {
            const double cosine =
                ring.cosine * std::cos(d) + ring.sine * std::sin(d) * std::cos(pi * (j + 0.5) / turns);
            mean.add(ring.logWeight, -interpolated(logKernel, std::acos(std::clamp(cosine, -1.0, 1.0))));
        }
    return mean.log();
}

}  // namespace

HeatKernel sphereHeat(double angle, double s) {
    angle = std::clamp(angle, 1e-9, pi - 1e-9);
    if (s >= 0.02) {
        const double x = std::cos(angle);
        double before = 1, now = x, sum = 1, slope = 0, size = 1;  // P_0, P_1; sums without 1/4π
        for (int l = 1; l < 400; ++l) {
            const double weight = (2 * l + 1) * std::exp(-0.5 * l * (l + 1) * s);
            sum += weight * now;
            size += weight * std::abs(now);
            slope += weight * l * (x * now - before) / std::sin(angle);  // dP_l/dγ = l (x P_l − P_{l−1})/sin γ
            if (weight < 1e-18) break;
            before = std::exchange(now, ((2 * l + 1) * x * now - l * before) / (l + 1));
        }
        if (sum > 1e-9 * size) return {std::log(sum / (4 * pi)), slope / sum};
    }
    const double c = 1 / angle - std::cos(angle) / std::sin(angle);
    return {-angle * angle / (2 * s) - std::log(2 * pi * s) + 0.5 * std::log(angle / std::sin(angle)) + s / 6,
            -angle / s + 0.5 * c};
}

HeatKernel circleHeat(double angle, double s) {
    const int turns = 2 + int(8 * std::sqrt(s) / (2 * pi));
    double sum = 0, slope = 0;
    const double nearest = -angle * angle / (2 * s);
    for (int turn = -turns; turn <= turns; ++turn) {
        const double x = angle + 2 * pi * turn, density = std::exp(-x * x / (2 * s) - nearest);
        sum += density;
        slope -= x / s * density;
    }
    return {nearest + std::log(sum) - 0.5 * std::log(2 * pi * s), slope / sum};
}

BridgeWeights::BridgeWeights(ManifoldKind kind, double elapsed, double total) {
    const bool isSphere = kind == ManifoldKind::Sphere, isStart = elapsed <= 1e-12 * total;
    const auto logKernel =
        tabulated(1024, [&](double d) { return isSphere ? sphereHeat(d, total).log : circleHeat(d, total).log; });
    const auto rings = isSphere && !isStart ? ringsOf(elapsed, total) : std::vector<Ring>();
    m_logs = tabulated(128, [&](double d) {
        if (isStart) return -interpolated(logKernel, d);
        return isSphere ? sphereMean(d, rings, total, logKernel) : circleMean(d, elapsed, total, logKernel);
    });
}

double BridgeWeights::log(double distance) const { return interpolated(m_logs, distance); }

}  // namespace meander
