// GGUF (versions 2 and 3): "GGUF", version, numbers of tensors and of metadata, the metadata (key, type, value), the
// tensors (name, extents innermost first, type, offset), then the data, aligned. All sizes are checked by "more than is
// left", never by a sum that could wrap.
#include <algorithm>
#include <bit>

#include "engine/core/printable.h"
#include "engine/weights/formats/byte_reader.h"

namespace meander {
namespace {

enum ValueType : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, Text, List, U64, I64, F64 };

constexpr std::uint32_t mostExtents = 4;
constexpr std::uint64_t widestAlignment = 65536, longestListAsText = 16;

std::uint64_t sizeOfValue(std::uint32_t type) {
    switch (type) {
    case U8:
    case I8:
    case Bool: return 1;
    case U16:
    case I16: return 2;
    case U32:
    case I32:
    case F32: return 4;
    case U64:
    case I64:
    case F64: return 8;
    default: return 0;
    }
}

class Reader {
public:
    explicit Reader(const MappedBytes& mapped) : m_file(mapped.name()), m_in(mapped.all(), m_file) {}

    WeightTable read() {
        m_in.take(4);
        const auto version = m_in.number<std::uint32_t>();
        if (version == 0x02000000 || version == 0x03000000)
            throw Failure("The file '" + m_file + "' was written on a big-endian machine, which Meander cannot read.");
        if (version != 2 && version != 3)
            throw Failure("The file '" + m_file + "' is GGUF of version " + std::to_string(version)
                          + "; Meander reads versions 2 and 3. Convert it, or download a newer one.");
        const auto tensors = m_in.number<std::uint64_t>(), values = m_in.number<std::uint64_t>();
        // The shortest entries: a key and a value of one byte; a name, one extent, type and place.
        if (values > m_in.remaining() / 13 || tensors > m_in.remaining() / 24) damaged(m_file, "it is cut off.");
        for (std::uint64_t i = 0; i < values; ++i) readMetadata();
        for (std::uint64_t i = 0; i < tensors; ++i) readTensor();
        place();
        return std::move(m_table);
    }

private:
    std::string text() { return std::string(m_in.text(m_in.number<std::uint64_t>())); }

    std::string value(std::uint32_t type) {
        switch (type) {
        case U8: return std::to_string(m_in.number<std::uint8_t>());
        case I8: return std::to_string(m_in.number<std::int8_t>());
        case U16: return std::to_string(m_in.number<std::uint16_t>());
        case I16: return std::to_string(m_in.number<std::int16_t>());
        case U32: return std::to_string(m_in.number<std::uint32_t>());
        case I32: return std::to_string(m_in.number<std::int32_t>());
        case F32: return std::to_string(m_in.number<float>());
        case Bool: return m_in.number<std::uint8_t>() ? "true" : "false";
        case U64: return std::to_string(m_in.number<std::uint64_t>());
        case I64: return std::to_string(m_in.number<std::int64_t>());
        case F64: return std::to_string(m_in.number<double>());
        case Text: return text();
        case List: return list();
        default: damaged(m_file, "its metadata have a value of an unknown type.");
        }
    }

    std::string list() {
        const auto type = m_in.number<std::uint32_t>();
        const auto count = m_in.number<std::uint64_t>();
        if (type == List) damaged(m_file, "its metadata have a list of lists.");
        const std::uint64_t size = type == Text ? 8 : sizeOfValue(type);
        if (size == 0) damaged(m_file, "its metadata have a list of an unknown type.");
        if (count > m_in.remaining() / size) damaged(m_file, "it is cut off.");
        if (count > longestListAsText) {
            if (type != Text) m_in.take(count * size);
            else
                for (std::uint64_t i = 0; i < count; ++i) m_in.take(m_in.number<std::uint64_t>());
            return std::to_string(count) + (type == Text ? " texts" : " numbers");
        }
        std::string all;
        for (std::uint64_t i = 0; i < count; ++i) all += (i ? ", " : "") + value(type);
        return all;
    }

    void readMetadata() {
        const std::string key = text();
        const auto type = m_in.number<std::uint32_t>();
        if (key == "general.alignment") {
            if (type != U32) damaged(m_file, "its alignment is not a whole number of 32 bits.");
            m_alignment = m_in.number<std::uint32_t>();
            if (!std::has_single_bit(m_alignment) || m_alignment > widestAlignment)
                damaged(m_file, "its alignment is " + std::to_string(m_alignment) + ".");
            return;
        }
        if (!m_table.metadata.emplace(key, value(type)).second) damaged(m_file, "it has two values of '" + key + "'.");
    }

    void readTensor() {
        const std::string name = text();
        TensorEntry e;
        const auto extents = m_in.number<std::uint32_t>();
        if (extents > mostExtents)
            damaged(m_file, "tensor '" + name + "' has " + std::to_string(extents) + " dimensions.");
        for (std::uint32_t i = 0; i < extents; ++i) {
            const auto extent = m_in.number<std::uint64_t>();
            if (extent == 0 || extent > std::uint64_t(INT64_MAX))
                damaged(m_file, "tensor '" + name + "' has an extent that is not a size.");
            e.extents.push_back(std::int64_t(extent));
        }
        const auto type = m_in.number<std::uint32_t>();
        e.type = ggufElementType(type);
        if (!e.type)
            throw Failure("Tensor '" + printable(name) + "' of '" + m_file + "' has the element type "
                          + std::to_string(type)
                          + ", which Meander does not know. The file is damaged, or newer than this version.");
        if (!e.extents.empty() && e.extents.front() % e.type->blockElements != 0)
            damaged(m_file, "the rows of tensor '" + name + "' are no whole blocks of " + e.type->name + ".");
        const auto count = countOf(e.extents);
        const auto bytes = count ? bytesOf(*e.type, *count) : std::nullopt;
        if (!bytes) damaged(m_file, "tensor '" + name + "' claims an impossible size.");
        e.count = std::int64_t(*count);
        e.bytes = *bytes;
        e.offset = m_in.number<std::uint64_t>();
        std::reverse(e.extents.begin(), e.extents.end());
        if (!m_table.tensors.emplace(name, std::move(e)).second) damaged(m_file, "it has two tensors '" + name + "'.");
    }

    // The data begin at the next multiple of the alignment.
    void place() {
        const std::uint64_t padding = (m_alignment - m_in.position() % m_alignment) % m_alignment;
        if (m_table.tensors.empty()) return;
        m_in.take(padding);
        for (auto& [name, e] : m_table.tensors) {
            if (e.offset % m_alignment != 0) damaged(m_file, "tensor '" + name + "' is not aligned.");
            if (e.offset > m_in.remaining() || e.bytes > m_in.remaining() - e.offset)
                damaged(m_file, "tensor '" + name + "' lies beyond the end; the file is cut off.");
            e.offset += m_in.position();
            restoreShape(name, e);
        }
        checkOverlaps(m_file, m_table.tensors);
    }

    // Tensors of other ranks are stored as matrices, their true shape in the metadata (written by ComfyUI-GGUF).
    void restoreShape(const std::string& name, TensorEntry& e) {
        const auto it = m_table.metadata.find("comfy.gguf.orig_shape." + name);
        if (it == m_table.metadata.end()) return;
        std::vector<std::int64_t> extents;
        for (const char* at = it->second.c_str(); *at;) {
            char* end = nullptr;
            extents.push_back(std::strtoll(at, &end, 10));
            if (end == at) return;
            at = *end ? end + 1 : end;
        }
        if (countOf(extents) == std::uint64_t(e.count)) e.extents = std::move(extents);
    }

    const std::string& m_file;
    ByteReader m_in;
    std::uint32_t m_alignment = 32;
    WeightTable m_table;
};

}  // namespace

WeightTable readGguf(const MappedBytes& file) { return Reader(file).read(); }

}  // namespace meander
