// Formats in which weights are stored, in files and on a device. Apart from DType, which is the type of activations.
#pragma once
#include <cstddef>
#include <cstdint>

namespace meander::kernels {

// The table of weight_formats.inl.
enum class WeightFormat : std::uint8_t {
#define WEIGHT_FORMAT(value, ...) value,
#include "kernels/api/weight_formats.inl"
#undef WEIGHT_FORMAT
};

struct WeightFormatInfo {
    const char* name;
    int blockElements, blockBytes;  // a row of a matrix is whole blocks
    int scales, scalesAt;           // half-precision scales of a block, and the byte of the first
};
inline constexpr WeightFormatInfo weightFormats[] = {
#define WEIGHT_FORMAT(value, ...) {__VA_ARGS__},
#include "kernels/api/weight_formats.inl"
#undef WEIGHT_FORMAT
};
inline constexpr int weightFormatCount = int(sizeof weightFormats / sizeof *weightFormats);

constexpr WeightFormatInfo infoOf(WeightFormat f) { return weightFormats[int(f)]; }

// F32, F16 and BF16, which backends can also convert to the type of the activations once and for all.
constexpr bool isPlainFloat(WeightFormat f) { return f <= WeightFormat::BF16; }

// Bytes of `count` elements, a whole number of blocks.
constexpr std::size_t bytesOf(WeightFormat f, std::int64_t count) {
    return std::size_t(count / infoOf(f).blockElements) * std::size_t(infoOf(f).blockBytes);
}

// The values of `count` elements, a whole number of blocks, in host memory.
void decodeWeights(WeightFormat f, const void* stored, std::int64_t count, float* values);

// A matrix in host memory as a file stores it, rows after each other.
struct WeightMatrix {
    const void* data = nullptr;
    WeightFormat format = WeightFormat::F32;
    std::int64_t out = 0, in = 0;
    const float* rowScales = nullptr;  // (out): a factor of each row; null: none

    std::size_t rowBytes() const { return bytesOf(format, in); }
    std::size_t bytes() const { return rowBytes() * std::size_t(out); }
};

}  // namespace meander::kernels
