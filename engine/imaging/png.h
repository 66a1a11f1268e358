// PNG by libpng, for files of unknown origin: sizes and memory are limited, damage becomes a sentence, and text chunks
// (tEXt, zTXt, iTXt) are kept.
#pragma once
#include <string>

#include "engine/imaging/image.h"
#include "engine/imaging/png_texts.h"

namespace meander {

constexpr int maximumImageSide = 16384;
// Pixels of an image that is read, checked against its head before memory is taken: 192 MiB as RGB.
constexpr std::uint64_t maximumImagePixels = std::uint64_t(64) << 20;

struct PngFile {
    Image image;  // palette, grey, 16 bits and transparency become 8-bit RGB; transparent pixels are laid over white
    PngTexts texts;
};

Result<PngFile> readPng(const std::string& path);
Result<PngFile> decodePng(std::span<const std::byte> bytes, const std::string& what);
// Only the texts; pixels are not unpacked and may be damaged.
Result<PngTexts> readPngTexts(const std::string& path);

// 8 bits a channel, row by row; 255 where the file has no alpha.
struct RgbaPixels {
    int width = 0, height = 0;
    bool hasAlpha = false;
    std::vector<std::uint8_t> rgba;
};
// `what` names the image in sentences.
Result<RgbaPixels> decodePngRgba(std::span<const std::byte> bytes, const std::string& what);

// Long texts are compressed, non-Latin ones written as iTXt. The file appears whole or not at all.
Status writePng(const std::string& path, const Image& image, const PngTexts& texts = {});
Result<std::vector<std::byte>> encodePng(const Image& image, const PngTexts& texts = {});

}  // namespace meander
