// The bytes of a file without reading it: mapped into memory, paged in where they are looked at.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "engine/core/result.h"

namespace meander {

class MappedBytes {
public:
    // The whole file, of any size, read only. It may be deleted or replaced while it is mapped.
    static Result<std::shared_ptr<const MappedBytes>> open(const std::string& path);
    // The same for bytes in memory; `name` stands in messages.
    static std::shared_ptr<const MappedBytes> ofMemory(std::string bytes, const std::string& name);
    ~MappedBytes();
    MappedBytes(const MappedBytes&) = delete;
    MappedBytes& operator=(const MappedBytes&) = delete;

    const std::string& name() const { return m_name; }
    std::span<const std::byte> all() const { return m_bytes; }
    bool isFile() const { return m_file != -1; }
    // Throws Failure when the file has become shorter since it was mapped: looking at what is gone ends the program.
    void requireIntact() const;

private:
    MappedBytes() = default;
    std::string m_name, m_memory;
    std::span<const std::byte> m_bytes;
    std::intptr_t m_file = -1;  // descriptor or handle; -1 for memory
};

}  // namespace meander
