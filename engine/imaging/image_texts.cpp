#include "engine/imaging/image_texts.h"

#include <cstring>

#include "engine/core/file_identity.h"
#include "engine/core/json.h"
#include "engine/imaging/exif.h"
#include "engine/imaging/png.h"

namespace meander {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t largestFile = std::size_t(1) << 30;
constexpr auto exifMark = "Exif\0\0"sv, xmpMark = "http://ns.adobe.com/xap/1.0/\0"sv;

void addExif(PngTextList& list, std::string_view tiff) {
    for (auto& [key, value] : exifTexts(tiff)) addText(list.texts, key, std::move(value));
}

void addXmp(PngTextList& list, std::string_view xmp) {
    if (auto comment = xmpUserComment(xmp); !comment.empty()) addText(list.texts, "UserComment", std::move(comment));
}

std::size_t littleEndian32(std::string_view s) {
    std::size_t v = 0;
    for (std::size_t i = 4; i-- > 0;) v = v << 8 | static_cast<unsigned char>(s[i]);
    return v;
}

// The lowest bits of a PNG's pixels, column by column.
class HiddenBits {
public:
    HiddenBits(const RgbaPixels& p, bool isAlpha) : m_pixels(p), m_isAlpha(isAlpha) {}

    std::optional<std::string> bytes(std::size_t count) {
        const std::size_t available = std::size_t(m_pixels.width) * std::size_t(m_pixels.height) * (m_isAlpha ? 1 : 3);
        if (count > (available - std::min(m_at, available)) / 8) return {};
        std::string out(count, '\0');
        for (char& c : out)
            for (int b = 0; b < 8; ++b) c = char(c << 1 | bit());
        return out;
    }

private:
    int bit() {
        const std::size_t pixel = m_isAlpha ? m_at : m_at / 3, channel = m_isAlpha ? 3 : m_at % 3,
                          height = std::size_t(m_pixels.height), x = pixel / height, y = pixel % height;
        ++m_at;
        return m_pixels.rgba[(y * std::size_t(m_pixels.width) + x) * 4 + channel] & 1;
    }

    const RgbaPixels& m_pixels;
    bool m_isAlpha;
    std::size_t m_at = 0;
};

// Signature, length in bits, data; "…comp" is packed.
std::string hiddenIn(const RgbaPixels& pixels, bool isAlpha) {
    HiddenBits bits(pixels, isAlpha);
    const auto signature = bits.bytes(15), length = signature ? bits.bytes(4) : std::nullopt;
    const std::string plain = isAlpha ? "stealth_pnginfo" : "stealth_rgbinfo",
                      packed = isAlpha ? "stealth_pngcomp" : "stealth_rgbcomp";
    if (!length || (*signature != plain && *signature != packed)) return {};
    std::size_t size = 0;
    for (const char c : *length) size = size << 8 | static_cast<unsigned char>(c);
    auto data = bits.bytes(size / 8);
    if (!data || data->size() > maximumPngText) return {};
    if (*signature == packed) data = unpacked(*data, maximumPngText, Packing::Gzip);
    return data ? utf8Of(*data) : std::string();
}

}  // namespace

PngTextList jpegTextsOf(std::string_view bytes) {
    PngTextList list;
    for (std::size_t at = 2; at + 4 <= bytes.size() && bytes[at] == '\xff';) {
        const auto marker = static_cast<unsigned char>(bytes[at + 1]);
        if (marker == 0xff) {  // padding
            ++at;
            continue;
        }
        if (marker == 0xda || marker == 0xd9) break;  // pixels, end
        const std::size_t length =
            std::size_t(static_cast<unsigned char>(bytes[at + 2])) << 8 | static_cast<unsigned char>(bytes[at + 3]);
        if (length < 2 || length > bytes.size() - at - 2) break;
        const std::string_view segment = bytes.substr(at + 4, length - 2);
        if (marker == 0xe1 && segment.starts_with(exifMark)) addExif(list, segment.substr(exifMark.size()));
        else if (marker == 0xe1 && segment.starts_with(xmpMark)) addXmp(list, segment.substr(xmpMark.size()));
        else if (marker == 0xfe) addText(list.texts, "Comment", utf8Of(segment));
        at += 2 + length;
    }
    return list;
}

PngTextList webpTextsOf(std::string_view bytes) {
    PngTextList list;
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
        const std::string_view type = bytes.substr(at, 4);
        const std::size_t length = littleEndian32(bytes.substr(at + 4));
        if (length > bytes.size() - at - 8) break;
        std::string_view data = bytes.substr(at + 8, length);
        if (type == "EXIF") addExif(list, data.starts_with(exifMark) ? data.substr(exifMark.size()) : data);
        else if (type == "XMP ") addXmp(list, data);
        at += 8 + length + length % 2;
    }
    return list;
}

Result<PngTextList> imageTextsOf(std::string_view bytes, const std::string& what) {
    switch (const FileFormat format = formatOf(bytes.substr(0, identityBytes), bytes.size())) {
    case FileFormat::Png: {
        PngTextList list = pngTextsOf(std::as_bytes(std::span(bytes)));
        if (const auto xmp = list.texts.find("XML:com.adobe.xmp"); xmp != list.texts.end()) {
            addXmp(list, xmp->second);
            list.texts.erase("XML:com.adobe.xmp");
        }
        return list;
    }
    case FileFormat::Jpeg: return jpegTextsOf(bytes);
    case FileFormat::WebP: return webpTextsOf(bytes);
    case FileFormat::Unknown:
        return Error{"Cannot read " + what
                     + ": it is no PNG, JPEG or WebP image, or it is damaged from its first byte."};
    default: return Error{what + " is " + nameOf(format) + ", not an image that can carry a recipe."};
    }
}

Result<PngTextList> readImageTexts(const std::string& path) {
    const auto file = readTextFile(path, largestFile);
    return file ? imageTextsOf(*file, "'" + path + "'") : Result<PngTextList>(file.error());
}

std::string hiddenText(std::string_view png) {
    const auto pixels = decodePngRgba(std::as_bytes(std::span(png)), "the image");
    if (!pixels) return {};
    std::string text = pixels->hasAlpha ? hiddenIn(*pixels, true) : std::string();
    return text.empty() ? hiddenIn(*pixels, false) : text;
}

}  // namespace meander
