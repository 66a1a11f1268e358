#include "engine/imaging/image_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace meander {
namespace {

struct Plane {
    int width = 0, height = 0;
    std::vector<double> values;
    double at(int x, int y) const { return values[std::size_t(y) * std::size_t(width) + std::size_t(x)]; }
};

std::vector<double> window(int size) {
    std::vector<double> w;
    double sum = 0;
    for (int i = 0; i < size; ++i) {
        const double x = i - (size - 1) / 2.0;
        w.push_back(std::exp(-x * x / (2 * 1.5 * 1.5)));
        sum += w.back();
    }
    for (double& v : w) v /= sum;
    return w;
}

// Separable filter, only where the window fits.
Plane filtered(const Plane& p, const std::vector<double>& wx, const std::vector<double>& wy) {
    Plane rows{p.width - int(wx.size()) + 1, p.height, {}};
    for (int y = 0; y < rows.height; ++y)
        for (int x = 0; x < rows.width; ++x) {
            double s = 0;
            for (std::size_t i = 0; i < wx.size(); ++i) s += wx[i] * p.at(x + int(i), y);
            rows.values.push_back(s);
        }
    Plane out{rows.width, p.height - int(wy.size()) + 1, {}};
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) {
            double s = 0;
            for (std::size_t i = 0; i < wy.size(); ++i) s += wy[i] * rows.at(x, y + int(i));
            out.values.push_back(s);
        }
    return out;
}

Plane product(const Plane& a, const Plane& b) {
    Plane p = a;
    for (std::size_t i = 0; i < p.values.size(); ++i) p.values[i] *= b.values[i];
    return p;
}

double ssim(const Plane& a, const Plane& b) {
    const auto wx = window(std::min(11, a.width)), wy = window(std::min(11, a.height));
    const Plane ma = filtered(a, wx, wy), mb = filtered(b, wx, wy);
    const Plane aa = filtered(product(a, a), wx, wy), bb = filtered(product(b, b), wx, wy),
                ab = filtered(product(a, b), wx, wy);
    constexpr double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    double sum = 0;
    for (std::size_t i = 0; i < ma.values.size(); ++i) {
        const double x = ma.values[i], y = mb.values[i];
        const double va = aa.values[i] - x * x, vb = bb.values[i] - y * y, cov = ab.values[i] - x * y;
        sum += (2 * x * y + c1) * (2 * cov + c2) / ((x * x + y * y + c1) * (va + vb + c2));
    }
    return sum / double(ma.values.size());
}

Plane channel(const std::vector<double>& v, int width, int height, std::size_t c) {
    Plane p{width, height, {}};
    for (std::size_t i = c; i < v.size(); i += 3) p.values.push_back(v[i]);
    return p;
}

}  // namespace

Result<ImageMetrics> compareImages(const HostTensor& a, const HostTensor& b, std::int64_t index) {
    const auto isImage = [&](const HostTensor& t) {
        return t && t.shape().rank() == 4 && t.shape()[3] == 3 && index >= 0 && index < t.shape()[0] && t.shape()[1] > 0
               && t.shape()[2] > 0;
    };
    if (!isImage(a) || !isImage(b)) return Error{"The images cannot be compared: one of them is missing."};
    if (a.shape()[1] != b.shape()[1] || a.shape()[2] != b.shape()[2])
        return Error{"The images cannot be compared: their sizes differ."};
    const auto va = a.rows(index, 1).toDoubles(), vb = b.rows(index, 1).toDoubles();
    ImageMetrics m;
    for (std::size_t i = 0; i < va.size(); ++i) {
        const double d = std::abs(va[i] - vb[i]);
        m.mse += d * d / double(va.size());
        m.largest = std::max(m.largest, d);
    }
    m.rms = std::sqrt(m.mse);
    m.psnr = m.mse > 0 ? -10 * std::log10(m.mse) : std::numeric_limits<double>::infinity();
    const int width = int(a.shape()[2]), height = int(a.shape()[1]);
    for (std::size_t c = 0; c < 3; ++c)
        m.ssim += ssim(channel(va, width, height, c), channel(vb, width, height, c)) / 3;
    return m;
}

}  // namespace meander
