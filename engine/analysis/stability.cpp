#include "engine/analysis/stability.h"

#include <algorithm>
#include <cmath>

namespace meander {

namespace {

using Complex = std::complex<double>;

constexpr int steps = 26, first = 7,
              last = 21;     // of the states used: behind the start of multistep rules, before special last steps
constexpr double far = 1e6;  // distance from τ = 0 in steps, for the Noise clock
constexpr double exactness = 1e-5;  // of a recurrence; the factors of the Noise clock vary by 1/far a step

struct Recorder : Sampling::Host {
    std::vector<std::vector<double>> states;
    Tensor noise(const NoiseRequest&, const Tensor& like) override { return combine({{0, like}}); }
    void advanced(const Tensor& x, const NoiseLevel&, bool) override { states.push_back(download(x).toDoubles()); }
};

// D of the test equation for every row: y − τ λ y with λ = z/Δτ, or (1 + z/h) y.
Tensor answer(const DenoiseRequest& q, std::span<const Complex> z, const StabilityOptions& o) {
    auto v = download(q.x).toDoubles();
    for (std::size_t r = 0; 2 * r < v.size(); ++r) {
        const Complex y(v[2 * r], v[2 * r + 1]), d = o.clock == StabilityClock::Noise
                                                         ? y + q.tau * z[r % z.size()] * y
                                                         : y * (1.0 + z[r % z.size()] / o.logStep);
        v[2 * r] = d.real();
        v[2 * r + 1] = d.imag();
    }
    return upload(q.x.backend(), HostTensor::fromDoubles(q.x.shape(), v));
}

// Least squares by normal equations with pivoting; small systems.
bool solveSquare(std::vector<std::vector<Complex>> a, std::vector<Complex> b, std::vector<Complex>& x) {
    const std::size_t n = b.size();
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t p = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(a[i][k]) > std::abs(a[p][k])) p = i;
        if (!(std::abs(a[p][k]) > 1e-300)) return false;
        std::swap(a[k], a[p]);
        std::swap(b[k], b[p]);
        for (std::size_t i = k + 1; i < n; ++i) {
            const Complex f = a[i][k] / a[k][k];
            for (std::size_t j = k; j < n; ++j) a[i][j] -= f * a[k][j];
            b[i] -= f * b[k];
        }
    }
    x.assign(n, 0);
    for (std::size_t k = n; k-- > 0;) {
        x[k] = b[k];
        for (std::size_t j = k + 1; j < n; ++j) x[k] -= a[k][j] * x[j];
        x[k] /= a[k][k];
    }
    return true;
}

// The shortest recurrence that the states follow: its first n equations determine it, all others test it.
double largestFactor(const std::vector<Complex>& s) {
    double size = 0;
    for (const Complex& v : s) {
        if (!std::isfinite(v.real()) || !std::isfinite(v.imag())) return NAN;
        size = std::max(size, std::abs(v));
    }
    if (size == 0 || std::abs(s.back()) < 1e-250) return 0;
    for (std::size_t n = 1; 2 * n + 2 <= s.size(); ++n) {
        std::vector<std::vector<Complex>> a(n, std::vector<Complex>(n));
        std::vector<Complex> b(n), c;
        const std::size_t at = (s.size() - 2 * n) / 2;  // in the middle of the record
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) a[i][j] = s[at + i + j] / s[at + n - 1];
            b[i] = s[at + i + n] / s[at + n - 1];
        }
        if (!solveSquare(a, b, c)) continue;
        bool follows = true;
        for (std::size_t i = 0; i + n < s.size() && follows; ++i) {
            Complex predicted = 0;
            double scale = std::abs(s[i + n]);
            for (std::size_t j = 0; j < n; ++j) {
                predicted += c[j] * s[i + j];
                scale = std::max(scale, std::abs(s[i + j]));
            }
            follows = std::abs(predicted - s[i + n]) <= exactness * scale;
        }
        if (!follows) continue;
        double largest = 0;
        for (const Complex& root : recurrenceRoots(c)) largest = std::max(largest, std::abs(root));
        return largest;
    }
    return NAN;
}

}  // namespace

std::vector<std::complex<double>> recurrenceRoots(std::span<const Complex> c) {
    const std::size_t n = c.size();
    double bound = 0;
    for (const Complex& v : c) bound = std::max(bound, std::abs(v));
    std::vector<Complex> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = std::pow(Complex(0.4, 0.9), double(i)) * std::min(1 + bound, 2.0);
    for (int iteration = 0; iteration < 500; ++iteration) {  // Durand–Kerner
        double moved = 0;
        for (std::size_t i = 0; i < n; ++i) {
            Complex value = 1;
            for (std::size_t k = 0; k < n; ++k) value *= x[i];
            Complex power = 1;
            for (std::size_t k = 0; k < n; ++k) {
                value -= c[k] * power;
                power *= x[i];
            }
            Complex others = 1;
            for (std::size_t j = 0; j < n; ++j)
                if (j != i) others *= x[i] - x[j];
            const Complex step = others == 0.0 ? Complex(1e-8, 1e-8) : value / others;
            x[i] -= step;
            moved = std::max(moved, std::abs(step) / (1e-30 + std::abs(x[i])));
        }
        if (moved < 1e-15) break;
    }
    return x;
}

std::vector<double> amplification(const SamplerInfo& sampler, const Params& params, std::span<const Complex> z,
                                  const StabilityOptions& o) {
    std::vector<double> growth(z.size(), NAN);
    auto full = resolveParams(sampler, params);
    if (!full) throw Failure(full.error().text);
    if (z.empty() || sampler.freeSteps || sampler.needsData) return growth;
    static const std::unique_ptr<Backend> backend = kernels::createCpuBackend({1});
    std::vector<double> start, levels;
    for (std::size_t i = 0; i < z.size(); ++i) start.insert(start.end(), {1, 0});
    const double direction = sampler.inverts ? 1 : -1;  // inverting samplers go up
    for (int k = 0; k <= steps; ++k)
        levels.push_back(o.clock == StabilityClock::Noise ? far + direction * k : std::exp(direction * k * o.logStep));
    // In falling τ the step is −1 and λ = −z; the answer is written for that. Rising, λ = z.
    std::vector<Complex> values(z.begin(), z.end());
    if (sampler.inverts)
        for (Complex& v : values) v = -v;
    const Process process = Process::varianceExploding(1e-9, 1e9);
    Recorder host;
    try {
        Sampling s(process, levels, std::move(*full),
                   upload(*backend, HostTensor::fromDoubles({std::int64_t(z.size()), 2}, start)), host);
        SamplerTask task = sampler.run(s);
        task.resume();
        while (!task.done()) {
            for (DenoiseRequest& q : s.pending())
                q.answer.denoised = q.answer.conditional = q.answer.unconditional = answer(q, values, o);
            s.clearPending();
            task.resume();
        }
    } catch (const std::exception&) {
        return growth;
    }
    if (host.states.size() != std::size_t(steps)) return growth;
    for (std::size_t i = 0; i < z.size(); ++i) {
        std::vector<Complex> record;
        for (int k = first; k <= last; ++k)
            record.emplace_back(host.states[std::size_t(k)][2 * i], host.states[std::size_t(k)][2 * i + 1]);
        growth[i] = largestFactor(record);
    }
    return growth;
}

StabilityRegion stabilityRegion(const SamplerInfo& sampler, const Params& params, StabilityRegion region,
                                const StabilityOptions& options) {
    std::vector<Complex> z;
    for (int r = 0; r < region.rows; ++r)
        for (int c = 0; c < region.columns; ++c)
            z.emplace_back(region.left + (c + 0.5) / region.columns * (region.right - region.left),
                           region.bottom + (r + 0.5) / region.rows * (region.top - region.bottom));
    region.growth = amplification(sampler, params, z, options);
    return region;
}

double stabilityInterval(const SamplerInfo& sampler, const Params& params, double limit,
                         const StabilityOptions& options) {
    double low = 0, high = limit;
    for (int round = 0; round < 6; ++round) {  // each time a grid of 50 in the part where it turns unstable
        std::vector<Complex> z;
        for (int k = 1; k <= 50; ++k) z.emplace_back(-(low + (high - low) * k / 50), 0);
        const auto growth = amplification(sampler, params, z, options);
        std::size_t k = 0;
        while (k < growth.size() && growth[k] <= 1 + 3e-6) ++k;
        if (k == growth.size()) return high;
        const double width = (high - low) / 50;
        low += width * double(k);
        high = low + width;
    }
    return low;
}

}  // namespace meander
