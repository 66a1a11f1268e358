#include "engine/weights/formats/zip.h"

#include <algorithm>

namespace meander {
namespace {

constexpr std::uint32_t endMark = 0x06054b50, locator64Mark = 0x07064b50, end64Mark = 0x06064b50,
                        entryMark = 0x02014b50, localMark = 0x04034b50;
constexpr std::size_t endSize = 22, longestComment = 65535, locatorSize = 20;

class Directory {
public:
    explicit Directory(const MappedBytes& file) : m_file(file.name()), m_bytes(file.all()) {}

    std::map<std::string, ZipMember> read() {
        const auto [count, offset] = place();
        ByteReader in = at(offset);
        std::map<std::string, ZipMember> members;
        if (count > in.remaining() / 46) damaged(m_file, "it is cut off.");
        for (std::uint64_t i = 0; i < count; ++i) readMember(in, members);
        return members;
    }

private:
    ByteReader at(std::uint64_t offset) const {
        ByteReader in(m_bytes, m_file);
        in.take(offset);
        return in;
    }
    std::uint32_t markAt(std::size_t offset) const { return at(offset).number<std::uint32_t>(); }

    // Number of members and where their list begins, from the record at the end of the file.
    std::pair<std::uint64_t, std::uint64_t> place() const {
        if (m_bytes.size() < endSize) damaged(m_file, "it is cut off.");
        const std::size_t last = m_bytes.size() - endSize, first = last - std::min(last, longestComment);
        std::size_t end = last;
        while (end > first && markAt(end) != endMark) --end;
        if (markAt(end) != endMark) damaged(m_file, "its list of contents is missing; it is cut off.");
        ByteReader in = at(end + 10);
        std::uint64_t count = in.number<std::uint16_t>();
        in.take(4);
        std::uint64_t offset = in.number<std::uint32_t>();
        if (end >= locatorSize && markAt(end - locatorSize) == locator64Mark) {
            ByteReader locator = at(end - locatorSize + 8);
            ByteReader record = at(locator.number<std::uint64_t>());
            if (record.number<std::uint32_t>() != end64Mark) damaged(m_file, "its list of contents is missing.");
            record.take(28);
            count = record.number<std::uint64_t>();
            record.take(8);
            offset = record.number<std::uint64_t>();
        }
        return {count, offset};
    }

    void readMember(ByteReader& in, std::map<std::string, ZipMember>& members) const {
        if (in.number<std::uint32_t>() != entryMark) damaged(m_file, "its list of contents cannot be read.");
        in.take(6);
        ZipMember m;
        m.isCompressed = in.number<std::uint16_t>() != 0;
        in.take(8);
        in.take(4);  // compressed size: the same where nothing is compressed
        m.size = in.number<std::uint32_t>();
        const auto nameLength = in.number<std::uint16_t>(), extraLength = in.number<std::uint16_t>(),
                   commentLength = in.number<std::uint16_t>();
        in.take(8);
        std::uint64_t local = in.number<std::uint32_t>();
        const std::string name(in.text(nameLength));
        readExtra(in.take(extraLength), m.size, local);
        in.take(commentLength);
        ByteReader header = at(local);
        if (header.number<std::uint32_t>() != localMark) damaged(m_file, "'" + name + "' inside is missing.");
        header.take(22);
        const auto localName = header.number<std::uint16_t>(), localExtra = header.number<std::uint16_t>();
        header.take(std::uint64_t(localName) + localExtra);
        m.offset = header.position();
        if (!m.isCompressed && m.size > header.remaining()) damaged(m_file, "'" + name + "' inside is cut off.");
        members.emplace(name, m);
    }

    // Sizes that 32 bits do not hold stand in an extra field of kind 1, in this order.
    void readExtra(std::span<const std::byte> extra, std::uint64_t& size, std::uint64_t& local) const {
        ByteReader in(extra, m_file);
        while (in.remaining() >= 4) {
            const auto kind = in.number<std::uint16_t>(), length = in.number<std::uint16_t>();
            ByteReader field(in.take(length), m_file);
            if (kind != 1) continue;
            if (size == UINT32_MAX) {
                size = field.number<std::uint64_t>();
                if (field.remaining() >= 8) field.take(8);  // compressed size
            }
            if (local == UINT32_MAX) local = field.number<std::uint64_t>();
        }
    }

    const std::string& m_file;
    std::span<const std::byte> m_bytes;
};

}  // namespace

std::map<std::string, ZipMember> readZipDirectory(const MappedBytes& file) { return Directory(file).read(); }

}  // namespace meander
