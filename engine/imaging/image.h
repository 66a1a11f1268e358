// An image of 8-bit RGB, rows from the top, and its ways to and from tensors of states.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "engine/core/result.h"
#include "engine/tensor/tensor.h"

namespace meander {

struct Image {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgb;  // width · height · 3

    Image() = default;
    Image(int w, int h, std::array<std::uint8_t, 3> colour = {0, 0, 0});
    bool empty() const { return rgb.empty(); }
    std::uint8_t* at(int x, int y) { return rgb.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3; }
    const std::uint8_t* at(int x, int y) const {
        return rgb.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 3;
    }
    bool operator==(const Image&) const = default;
};

// Item `index` of (n, h, w, 3) in [0, 1]; values outside are clipped, NaN becomes 0. Throws Failure for another shape.
Image imageOf(const HostTensor& images, std::int64_t index = 0);
// (1, h, w, 3) F32 in [0, 1].
HostTensor tensorOf(const Image& p);

// Every pixel `factor` times in each direction: small images enlarged without inventing anything.
Image enlarged(const Image& p, int factor);
// The middle of an image, as large as the shape width : height allows, scaled to that size: triangle filter, as wide as
// the pixels that one new pixel covers (as Pillow's bilinear filter).
Image fitted(const Image& p, int width, int height);
// Side by side with `gap` pixels between; all of one height.
Image beside(const std::vector<Image>& images, int gap, std::array<std::uint8_t, 3> background = {22, 24, 29});

}  // namespace meander
