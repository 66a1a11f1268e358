// PNG by libpng, for files of unknown origin: sizes and memory are limited, damage becomes a sentence, and text chunks
// (tEXt, zTXt, iTXt) are kept.
#pragma once
#include <map>
#include <string>

#include "engine/imaging/image.h"

namespace meander {

constexpr int maximumImageSide = 16384;
constexpr std::size_t maximumPngText = std::size_t(16) << 20;  // bytes of all text chunks together, unpacked

// Keys as in the file: "meander", "parameters", "prompt", "workflow" ... Values are UTF-8.
using PngTexts = std::map<std::string, std::string>;

struct PngFile {
    Image image;  // palette, grey, 16 bits and transparency become 8-bit RGB; transparent pixels are laid over white
    PngTexts texts;
};

Result<PngFile> readPng(const std::string& path);
Result<PngFile> decodePng(std::span<const std::byte> bytes, const std::string& what);
// Only the texts; pixels are not unpacked.
Result<PngTexts> readPngTexts(const std::string& path);

// Long texts are compressed, non-Latin ones written as iTXt. The file appears whole or not at all.
Status writePng(const std::string& path, const Image& image, const PngTexts& texts = {});
Result<std::vector<std::byte>> encodePng(const Image& image, const PngTexts& texts = {});

}  // namespace meander
