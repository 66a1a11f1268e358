// Texts of PNG files, read chunk by chunk without the pixels: before and after them, in files that are cut off there,
// and beside chunks that no longer match their checksum.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/result.h"

namespace meander {

constexpr std::size_t maximumPngText = std::size_t(16) << 20;   // bytes of one text, unpacked
constexpr std::size_t maximumPngTexts = std::size_t(64) << 20;  // of all texts together

// Keys as in the file: "meander", "parameters", "prompt", "workflow" ... A key that occurs again becomes "key (2)".
// Values are UTF-8.
using PngTexts = std::map<std::string, std::string>;

struct PngTextList {
    PngTexts texts;
    int skipped = 0;  // texts left out because they are damaged or too long
};
// Texts (tEXt, zTXt, iTXt) and EXIF fields (eXIf chunk, exif.h) of a PNG. `bytes` starts with the signature.
PngTextList pngTextsOf(std::span<const std::byte> bytes);

// Valid UTF-8 as it is; other bytes read as Latin-1. NUL becomes a space.
std::string utf8Of(std::string_view bytes);
// zlib or gzip data, unpacked up to `limit` bytes; nothing when it is damaged or longer.
enum class Packing { Zlib, Gzip };
std::optional<std::string> unpacked(std::string_view bytes, std::size_t limit, Packing packing = Packing::Zlib);
void addText(PngTexts& texts, const std::string& key, std::string value);

}  // namespace meander
