#include "engine/imaging/image.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace meander {

Image::Image(int w, int h, std::array<std::uint8_t, 3> colour)
    : width(w), height(h), rgb(std::size_t(w) * std::size_t(h) * 3) {
    for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = colour[i % 3];
}

Image imageOf(const HostTensor& images, std::int64_t index) {
    const Shape& s = images.shape();
    if (!images || s.rank() != 4 || s[3] != 3 || index < 0 || index >= s[0])
        throw Failure("An image was expected, but the tensor has the shape " + s.text() + ".");
    const std::vector<float> values = images.rows(index, 1).toFloats();
    const int width = int(s[2]), height = int(s[1]);
    Image p(width, height);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float v = values[i];
        p.rgb[i] = std::isnan(v) ? 0 : std::uint8_t(std::lround(std::clamp(v, 0.0f, 1.0f) * 255.0f));
    }
    return p;
}

HostTensor tensorOf(const Image& p) {
    std::vector<float> values(p.rgb.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(p.rgb[i]) / 255.0f;
    return HostTensor::fromFloats({1, p.height, p.width, 3}, values);
}

Image enlarged(const Image& p, int factor) {
    Image out(p.width * factor, p.height * factor);
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) std::memcpy(out.at(x, y), p.at(x / factor, y / factor), 3);
    return out;
}

namespace {

// Weights of the old pixels from `first` on that make one new pixel.
struct Filter {
    int first = 0;
    std::vector<double> weights;
};

// For `size` new pixels over [begin, begin + length) of `available` old ones.
std::vector<Filter> filtersOf(double begin, double length, int size, int available) {
    const double scale = length / size, support = std::max(scale, 1.0);
    std::vector<Filter> filters;
    for (int i = 0; i < size; ++i) {
        const double centre = begin + (i + 0.5) * scale;
        Filter f{.first = std::max(0, int(std::floor(centre - support))), .weights = {}};
        double sum = 0;
        for (int k = f.first; k < std::min(available, int(std::ceil(centre + support))); ++k)
            sum += f.weights.emplace_back(std::max(0.0, 1 - std::abs(k + 0.5 - centre) / support));
        for (double& w : f.weights) w /= sum;
        filters.push_back(std::move(f));
    }
    return filters;
}

}  // namespace

Image fitted(const Image& p, int width, int height) {
    if (p.width == width && p.height == height) return p;
    const double shape = double(width) / height;
    const double wide = std::min<double>(p.width, p.height * shape), high = wide / shape;
    const auto columns = filtersOf((p.width - wide) / 2, wide, width, p.width),
               rows = filtersOf((p.height - high) / 2, high, height, p.height);
    std::vector<double> lines(std::size_t(width) * std::size_t(p.height) * 3);
    for (int y = 0; y < p.height; ++y)
        for (int x = 0; x < width; ++x)
            for (std::size_t k = 0; k < columns[std::size_t(x)].weights.size(); ++k)
                for (std::size_t c = 0; c < 3; ++c)
                    lines[(std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3 + c] +=
                        columns[std::size_t(x)].weights[k] * p.at(columns[std::size_t(x)].first + int(k), y)[c];
    Image out(width, height);
    for (int y = 0; y < height; ++y)
        for (int i = 0; i < width * 3; ++i) {
            const Filter& f = rows[std::size_t(y)];
            double sum = 0;
            for (std::size_t k = 0; k < f.weights.size(); ++k)
                sum += f.weights[k] * lines[(std::size_t(f.first) + k) * std::size_t(width) * 3 + std::size_t(i)];
            out.at(0, y)[i] = std::uint8_t(std::clamp(sum + 0.5, 0.0, 255.0));
        }
    return out;
}

Image beside(const std::vector<Image>& images, int gap, std::array<std::uint8_t, 3> background) {
    int width = 0, height = 0;
    for (const auto& p : images) {
        width += p.width + (width > 0 ? gap : 0);
        height = std::max(height, p.height);
    }
    Image out(width, height, background);
    int left = 0;
    for (const auto& p : images) {
        for (int y = 0; y < p.height; ++y) std::memcpy(out.at(left, y), p.at(0, y), std::size_t(p.width) * 3);
        left += p.width + gap;
    }
    return out;
}

}  // namespace meander
