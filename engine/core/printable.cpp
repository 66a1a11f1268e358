#include "engine/core/printable.h"

#include <cstdio>

namespace meander {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 1;
    bool isValid = false, isCut = false;  // cut: the text ends inside it
};

// The character at the beginning of `text` (not empty), as UTF-8 (RFC 3629).
Character decode(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return {first, 1, true};
    const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4) return {};
    char32_t code = first & (0xFF >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if (i == text.size()) return {0, 1, false, true};
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0) != 0x80) return {};
        code = code << 6 | (next & 0x3F);
    }
    const char32_t smallest = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;
    if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
    return {code, bytes, true};
}

bool steersTerminal(char32_t c, bool keepsLines) {
    if (c == '\n' || c == '\t') return !keepsLines;
    return c < 0x20 || (c >= 0x7F && c < 0xA0)                                           // C0, DEL, C1
           || c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E)  // lines, direction
           || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append(std::string& out, const char* format, unsigned value) {
    char text[12];
    std::snprintf(text, sizeof text, format, value);
    out += text;
}

// Escapes as far as the text is complete; returns the bytes it took.
std::size_t escape(std::string_view text, bool keepsLines, bool isEnd, std::string& out) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Character c = decode(text.substr(at));
        if (c.isCut && !isEnd) break;
        if (!c.isValid) append(out, "\\x%02x", static_cast<unsigned char>(text[at]));
        else if (steersTerminal(c.code, keepsLines)) append(out, "\\u%04x", unsigned(c.code));
        else out += text.substr(at, c.bytes);
        at += c.bytes;
    }
    return at;
}

}  // namespace

std::string printable(std::string_view text, bool keepsLines) {
    std::string out;
    escape(text, keepsLines, true, out);
    return out;
}

PrintableBuffer::~PrintableBuffer() { pass(true); }

PrintableBuffer::int_type PrintableBuffer::overflow(int_type c) {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    m_text += traits_type::to_char_type(c);
    return pass(false) ? c : traits_type::eof();
}

std::streamsize PrintableBuffer::xsputn(const char* s, std::streamsize n) {
    m_text.append(s, std::size_t(n));
    return pass(false) ? n : 0;
}

int PrintableBuffer::sync() { return pass(false) && m_target->pubsync() == 0 ? 0 : -1; }

bool PrintableBuffer::pass(bool isEnd) {
    std::string out;
    m_text.erase(0, escape(m_text, true, isEnd, out));
    return m_target->sputn(out.data(), std::streamsize(out.size())) == std::streamsize(out.size());
}

}  // namespace meander
