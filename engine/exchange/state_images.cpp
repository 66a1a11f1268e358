#include "engine/exchange/state_images.h"

#include <cmath>

namespace meander {
namespace {

// Channel c·f² + dy·f + dx of a state ↔ pixel (dy, dx) of its block, as in PyTorch's pixel_shuffle.
std::vector<float> shuffled(const HostTensor& states, int f) {
    const Shape& s = states.shape();
    const std::vector<float> from = states.toFloats();
    std::vector<float> to(from.size());
    const std::int64_t h = s[1], w = s[2], c = s[3], width = w * f;
    for (std::int64_t i = 0; i < s[0] * h * w * c; ++i) {
        const std::int64_t channel = i % c, x = i / c % w, y = i / (c * w) % h, n = i / (c * w * h);
        const std::int64_t colour = channel / (f * f), dy = channel / f % f, dx = channel % f;
        to[std::size_t(((n * h * f + y * f + dy) * width + x * f + dx) * 3 + colour)] = from[std::size_t(i)];
    }
    return to;
}

}  // namespace

StateImages::StateImages(const Run& run) {
    if (!run.trajectory || !run.trajectory->last() || !run.images) return;
    const HostTensor& state = run.trajectory->last();
    const Shape &s = state.shape(), &p = run.images.shape();
    if (s.rank() != 4 || p.rank() != 4 || p[3] != 3 || s[0] != p[0] || s[1] <= 0 || p[1] % s[1] != 0) return;
    const auto f = p[1] / s[1];
    if (f > 64 || p[2] != s[2] * f || s[3] != 3 * f * f) return;
    m_factor = int(f);
    // Least squares of images = scale · state + offset, where images were not clipped.
    const auto x = shuffled(state, m_factor), y = run.images.toFloats();
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (y[i] > 0.002f && y[i] < 0.998f)
            n += 1, sx += x[i], sy += y[i], sxx += double(x[i]) * x[i], sxy += double(x[i]) * y[i];
    const double spread = n * sxx - sx * sx;
    if (n < 16 || spread <= 1e-9 * n * n) return;
    const double scale = (n * sxy - sx * sy) / spread;
    if (!(scale > 0) || !std::isfinite(scale)) return;
    m_scale = scale;
    m_offset = (sy - scale * sx) / n;
}

HostTensor StateImages::operator()(const HostTensor& states) const {
    if (!isPossible() || states.shape().rank() != 4 || states.shape()[3] != 3 * m_factor * m_factor) return {};
    auto v = shuffled(states, m_factor);
    for (float& x : v) x = float(x * m_scale + m_offset);
    const Shape& s = states.shape();
    return HostTensor::fromFloats({s[0], s[1] * m_factor, s[2] * m_factor, 3}, v);
}

}  // namespace meander
