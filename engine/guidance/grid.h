// States and images as planes of doubles on the host, for rules that look at neighbours or frequencies. Such rules
// cost a copy to the host and back, which the record makes anyway.
#pragma once
#include <complex>
#include <vector>

#include "engine/tensor/tensor.h"

namespace meander {

struct Planes {
    std::int64_t rows = 0, height = 0, width = 0, channels = 0;
    std::vector<double> values;  // (rows, height, width, channels)

    // (rows, h, w, c); other shapes become one pixel with all their elements as channels.
    static Planes of(const Tensor& t);
    static Planes of(const HostTensor& t);
    Tensor tensor(const Tensor& like) const;
    HostTensor floats() const;
    std::int64_t perRow() const { return height * width * channels; }
    double& at(std::int64_t r, std::int64_t y, std::int64_t x, std::int64_t c) {
        return values[std::size_t(((r * height + y) * width + x) * channels + c)];
    }
    double at(std::int64_t r, std::int64_t y, std::int64_t x, std::int64_t c) const {
        return values[std::size_t(((r * height + y) * width + x) * channels + c)];
    }
    Planes sized(std::int64_t h, std::int64_t w) const {
        return {rows, h, w, channels, std::vector<double>(std::size_t(rows * h * w * channels))};
    }
};

// Mirrored at the border without repeating the edge (torch's "reflect").
std::int64_t mirrored(std::int64_t i, std::int64_t n);
// Each side filtered by the weights (odd in number, centred), mirrored at the border.
Planes filtered(const Planes& p, const std::vector<double>& weights);
std::vector<double> gaussianWeights(int taps, double sigma);

// kornia's pyramid: 5-tap binomial filter and bilinear halving; bilinear doubling and the same filter. Sides must be
// even to be halved.
Planes pyramidDown(const Planes& p);
Planes pyramidUp(const Planes& p);

// Discrete Fourier transform over height and width of every row and channel, unnormalised; `inverse` divides by height
// · width. Any size; powers of two are fast.
using Spectrum = std::vector<std::complex<double>>;  // (rows, height, width, channels)
Spectrum fourier(const Planes& p);
Planes inverseFourier(const Planes& like, Spectrum s);

// Quantile with linear interpolation between order statistics (torch.quantile). The list is reordered.
double quantile(std::vector<double>& values, double share);

}  // namespace meander
