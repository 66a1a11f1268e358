#include "engine/imaging/pixel_map.h"

#include <cmath>

namespace meander {
namespace {

template <class F> void eachPixel(std::int64_t n, std::int64_t h, std::int64_t w, int fold, F visit) {
    const std::int64_t channels = 3 * std::int64_t(fold) * fold;
    for (std::int64_t row = 0; row < n * h; ++row)
        for (std::int64_t x = 0; x < w; ++x)
            for (int c = 0; c < 3; ++c)
                for (int dy = 0; dy < fold; ++dy)
                    for (int dx = 0; dx < fold; ++dx) {
                        const std::int64_t state = (row * w + x) * channels + (c * fold + dy) * fold + dx;
                        const std::int64_t image = ((row * fold + dy) * w * fold + x * fold + dx) * 3 + c;
                        visit(std::size_t(state), std::size_t(image));
                    }
}

}  // namespace

HostTensor unfoldPixels(const HostTensor& states, int fold) {
    const Shape s = states.shape();
    if (!states || fold < 1 || s.rank() != 4 || s[3] != 3 * std::int64_t(fold) * fold) return {};
    const std::vector<float> from = states.toFloats();
    std::vector<float> pixels(from.size());
    eachPixel(s[0], s[1], s[2], fold, [&](std::size_t state, std::size_t image) { pixels[image] = from[state]; });
    return HostTensor::fromFloats({s[0], s[1] * fold, s[2] * fold, 3}, pixels);
}

HostTensor foldPixels(const HostTensor& images, int fold) {
    const Shape s = images.shape();
    if (!images || fold < 1 || s.rank() != 4 || s[3] != 3 || s[1] % fold != 0 || s[2] % fold != 0) return {};
    const std::vector<float> from = images.toFloats();
    std::vector<float> states(from.size());
    eachPixel(s[0], s[1] / fold, s[2] / fold, fold,
              [&](std::size_t state, std::size_t image) { states[state] = from[image]; });
    return HostTensor::fromFloats({s[0], s[1] / fold, s[2] / fold, 3 * std::int64_t(fold) * fold}, states);
}

HostTensor projectPixels(const PixelMap& map, const HostTensor& states) {
    if (map.matrix.empty()) return unfoldPixels(states, map.fold);
    const Shape s = states.shape();
    if (!states || s.rank() != 4 || std::size_t(s[3]) * 3 != map.matrix.size()) return {};
    const std::vector<float> from = states.toFloats();
    const std::size_t channels = std::size_t(s[3]), cells = from.size() / channels;
    std::vector<float> colours(cells * 3);
    for (std::size_t i = 0; i < cells; ++i)
        for (std::size_t k = 0; k < 3; ++k) {
            double sum = 0;
            for (std::size_t c = 0; c < channels; ++c) sum += map.matrix[k * channels + c] * from[i * channels + c];
            colours[3 * i + k] = float(sum);
        }
    return HostTensor::fromFloats(s.with(3, 3), colours);
}

HostTensor applyPixelMap(const PixelMap& map, const HostTensor& states) {
    const HostTensor pixels = projectPixels(map, states);
    if (!pixels) return {};
    std::vector<float> v = pixels.toFloats();
    const float scale = float(map.scale), offset = float(map.offset);
    for (float& x : v) x = x * scale + offset;
    if (!map.isExact())
        for (std::size_t i = 0; i < v.size(); ++i) v[i] += float(map.bias[i % 3]);
    return HostTensor::fromFloats(pixels.shape(), v);
}

namespace {

// Means over the pixels of each cell, (n, h, w, 3).
std::vector<double> cellMeans(const HostTensor& images, const Shape& cells) {
    const Shape s = images.shape();
    const std::int64_t factor = s[1] / cells[1];
    const std::vector<float> pixels = images.toFloats();
    std::vector<double> means(std::size_t(cells[0] * cells[1] * cells[2] * 3));
    for (std::int64_t row = 0; row < s[0] * s[1]; ++row)
        for (std::int64_t x = 0; x < s[2]; ++x)
            for (std::int64_t c = 0; c < 3; ++c)
                means[std::size_t((row / factor * cells[2] + x / factor) * 3 + c)] +=
                    pixels[std::size_t((row * s[2] + x) * 3 + c)] / double(factor * factor);
    return means;
}

// Solves a·x = b for a symmetric positive a (n, n) and three right-hand sides b (n, 3), in place (Cholesky).
void solve(std::vector<double>& a, std::vector<double>& b, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < j; ++k)
            for (std::size_t i = j; i < n; ++i) a[i * n + j] -= a[i * n + k] * a[j * n + k];
        const double d = std::sqrt(a[j * n + j]);
        for (std::size_t i = j; i < n; ++i) a[i * n + j] /= d;
    }
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < i; ++k) b[i * 3 + c] -= a[i * n + k] * b[k * 3 + c];
            b[i * 3 + c] /= a[i * n + i];
        }
        for (std::size_t i = n; i-- > 0;) {
            for (std::size_t k = i + 1; k < n; ++k) b[i * 3 + c] -= a[k * n + i] * b[k * 3 + c];
            b[i * 3 + c] /= a[i * n + i];
        }
    }
}

}  // namespace

PixelMap fittedPixelMap(const HostTensor& states, const HostTensor& images) {
    const Shape s = states.shape();
    const std::vector<float> values = states.toFloats();
    const std::vector<double> colours = cellMeans(images, s);
    const std::size_t channels = std::size_t(s[3]), n = channels + 1, cells = values.size() / channels;
    std::vector<double> a(n * n), b(n * 3), x(n);
    for (std::size_t i = 0; i < cells; ++i) {
        for (std::size_t c = 0; c < channels; ++c) x[c] = values[i * channels + c];
        x[channels] = 1;
        for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t c = 0; c < n; ++c) a[r * n + c] += x[r] * x[c];
            for (std::size_t k = 0; k < 3; ++k) b[r * 3 + k] += x[r] * colours[i * 3 + k];
        }
    }
    // Channels that never vary keep the system regular.
    for (std::size_t r = 0; r < n; ++r) a[r * n + r] += 1e-6 * double(cells);
    solve(a, b, n);
    PixelMap map{.fold = 1, .scale = 1, .offset = 0, .matrix = std::vector<double>(3 * channels), .bias = {}};
    for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t c = 0; c < channels; ++c) map.matrix[k * channels + c] = b[c * 3 + k];
        map.bias[k] = b[channels * 3 + k];
    }
    return map;
}

}  // namespace meander
