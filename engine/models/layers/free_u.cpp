#include "engine/models/layers/free_u.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace meander {
namespace {

// One row (1, h, w, c): the first half of its channels times b, or with structure times 1 + (b − 1) m, where m is the
// mean over channels brought to 0 … 1.
void scaleBackbone(const Tensor& x, double b, bool structure) {
    Backend& device = x.backend();
    const std::int64_t c = x.shape()[3], pixels = x.count() / c;
    const Tensor flat = x.converted(DType::F32).reshaped({pixels, c});
    std::vector<double> gains(std::size_t(pixels), b - 1), ones(gains.size(), 1.0);
    if (structure) {
        const auto sums = device.reduceRows(kernels::Reduction::Sum, flat);
        const auto [low, high] = std::minmax_element(sums.begin(), sums.end());
        for (std::size_t i = 0; i < sums.size(); ++i)
            gains[i] = *high > *low ? (b - 1) * (sums[i] - *low) / (*high - *low) : 0;
    }
    std::vector<float> isFirst(std::size_t(c), 0.0f);
    std::fill_n(isFirst.begin(), c / 2, 1.0f);
    Tensor half(device, flat.shape());
    device.binary(kernels::Binary::Mul, flat, upload(device, HostTensor::fromFloats({c}, isFirst)), half);
    const Tensor values[] = {flat, half};
    const std::vector<double> factors[] = {ones, gains};
    device.convert(combineRows(values, factors).reshaped(x.shape()), x);
}

// One row (1, h, w, c): frequencies −1 and 0 of both sides times s, and the real part of what that leaves. The four
// waves are a product with their sines and cosines, so no transform is needed: x + (s − 1) B Bᵀ x/(h w).
void scaleSkip(const Tensor& x, double s) {
    Backend& device = x.backend();
    const std::int64_t h = x.shape()[1], w = x.shape()[2], c = x.shape()[3], pixels = h * w;
    std::vector<float> across, down;  // (waves, pixels) and (pixels, waves)
    for (int fy = h > 1 ? -1 : 0; fy <= 0; ++fy)
        for (int fx = w > 1 ? -1 : 0; fx <= 0; ++fx)
            for (double shift : {0.0, std::numbers::pi / 2})  // cosine, sine
                for (std::int64_t i = 0; i < pixels; ++i)
                    across.push_back(float(std::cos(
                        2 * std::numbers::pi * (fy * double(i / w) / double(h) + fx * double(i % w) / double(w))
                        - shift)));
    const std::int64_t waves = std::int64_t(across.size()) / pixels;
    for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t k = 0; k < waves; ++k) down.push_back(across[std::size_t(k * pixels + i)]);
    const Tensor flat = x.converted(DType::F32).reshaped({1, pixels, c});
    Tensor weights(device, {1, waves, c}), low(device, {1, pixels, c});
    device.batchedMatmul(upload(device, HostTensor::fromFloats({1, waves, pixels}, across)), flat, weights, false);
    device.batchedMatmul(upload(device, HostTensor::fromFloats({1, pixels, waves}, down)), weights, low, false,
                         1.0f / float(pixels));
    device.convert(combine({{1, flat}, {s - 1, low}}).reshaped(x.shape()), x);
}

}  // namespace

void freeU(const RowInterventions& changes, FreeUPlace place, const Tensor& backbone, const Tensor& skip) {
    for (std::int64_t r = 0; r < backbone.rows(); ++r) {
        const auto* how = changes.freeU(r);
        if (!how) continue;
        const int which = !how->byWidth ? place.stage : place.width == 4 ? 0 : place.width == 2 ? 1 : 2;
        if (which > 1) continue;
        const auto at = std::size_t(which);
        if (how->backbone[at] != 1) scaleBackbone(backbone.slice(r, 1), how->backbone[at], how->structure);
        if (how->skip[at] != 1) scaleSkip(skip.slice(r, 1), how->skip[at]);
    }
}

}  // namespace meander
