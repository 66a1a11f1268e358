// A place in a file that moves forward and never beyond the end. Little-endian.
#pragma once
#include <cstring>
#include <string_view>

#include "engine/weights/formats/readers.h"

namespace meander {

class ByteReader {
public:
    ByteReader(std::span<const std::byte> bytes, const std::string& file) : m_bytes(bytes), m_file(file) {}

    std::size_t position() const { return m_position; }
    std::size_t remaining() const { return m_bytes.size() - m_position; }
    const std::string& file() const { return m_file; }

    std::span<const std::byte> take(std::uint64_t count) {
        if (count > remaining()) damaged(m_file, "it is cut off.");
        const auto part = m_bytes.subspan(m_position, std::size_t(count));
        m_position += std::size_t(count);
        return part;
    }
    std::string_view text(std::uint64_t length) {
        const auto part = take(length);
        return {reinterpret_cast<const char*>(part.data()), part.size()};
    }
    template <class T> T number() {
        T value;
        std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
        return value;
    }
    // Text up to a line feed, which is skipped.
    std::string_view line() {
        const auto* data = reinterpret_cast<const char*>(m_bytes.data());
        const void* end = std::memchr(data + m_position, '\n', remaining());
        if (!end) damaged(m_file, "it is cut off.");
        const auto length = std::size_t(static_cast<const char*>(end) - data) - m_position;
        const std::string_view t = text(length);
        take(1);
        return t;
    }

private:
    std::span<const std::byte> m_bytes;
    const std::string& m_file;
    std::size_t m_position = 0;
};

}  // namespace meander
