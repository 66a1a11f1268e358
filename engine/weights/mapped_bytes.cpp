#include "engine/weights/mapped_bytes.h"

#include <cstdint>
#include <filesystem>

#ifdef _WIN32
#    define NOMINMAX
#    include <windows.h>
#else
#    include <fcntl.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <unistd.h>
#endif

namespace meander {
namespace {

// The three calls that differ between systems: size of an open file, mapping it, giving both back.
#ifdef _WIN32
std::intptr_t openFile(const std::string& path) {
    const auto wide = std::filesystem::path(path).wstring();
    return reinterpret_cast<std::intptr_t>(CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                                                       nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
}
std::uint64_t sizeOfFile(std::intptr_t file) {
    LARGE_INTEGER size{};
    return GetFileSizeEx(reinterpret_cast<HANDLE>(file), &size) ? std::uint64_t(size.QuadPart) : 0;
}
const void* mapFile(std::intptr_t file, std::uint64_t) {
    const HANDLE mapping = CreateFileMappingW(reinterpret_cast<HANDLE>(file), nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (!mapping) return nullptr;
    const void* data = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    CloseHandle(mapping);  // the view keeps it
    return data;
}
void unmapFile(const void* data, std::uint64_t) { UnmapViewOfFile(data); }
void closeFile(std::intptr_t file) { CloseHandle(reinterpret_cast<HANDLE>(file)); }
#else
std::intptr_t openFile(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }
std::uint64_t sizeOfFile(std::intptr_t file) {
    struct stat s {};
    return fstat(int(file), &s) == 0 && s.st_size > 0 ? std::uint64_t(s.st_size) : 0;
}
const void* mapFile(std::intptr_t file, std::uint64_t size) {
    void* data = mmap(nullptr, std::size_t(size), PROT_READ, MAP_PRIVATE, int(file), 0);
    return data == MAP_FAILED ? nullptr : data;
}
void unmapFile(const void* data, std::uint64_t size) { munmap(const_cast<void*>(data), std::size_t(size)); }
void closeFile(std::intptr_t file) { ::close(int(file)); }
#endif

}  // namespace

Result<std::shared_ptr<const MappedBytes>> MappedBytes::open(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
        return Error{"Cannot open '" + path + "'. Check that the file exists and may be read."};
    std::shared_ptr<MappedBytes> bytes(new MappedBytes);
    bytes->m_name = path;
    bytes->m_file = openFile(path);
    if (bytes->m_file == -1) return Error{"Cannot open '" + path + "'. Check that the file may be read."};
    const std::uint64_t size = sizeOfFile(bytes->m_file);
    if (size == 0) return std::shared_ptr<const MappedBytes>(std::move(bytes));
    const void* data = mapFile(bytes->m_file, size);
    if (!data)
        return Error{"Cannot map '" + path + "' into memory. Close other programs, or copy the file to a local disk."};
    bytes->m_bytes = {static_cast<const std::byte*>(data), std::size_t(size)};
    return std::shared_ptr<const MappedBytes>(std::move(bytes));
}

std::shared_ptr<const MappedBytes> MappedBytes::ofMemory(std::string memory, const std::string& name) {
    std::shared_ptr<MappedBytes> bytes(new MappedBytes);
    bytes->m_name = name;
    bytes->m_memory = std::move(memory);
    bytes->m_bytes = std::as_bytes(std::span(bytes->m_memory));
    return bytes;
}

MappedBytes::~MappedBytes() {
    if (m_file == -1) return;
    if (!m_bytes.empty()) unmapFile(m_bytes.data(), m_bytes.size());
    closeFile(m_file);
}

void MappedBytes::requireIntact() const {
    if (m_file != -1 && sizeOfFile(m_file) < m_bytes.size())
        throw Failure("The file '" + m_name + "' has become shorter since it was opened. Copy it again and reopen it.");
}

}  // namespace meander
