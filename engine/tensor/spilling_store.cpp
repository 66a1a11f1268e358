#include "engine/tensor/spilling_store.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "engine/core/host_memory.h"

#ifndef _WIN32
#    include <fcntl.h>
#    include <sys/mman.h>
#    include <unistd.h>

#    include <cstdlib>
#endif

namespace meander {

namespace {

constexpr std::size_t segmentBytes = std::size_t(64) << 20, alignment = 64;
// Smaller tensors stay in memory: a page of the file would hold little else.
constexpr std::size_t smallestSpilled = 4096;

// A part of the file, mapped for as long as a tensor lies in it.
struct Segment {
    std::byte* data = nullptr;
    std::size_t size = 0;
    Segment(std::byte* d, std::size_t s) : data(d), size(s) {}
    Segment(const Segment&) = delete;
    ~Segment() {
#ifndef _WIN32
        ::munmap(data, size);
#endif
    }
};

// A folder on a disk: /tmp may be memory itself.
std::string temporaryFolder() {
    std::error_code error;
    if (const char* given = std::getenv("TMPDIR"); given && std::filesystem::is_directory(given, error)) return given;
    if (std::filesystem::is_directory("/var/tmp", error)) return "/var/tmp";
    return std::filesystem::temp_directory_path(error).string();
}

}  // namespace

// Has no name: it goes with the process, however that ends.
class SpillFile {
public:
    SpillFile() {
#ifndef _WIN32
        std::string name = temporaryFolder() + "/meander-record-XXXXXX";
        m_descriptor = ::mkstemp(name.data());
        if (m_descriptor >= 0) ::unlink(name.c_str());
#endif
    }
    ~SpillFile() {
#ifndef _WIN32
        if (m_descriptor >= 0) ::close(m_descriptor);
#endif
    }
    SpillFile(const SpillFile&) = delete;

    // A copy of the bytes in the file; null when there is no room.
    std::shared_ptr<const std::byte> put(std::span<const std::byte> bytes) {
        if (!m_segment || m_used + bytes.size() > m_segment->size) {
            m_segment = grow(std::max(segmentBytes, bytes.size()));
            m_used = 0;
        }
        if (!m_segment) return nullptr;
        std::byte* to = m_segment->data + m_used;
        std::memcpy(to, bytes.data(), bytes.size());
        m_used = (m_used + bytes.size() + alignment - 1) / alignment * alignment;
        return {m_segment, to};
    }

private:
    // Room is reserved first: writing into a mapping beyond a full disk would end the program.
    std::shared_ptr<Segment> grow(std::size_t wanted) {
#ifndef _WIN32
        const auto page = std::size_t(::sysconf(_SC_PAGE_SIZE));
        const std::size_t size = (wanted + page - 1) / page * page;
        if (m_descriptor < 0 || ::posix_fallocate(m_descriptor, m_end, off_t(size)) != 0) return nullptr;
        void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, m_descriptor, m_end);
        if (data == MAP_FAILED) return nullptr;
        m_end += off_t(size);
        return std::make_shared<Segment>(static_cast<std::byte*>(data), size);
#else
        (void)wanted;
        return nullptr;
#endif
    }

    int m_descriptor = -1;
#ifndef _WIN32
    off_t m_end = 0;
#endif
    std::shared_ptr<Segment> m_segment;
    std::size_t m_used = 0;
};

SpillingStore::SpillingStore(std::size_t budget) : m_budget(budget > 0 ? budget : hostMemory().total / 8) {}
SpillingStore::~SpillingStore() = default;
SpillingStore::SpillingStore(SpillingStore&&) noexcept = default;
SpillingStore& SpillingStore::operator=(SpillingStore&&) noexcept = default;

HostTensor SpillingStore::keep(HostTensor t) {
    const std::size_t bytes = t.bytes().size();
    if (m_budget > 0 && m_inMemory + bytes > m_budget && bytes >= smallestSpilled) {
        if (!m_file) m_file = std::make_unique<SpillFile>();
        if (auto data = m_file->put(t.bytes())) {
            m_inFile += bytes;
            return HostTensor(t.shape(), t.type(), std::move(data), bytes);
        }
    }
    m_inMemory += bytes;
    return t;
}

}  // namespace meander
