#include "engine/imaging/png_texts.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/imaging/exif.h"

namespace meander {
namespace {

constexpr std::size_t signatureSize = 8, chunkOverhead = 12;

std::uint32_t bigEndian(std::string_view s) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(s[i]);
    return v;
}

// The part before the next NUL, which is taken off `rest` with it; nothing when there is no NUL.
std::optional<std::string_view> upToNul(std::string_view& rest) {
    const auto end = rest.find('\0');
    if (end == rest.npos) return {};
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return part;
}

// Value of a text chunk, as UTF-8; nothing when it is damaged or too long.
std::optional<std::string> valueOf(std::string_view type, std::string_view rest) {
    if (type == "tEXt") return rest.size() > maximumPngText ? std::nullopt : std::optional(utf8Of(rest));
    if (type == "zTXt") {
        if (rest.empty() || rest.front() != 0) return {};
        auto text = unpacked(rest.substr(1), maximumPngText);
        return text ? std::optional(utf8Of(*text)) : std::nullopt;
    }
    if (rest.size() < 2) return {};
    const bool isPacked = rest[0] != 0;
    rest.remove_prefix(2);
    if (!upToNul(rest) || !upToNul(rest)) return {};  // language, translated keyword
    if (!isPacked) return rest.size() > maximumPngText ? std::nullopt : std::optional(utf8Of(rest));
    auto text = unpacked(rest, maximumPngText);
    return text ? std::optional(utf8Of(*text)) : std::nullopt;
}

bool isUtf8(std::string_view s) {
    for (std::size_t i = 0; i < s.size();) {
        const auto lead = static_cast<unsigned char>(s[i]);
        const std::size_t n = lead < 0x80                    ? 1
                              : lead >= 0xc2 && lead <= 0xdf ? 2
                              : lead >= 0xe0 && lead <= 0xef ? 3
                              : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                             : 0;
        if (n == 0 || i + n > s.size()) return false;
        for (std::size_t k = 1; k < n; ++k)
            if ((static_cast<unsigned char>(s[i + k]) & 0xc0) != 0x80) return false;
        const auto second = n > 1 ? static_cast<unsigned char>(s[i + 1]) : 0;
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90)
            || (lead == 0xf4 && second > 0x8f))
            return false;
        i += n;
    }
    return true;
}

}  // namespace

std::string utf8Of(std::string_view bytes) {
    std::string text;
    if (isUtf8(bytes)) text = bytes;
    else
        for (const char c : bytes) {
            const auto u = static_cast<unsigned char>(c);
            if (u < 0x80) text += c;
            else text += {char(0xC0 | u >> 6), char(0x80 | (u & 0x3F))};
        }
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
}

std::optional<std::string> unpacked(std::string_view bytes, std::size_t limit, Packing packing) {
    z_stream z{};
    if (inflateInit2(&z, packing == Packing::Gzip ? 15 + 16 : 15) != Z_OK) return {};
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = uInt(std::min<std::size_t>(bytes.size(), UINT32_MAX));
    std::string text;
    std::array<char, 1 << 16> buffer;
    int status = Z_OK;
    while (status == Z_OK && text.size() <= limit) {
        z.next_out = reinterpret_cast<Bytef*>(buffer.data());
        z.avail_out = uInt(buffer.size());
        status = inflate(&z, Z_NO_FLUSH);
        text.append(buffer.data(), buffer.size() - z.avail_out);
    }
    inflateEnd(&z);
    return status == Z_STREAM_END && text.size() <= limit ? std::optional(std::move(text)) : std::nullopt;
}

void addText(PngTexts& texts, const std::string& key, std::string value) {
    if (const auto [first, isNew] = texts.emplace(key, value); isNew || first->second == value) return;
    for (int n = 2; n < 100; ++n)
        if (texts.emplace(key + " (" + std::to_string(n) + ")", value).second) return;
}

PngTextList pngTextsOf(std::span<const std::byte> bytes) {
    const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    PngTextList list;
    std::size_t total = 0;
    for (std::size_t at = signatureSize; at + chunkOverhead <= file.size();) {
        const std::size_t length = bigEndian(file.substr(at));
        const std::string_view type = file.substr(at + 4, 4);
        if (type == "IEND" || length > file.size() - at - chunkOverhead) break;
        std::string_view rest = file.substr(at + 8, length);
        at += length + chunkOverhead;
        if (type == "eXIf") {
            for (auto& [key, value] : exifTexts(rest)) addText(list.texts, key, std::move(value));
            continue;
        }
        if (type != "tEXt" && type != "zTXt" && type != "iTXt") continue;
        const auto key = upToNul(rest);
        auto value = key ? valueOf(type, rest) : std::nullopt;
        if (!value || total + value->size() > maximumPngTexts) {
            ++list.skipped;
            continue;
        }
        total += value->size();
        addText(list.texts, utf8Of(*key), std::move(*value));
    }
    return list;
}

}  // namespace meander
