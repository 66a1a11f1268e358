// Formats in which weights are stored, in files and on a device. Apart from DType, which is the type of activations.
#pragma once
#include <cstddef>
#include <cstdint>

namespace meander::kernels {

// F8E4M3 is the "fn" variant (no infinity); I8 is an integer times the scale of its row. Q… and IQ4_NL are blocks with
// scales of their own, as GGUF defines them.
enum class WeightFormat : std::uint8_t {
    F32,
    F16,
    BF16,
    F8E4M3,
    F8E5M2,
    I8,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    IQ4_NL,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K
};
inline constexpr int weightFormatCount = 17;

struct WeightFormatInfo {
    const char* name;
    int blockElements, blockBytes;  // a row of a matrix is whole blocks
};

constexpr WeightFormatInfo infoOf(WeightFormat f) {
    constexpr WeightFormatInfo table[weightFormatCount] = {
        {"F32", 1, 4},      {"F16", 1, 2},      {"BF16", 1, 2},    {"F8_E4M3", 1, 1},  {"F8_E5M2", 1, 1},
        {"I8", 1, 1},       {"Q8_0", 32, 34},   {"Q4_0", 32, 18},  {"Q4_1", 32, 20},   {"Q5_0", 32, 22},
        {"Q5_1", 32, 24},   {"IQ4_NL", 32, 18}, {"Q2_K", 256, 84}, {"Q3_K", 256, 110}, {"Q4_K", 256, 144},
        {"Q5_K", 256, 176}, {"Q6_K", 256, 210}};
    return table[int(f)];
}

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
