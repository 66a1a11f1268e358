#include "engine/guidance/operators.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

class Mask final : public LinearOperator {
public:
    explicit Mask(std::vector<double> mask) : m_mask(std::move(mask)) {}
    Planes apply(const Planes& x) const override {
        return times(x, [](double m) { return m; });
    }
    Planes inverse(const Planes& y) const override {
        return times(y, [](double m) { return m > 0 ? 1 / m : 0; });
    }
    Planes adjoint(const Planes& y) const override { return apply(y); }

private:
    template <class F> Planes times(Planes x, F factor) const {
        const std::size_t perRow = std::size_t(x.perRow()), each = perRow / m_mask.size();
        for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] *= factor(m_mask[i % perRow / each]);
        return x;
    }
    std::vector<double> m_mask;
};

class Downsample final : public LinearOperator {
public:
    explicit Downsample(int factor) : m_factor(factor) {}
    Planes apply(const Planes& x) const override {
        Planes y = x.sized(x.height / m_factor, x.width / m_factor);
        each(y, [&](std::int64_t r, std::int64_t i, std::int64_t j, std::int64_t c, std::int64_t yy, std::int64_t xx) {
            y.at(r, i, j, c) += x.at(r, yy, xx, c) / (m_factor * m_factor);
        });
        return y;
    }
    Planes inverse(const Planes& y) const override { return spread(y, 1); }
    Planes adjoint(const Planes& y) const override { return spread(y, 1.0 / (m_factor * m_factor)); }

private:
    template <class F> void each(const Planes& small, F visit) const {
        for (std::int64_t r = 0; r < small.rows; ++r)
            for (std::int64_t i = 0; i < small.height; ++i)
                for (std::int64_t j = 0; j < small.width; ++j)
                    for (int dy = 0; dy < m_factor; ++dy)
                        for (int dx = 0; dx < m_factor; ++dx)
                            for (std::int64_t c = 0; c < small.channels; ++c)
                                visit(r, i, j, c, i * m_factor + dy, j * m_factor + dx);
    }
    Planes spread(const Planes& y, double factor) const {
        Planes x = y.sized(y.height * m_factor, y.width * m_factor);
        each(y, [&](std::int64_t r, std::int64_t i, std::int64_t j, std::int64_t c, std::int64_t yy, std::int64_t xx) {
            x.at(r, yy, xx, c) = factor * y.at(r, i, j, c);
        });
        return x;
    }
    int m_factor;
};

// The observation keeps the image's shape, the mean in every channel: then A⁺ = Aᵀ = A, a projection.
class Grey final : public LinearOperator {
public:
    Planes apply(const Planes& x) const override {
        Planes y = x;
        const auto n = std::size_t(x.channels);
        for (std::size_t pixel = 0; pixel < y.values.size(); pixel += n) {
            double mean = 0;
            for (std::size_t c = 0; c < n; ++c) mean += x.values[pixel + c] / double(n);
            std::fill_n(y.values.begin() + std::ptrdiff_t(pixel), n, mean);
        }
        return y;
    }
    Planes inverse(const Planes& y) const override { return apply(y); }
    Planes adjoint(const Planes& y) const override { return apply(y); }
};

class Blur final : public LinearOperator {
public:
    Blur(double sigma, double least) : m_sigma(sigma), m_least(least) {}
    Planes apply(const Planes& x) const override {
        return throughSpectrum(x, [](double g) { return g; });
    }
    Planes inverse(const Planes& y) const override {
        return throughSpectrum(y, [this](double g) { return std::abs(g) > m_least ? 1 / g : 0; });
    }
    Planes adjoint(const Planes& y) const override { return apply(y); }  // a symmetric kernel

private:
    // The kernel's transfer along one side: the sampled, normalised, wrapped Gaussian.
    std::vector<double> transfer(std::int64_t n) const {
        std::vector<double> kernel(static_cast<std::size_t>(n));
        double sum = 0;
        const auto reach = std::int64_t(std::ceil(6 * m_sigma));
        for (std::int64_t o = -reach; o <= reach; ++o) {
            const double v = m_sigma > 0 ? std::exp(-0.5 * double(o * o) / (m_sigma * m_sigma)) : double(o == 0);
            kernel[std::size_t(((o % n) + n) % n)] += v;
            sum += v;
        }
        std::vector<double> gains(kernel.size());
        for (std::size_t k = 0; k < gains.size(); ++k)
            for (std::size_t i = 0; i < kernel.size(); ++i)
                gains[k] +=
                    kernel[i] / sum * std::cos(2 * 3.14159265358979323846 * double(k * i % kernel.size()) / double(n));
        return gains;
    }
    template <class F> Planes throughSpectrum(const Planes& x, F gain) const {
        const auto tall = transfer(x.height), wide = transfer(x.width);
        Spectrum s = fourier(x);
        std::size_t i = 0;
        for (std::int64_t r = 0; r < x.rows; ++r)
            for (double gy : tall)
                for (double gx : wide)
                    for (std::int64_t c = 0; c < x.channels; ++c) s[i++] *= gain(gy * gx);
        return inverseFourier(x, std::move(s));
    }
    double m_sigma, m_least;
};

}  // namespace

std::unique_ptr<LinearOperator> maskOperator(std::vector<double> mask) {
    return std::make_unique<Mask>(std::move(mask));
}
std::unique_ptr<LinearOperator> downsampleOperator(int factor) { return std::make_unique<Downsample>(factor); }
std::unique_ptr<LinearOperator> greyOperator() { return std::make_unique<Grey>(); }
std::unique_ptr<LinearOperator> blurOperator(double sigma, double least) {
    return std::make_unique<Blur>(sigma, least);
}

}  // namespace meander
