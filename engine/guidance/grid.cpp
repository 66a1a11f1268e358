#include "engine/guidance/grid.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace meander {
namespace {

using Complex = std::complex<double>;

void transformFast(std::vector<Complex>& a, bool inverse) {
    const std::size_t n = a.size();
    for (std::size_t i = 1, j = 0; i < n; ++i) {
        std::size_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) std::swap(a[i], a[j]);
    }
    for (std::size_t length = 2; length <= n; length <<= 1) {
        const double angle = (inverse ? 2 : -2) * std::numbers::pi / double(length);
        for (std::size_t i = 0; i < n; i += length)
            for (std::size_t k = 0; k < length / 2; ++k) {
                const Complex odd = a[i + k + length / 2] * std::polar(1.0, angle * double(k)), even = a[i + k];
                a[i + k] = even + odd;
                a[i + k + length / 2] = even - odd;
            }
    }
}

void transform(std::vector<Complex>& a, bool inverse) {
    const std::size_t n = a.size();
    if ((n & (n - 1)) == 0) return transformFast(a, inverse);
    std::vector<Complex> roots(n), out(n);
    for (std::size_t k = 0; k < n; ++k)
        roots[k] = std::polar(1.0, (inverse ? 2 : -2) * std::numbers::pi * double(k) / double(n));
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t i = 0; i < n; ++i) out[k] += a[i] * roots[i * k % n];
    a = std::move(out);
}

void transformSides(const Planes& p, Spectrum& s, bool inverse) {
    const auto along = [&](std::int64_t n, std::int64_t stride, std::size_t start) {
        std::vector<Complex> line(static_cast<std::size_t>(n));
        for (std::int64_t i = 0; i < n; ++i) line[std::size_t(i)] = s[start + std::size_t(i * stride)];
        transform(line, inverse);
        for (std::int64_t i = 0; i < n; ++i) s[start + std::size_t(i * stride)] = line[std::size_t(i)];
    };
    const std::int64_t row = p.width * p.channels;
    for (std::int64_t r = 0; r < p.rows; ++r)
        for (std::int64_t c = 0; c < p.channels; ++c) {
            for (std::int64_t y = 0; y < p.height; ++y)
                along(p.width, p.channels, std::size_t((r * p.height + y) * row + c));
            for (std::int64_t x = 0; x < p.width; ++x)
                along(p.height, row, std::size_t(r * p.perRow() + x * p.channels + c));
        }
}

// Bilinear, pixel centres aligned as in torch's align_corners=False.
Planes resized(const Planes& p, std::int64_t h, std::int64_t w) {
    Planes out = p.sized(h, w);
    const auto place = [](std::int64_t i, std::int64_t from, std::int64_t to, std::int64_t& low, std::int64_t& high) {
        const double at = std::clamp((double(i) + 0.5) * double(from) / double(to) - 0.5, 0.0, double(from - 1));
        low = std::int64_t(at);
        high = std::min(low + 1, from - 1);
        return at - double(low);
    };
    for (std::int64_t y = 0; y < h; ++y) {
        std::int64_t y0, y1, x0, x1;
        const double fy = place(y, p.height, h, y0, y1);
        for (std::int64_t x = 0; x < w; ++x) {
            const double fx = place(x, p.width, w, x0, x1);
            for (std::int64_t r = 0; r < p.rows; ++r)
                for (std::int64_t c = 0; c < p.channels; ++c)
                    out.at(r, y, x, c) = (1 - fy) * ((1 - fx) * p.at(r, y0, x0, c) + fx * p.at(r, y0, x1, c))
                                         + fy * ((1 - fx) * p.at(r, y1, x0, c) + fx * p.at(r, y1, x1, c));
        }
    }
    return out;
}

const std::vector<double> binomial = {1.0 / 16, 4.0 / 16, 6.0 / 16, 4.0 / 16, 1.0 / 16};

}  // namespace

Planes Planes::of(const HostTensor& t) {
    const Shape& s = t.shape();
    if (s.rank() == 4) return {s[0], s[1], s[2], s[3], t.toDoubles()};
    return {s[0], 1, 1, s.rowCount(), t.toDoubles()};
}
Planes Planes::of(const Tensor& t) { return of(download(t)); }

Tensor Planes::tensor(const Tensor& like) const {
    return upload(like.backend(), HostTensor::fromDoubles(like.shape(), values)).converted(like.type());
}

HostTensor Planes::floats() const {
    const std::vector<float> narrow(values.begin(), values.end());
    return HostTensor::fromFloats({rows, height, width, channels}, narrow);
}

std::int64_t mirrored(std::int64_t i, std::int64_t n) {
    if (n == 1) return 0;
    const std::int64_t period = 2 * (n - 1), at = ((i % period) + period) % period;
    return at < n ? at : period - at;
}

Planes filtered(const Planes& p, const std::vector<double>& weights) {
    const auto half = std::int64_t(weights.size() / 2);
    Planes tall = p.sized(p.height, p.width), out = tall;
    for (std::int64_t r = 0; r < p.rows; ++r)
        for (std::int64_t y = 0; y < p.height; ++y)
            for (std::int64_t o = -half; o <= half; ++o) {
                const double weight = weights[std::size_t(o + half)];
                const std::int64_t from = mirrored(y + o, p.height);
                for (std::int64_t x = 0; x < p.width; ++x)
                    for (std::int64_t c = 0; c < p.channels; ++c) tall.at(r, y, x, c) += weight * p.at(r, from, x, c);
            }
    for (std::int64_t r = 0; r < p.rows; ++r)
        for (std::int64_t x = 0; x < p.width; ++x)
            for (std::int64_t o = -half; o <= half; ++o) {
                const double weight = weights[std::size_t(o + half)];
                const std::int64_t from = mirrored(x + o, p.width);
                for (std::int64_t y = 0; y < p.height; ++y)
                    for (std::int64_t c = 0; c < p.channels; ++c) out.at(r, y, x, c) += weight * tall.at(r, y, from, c);
            }
    return out;
}

std::vector<double> gaussianWeights(int taps, double sigma) {
    std::vector<double> w(static_cast<std::size_t>(taps));
    double sum = 0;
    for (int i = 0; i < taps; ++i) {
        const double x = (i - (taps - 1) / 2.0) / sigma;
        sum += w[std::size_t(i)] = std::exp(-0.5 * x * x);
    }
    for (double& v : w) v /= sum;
    return w;
}

Planes pyramidDown(const Planes& p) { return resized(filtered(p, binomial), p.height / 2, p.width / 2); }
Planes pyramidUp(const Planes& p) { return filtered(resized(p, p.height * 2, p.width * 2), binomial); }

Spectrum fourier(const Planes& p) {
    Spectrum s(p.values.begin(), p.values.end());
    transformSides(p, s, false);
    return s;
}

Planes inverseFourier(const Planes& like, Spectrum s) {
    transformSides(like, s, true);
    Planes out = like;
    const double area = double(like.height * like.width);
    for (std::size_t i = 0; i < s.size(); ++i) out.values[i] = s[i].real() / area;
    return out;
}

double quantile(std::vector<double>& values, double share) {
    const double position = share * double(values.size() - 1);
    const auto low = std::size_t(position);
    const auto it = values.begin() + std::ptrdiff_t(low);
    std::nth_element(values.begin(), it, values.end());
    const double f = position - double(low);
    return f == 0 || low + 1 >= values.size() ? *it : *it + f * (*std::min_element(it + 1, values.end()) - *it);
}

}  // namespace meander
