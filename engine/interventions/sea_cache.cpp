// SeaCache (Chung et al. 2026): as TeaCache, but evaluations are compared in what they hold of the image. Both inputs
// pass the filter of the optimal linear denoiser at the present noise level, G(f) = a S(f) / (a² S(f) + b²) for a state
// a·x0 + b·ε and images with the power spectrum S ~ 1/f², so that coarse structure counts early and detail late. The
// filter is scaled to a mean of 1, and S to a mean of 1 as well: states have a standard deviation near 1.
#include <cmath>
#include <numbers>

#include "engine/interventions/step_cache.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "SeaCache";

// The orthogonal, symmetric matrix of a discrete Hartley transform: (1, n, n). A filter whose gains do not depend on
// the signs of the frequencies is the same in it as in a Fourier transform, without complex numbers.
Tensor hartley(Backend& backend, int n) {
    std::vector<float> m;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const double angle = 2 * std::numbers::pi * double(std::int64_t(i) * j % n) / n;
            m.push_back(float((std::cos(angle) + std::sin(angle)) / std::sqrt(double(n))));
        }
    return upload(backend, HostTensor::fromFloats({1, n, n}, m));
}

// Of frequency (x, y), row by row: w · h.
std::vector<double> gains(nn::Grid grid, nn::NoiseShare level) {
    std::vector<double> power, gain;
    double sum = 0;
    const auto frequency = [](int i, int n) { return double(std::min(i, n - i)) / n; };
    for (int x = 0; x < grid.width; ++x)
        for (int y = 0; y < grid.height; ++y) {
            const double fx = frequency(x, grid.width), fy = frequency(y, grid.height),
                         least = 0.5 / std::max(grid.width, grid.height);  // of the mean, which has no frequency
            power.push_back(1 / std::max(fx * fx + fy * fy, least * least));
            sum += power.back();
        }
    double total = 0;
    for (double& s : power) {
        s *= double(power.size()) / sum;
        gain.push_back(level.signal * s / (level.signal * level.signal * s + level.noise * level.noise));
        total += gain.back();
    }
    for (double& g : gain) g *= total > 0 ? double(gain.size()) / total : 0;
    return gain;
}

class SeaCache final : public StepCache {
public:
    SeaCache(const Params& p, const InterventionSetup& s)
        : StepCache(firstTrunk(s, label)), m_threshold(real(p, "threshold")), m_most(integer(p, "most")) {}

protected:
    bool mayReuse(Row& row, const nn::SiteCall& call) override {
        row.now = (*call.start)().converted(DType::F32);
        row.distance += row.signal ? relativeDistance(filtered(row.now, call), filtered(row.signal, call)) : 0;
        row.signal = std::move(row.now);
        return row.distance < m_threshold && row.age <= m_most;
    }
    void renewed(Row& row) override { row.distance = 0; }

private:
    // x (1, h·w or more, c); tokens beyond the grid are padding.
    Tensor filtered(const Tensor& x, const nn::SiteCall& call) {
        const auto [h, w] = call.grid;
        Backend& backend = x.backend();
        if (call.grid != m_grid) {
            m_grid = call.grid;
            m_down = hartley(backend, h);
            m_across = hartley(backend, w);
        }
        const std::int64_t c = x.shape()[-1], pixels = std::int64_t(h) * w;
        const auto times = [&](const Tensor& matrix, const Tensor& values) {
            const Tensor y(backend, values.shape());
            backend.batchedMatmul(matrix, values, y, false);
            return y;
        };
        const Tensor dense = x.reshaped({x.count() / c, c}).slice(0, pixels).reshaped({1, h, w * c});
        const auto turned = [&](const Tensor& t, int rows,
                                int columns) {  // (1, rows, columns·c) → (1, columns, rows·c)
            return t.reshaped({rows, columns, c}).transposed(0, 1).clone().reshaped({1, columns, rows * c});
        };
        const Tensor spectrum = times(m_across, turned(times(m_down, dense), h, w)).reshaped({pixels, c});
        const Tensor values[] = {spectrum};
        const std::vector<double> factors[] = {gains(call.grid, call.level)};
        const Tensor scaled = combineRows(values, factors).reshaped({1, w, h * c});
        return times(m_down, turned(times(m_across, scaled), w, h));
    }

    double m_threshold;
    std::int64_t m_most;
    nn::Grid m_grid;
    Tensor m_down, m_across;
};

}  // namespace

InterventionInfo seaCache() {
    return {
        .id = "sea_cache",
        .label = label,
        .summary = "Reuses the blocks until the image in their input, without its noise, has changed enough",
        .source = "Chung et al. 2026, SeaCache",
        .params = {realParam("threshold", "Threshold", 0.25, 0, 100,
                             "Sum of the relative changes from which the blocks are computed again; 0 is off.", 0.01),
                   mostParam()},
        .hasMemory = true,
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            return std::make_shared<SeaCache>(p, s);
        }};
}

}  // namespace meander::intervention
