#include "engine/imaging/exif.h"

#include <cstdint>
#include <optional>

#include "engine/imaging/png_texts.h"

namespace meander {
namespace {

constexpr std::uint16_t exifDirectory = 0x8769, userComment = 0x9286;
constexpr std::size_t entrySize = 12, mostEntries = 512;

struct Tag {
    std::uint16_t id;
    const char* name;
};
constexpr Tag tags[] = {{0x010E, "ImageDescription"},
                        {0x010F, "Make"},
                        {0x0110, "Model"},
                        {0x0131, "Software"},
                        {userComment, "UserComment"}};

// Sizes of one value of the TIFF types 1 … 12.
constexpr std::size_t typeSizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};

class Tiff {
public:
    explicit Tiff(std::string_view data) : m_data(data) {}

    std::map<std::string, std::string> texts() {
        if (m_data.size() < 8) return {};
        m_isBigEndian = m_data.starts_with("MM");
        if ((m_isBigEndian || m_data.starts_with("II")) && number(2, 2) == 42)
            readDirectory(number(4, 4).value_or(0), 0);
        return std::move(m_texts);
    }

private:
    std::optional<std::uint32_t> number(std::size_t at, int bytes) const {
        if (at > m_data.size() || m_data.size() - at < std::size_t(bytes)) return {};
        std::uint32_t v = 0;
        for (int i = 0; i < bytes; ++i)
            v = v << 8 | static_cast<unsigned char>(m_data[at + std::size_t(m_isBigEndian ? i : bytes - 1 - i)]);
        return v;
    }

    void readDirectory(std::size_t at, int depth) {
        const auto count = number(at, 2);
        if (!count || depth > 2) return;
        for (std::size_t i = 0; i < std::min<std::size_t>(*count, mostEntries); ++i)
            readEntry(at + 2 + i * entrySize, depth);
    }

    void readEntry(std::size_t at, int depth) {
        const auto id = number(at, 2), type = number(at + 2, 2), count = number(at + 4, 4), value = number(at + 8, 4);
        if (!id || !type || !count || !value || *type >= std::size(typeSizes)) return;
        if (*id == exifDirectory) {
            readDirectory(*value, depth + 1);
            return;
        }
        for (const Tag& tag : tags) {
            const std::size_t length = std::size_t(*count) * typeSizes[*type], from = length <= 4 ? at + 8 : *value;
            if (tag.id != *id || from > m_data.size() || length > m_data.size() - from) continue;
            const std::string_view bytes = m_data.substr(from, length);
            std::string text = tag.id == userComment ? commentOf(bytes) : utf8Of(bytes);
            while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
            if (!text.empty()) m_texts.emplace(tag.name, std::move(text));
        }
    }

    // Eight bytes name the code: "UNICODE\0" is UTF-16, by most writers in big-endian order whatever the file's is.
    std::string commentOf(std::string_view bytes) const {
        if (bytes.size() < 8) return utf8Of(bytes);
        const std::string_view code = bytes.substr(0, 8), rest = bytes.substr(8);
        if (!code.starts_with("UNICODE")) return utf8Of(code.starts_with("ASCII") || code[0] == '\0' ? rest : bytes);
        std::size_t evenZeros = 0, oddZeros = 0;
        for (std::size_t i = 0; i < rest.size(); ++i)
            if (rest[i] == '\0') ++(i % 2 ? oddZeros : evenZeros);
        return utf8OfUtf16(rest, evenZeros == oddZeros ? m_isBigEndian : evenZeros > oddZeros);
    }

    std::string_view m_data;
    bool m_isBigEndian = true;
    std::map<std::string, std::string> m_texts;
};

void appendCodePoint(std::string& text, std::uint32_t c) {
    if (c < 0x80) text += char(c);
    else if (c < 0x800) text += {char(0xC0 | c >> 6), char(0x80 | (c & 0x3F))};
    else if (c < 0x10000) text += {char(0xE0 | c >> 12), char(0x80 | (c >> 6 & 0x3F)), char(0x80 | (c & 0x3F))};
    else
        text += {char(0xF0 | c >> 18), char(0x80 | (c >> 12 & 0x3F)), char(0x80 | (c >> 6 & 0x3F)),
                 char(0x80 | (c & 0x3F))};
}

struct Entity {
    std::string_view name;
    char character;
};
constexpr Entity entities[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};

std::string withoutEntities(std::string_view xml) {
    std::string text;
    for (std::size_t i = 0; i < xml.size(); ++i) {
        if (xml[i] != '&') {
            text += xml[i];
            continue;
        }
        const std::string_view rest = xml.substr(i + 1);
        bool isKnown = false;
        for (const Entity& e : entities)
            if (rest.starts_with(e.name)) {
                text += e.character;
                i += e.name.size();
                isKnown = true;
                break;
            }
        if (isKnown) continue;
        const auto end = rest.substr(0, 12).find(';');
        if (!rest.starts_with('#') || end == rest.npos) {
            text += '&';
            continue;
        }
        const bool isHex = rest.size() > 1 && (rest[1] == 'x' || rest[1] == 'X');
        const auto c = std::strtoul(std::string(rest.substr(isHex ? 2 : 1, end - (isHex ? 2 : 1))).c_str(), nullptr,
                                    isHex ? 16 : 10);
        appendCodePoint(text, c > 0x10FFFF || c == 0 || (c >= 0xD800 && c < 0xE000) ? 0xFFFD : std::uint32_t(c));
        i += end + 1;
    }
    return text;
}

}  // namespace

std::string utf8OfUtf16(std::string_view bytes, bool isBigEndian) {
    std::string text;
    const auto unit = [&](std::size_t i) -> std::uint32_t {
        const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
        return isBigEndian ? std::uint32_t(a << 8 | b) : std::uint32_t(b << 8 | a);
    };
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        std::uint32_t c = unit(i);
        if (i == 0 && c == 0xFEFF) continue;
        if (c >= 0xD800 && c < 0xDC00 && i + 3 < bytes.size() && unit(i + 2) >= 0xDC00 && unit(i + 2) < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
            i += 2;
        } else if (c >= 0xD800 && c < 0xE000) {
            c = 0xFFFD;
        }
        if (c != 0) appendCodePoint(text, c);
    }
    return text;
}

std::map<std::string, std::string> exifTexts(std::string_view tiff) { return Tiff(tiff).texts(); }

std::string xmpUserComment(std::string_view xmp) {
    const auto tag = xmp.find("UserComment");
    if (tag == xmp.npos) return {};
    std::string_view rest = xmp.substr(tag + 11);
    if (rest.starts_with("=\"")) return withoutEntities(rest.substr(2, rest.find('"', 2) - 2));
    const auto item = rest.find("<rdf:li"), end = rest.find("</rdf:li>");
    if (item == rest.npos || end == rest.npos || item > end) return {};
    const auto from = rest.find('>', item);
    return from == rest.npos || from > end ? std::string() : withoutEntities(rest.substr(from + 1, end - from - 1));
}

}  // namespace meander
