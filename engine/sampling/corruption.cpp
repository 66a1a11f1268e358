#include "engine/sampling/corruption.h"

#include <algorithm>
#include <cmath>

namespace meander {

namespace {

struct Image {
    std::int64_t height, width, channels;
};

// A line of n elements, `stride` apart.
void blurLine(double* x, std::int64_t n, std::int64_t stride, const std::vector<double>& kernel) {
    const std::int64_t radius = std::int64_t(kernel.size()) - 1;
    std::vector<double> in(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) in[std::size_t(i)] = x[i * stride];
    const auto mirrored = [&](std::int64_t i) {
        const std::int64_t period = 2 * n, m = ((i % period) + period) % period;
        return in[std::size_t(m < n ? m : period - 1 - m)];
    };
    for (std::int64_t i = 0; i < n; ++i) {
        double sum = kernel[0] * in[std::size_t(i)];
        for (std::int64_t k = 1; k <= radius; ++k) sum += kernel[std::size_t(k)] * (mirrored(i - k) + mirrored(i + k));
        x[i * stride] = sum;
    }
}

void blur(double* x, const Image& p, double stddev) {
    std::vector<double> kernel;
    double total = 0;
    for (int k = 0; k <= int(std::ceil(4 * stddev)); ++k) {
        kernel.push_back(std::exp(-0.5 * k * k / (stddev * stddev)));
        total += kernel.back() * (k == 0 ? 1 : 2);
    }
    for (double& w : kernel) w /= total;
    for (std::int64_t c = 0; c < p.channels; ++c) {
        for (std::int64_t r = 0; r < p.height; ++r)
            blurLine(x + r * p.width * p.channels + c, p.width, p.channels, kernel);
        for (std::int64_t q = 0; q < p.width; ++q)
            blurLine(x + q * p.channels + c, p.height, p.width * p.channels, kernel);
    }
}

void pixelate(double* x, const Image& p, std::int64_t block) {
    for (std::int64_t c = 0; c < p.channels; ++c)
        for (std::int64_t top = 0; top < p.height; top += block)
            for (std::int64_t left = 0; left < p.width; left += block) {
                const std::int64_t bottom = std::min(p.height, top + block), right = std::min(p.width, left + block);
                double sum = 0;
                for (std::int64_t r = top; r < bottom; ++r)
                    for (std::int64_t q = left; q < right; ++q) sum += x[(r * p.width + q) * p.channels + c];
                const double mean = sum / double((bottom - top) * (right - left));
                for (std::int64_t r = top; r < bottom; ++r)
                    for (std::int64_t q = left; q < right; ++q) x[(r * p.width + q) * p.channels + c] = mean;
            }
}

}  // namespace

Tensor corrupted(const Tensor& x, const std::string& kind, double amount) {
    const std::int64_t block = std::llround(amount);
    if (kind == "noise" || amount <= 0 || (kind == "pixelate" && block <= 1)) return x;
    if (x.shape().rank() != 4)
        throw Failure("Blur and pixelation need images; this model has none. Choose noise alone.");
    const Image p{x.shape()[1], x.shape()[2], x.shape()[3]};
    auto values = download(x).toDoubles();
    for (std::int64_t r = 0; r < x.rows(); ++r) {
        double* image = values.data() + r * p.height * p.width * p.channels;
        if (kind == "blur") blur(image, p, amount);
        else pixelate(image, p, block);
    }
    return upload(x.backend(), HostTensor::fromDoubles(x.shape(), values)).converted(x.type());
}

}  // namespace meander
