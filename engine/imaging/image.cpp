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
