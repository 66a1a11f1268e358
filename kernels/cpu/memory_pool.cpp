#include "kernels/cpu/memory_pool.h"

#include <cstdlib>
#include <new>
#if defined(__linux__)
#    include <sys/mman.h>
#endif
#if defined(_WIN32)
#    include <malloc.h>
#    include <windows.h>
#else
#    include <unistd.h>
#endif

namespace meander::kernels {
namespace {

constexpr std::size_t hugePage = std::size_t(2) << 20;

std::size_t physicalMemory() {
#if defined(_WIN32)
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof status;
    return GlobalMemoryStatusEx(&status) ? std::size_t(status.ullTotalPhys) : 0;
#else
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && size > 0 ? std::size_t(pages) * std::size_t(size) : 0;
#endif
}

void* alignedBlock(std::size_t alignment, std::size_t bytes) {
#if defined(_WIN32)
    return _aligned_malloc(bytes, alignment);
#else
    return std::aligned_alloc(alignment, bytes);
#endif
}
void freeBlock(void* p) noexcept {
#if defined(_WIN32)
    _aligned_free(p);
#else
    std::free(p);
#endif
}

// Few distinct sizes, so that blocks are found again.
std::size_t rounded(std::size_t bytes) {
    const std::size_t step = bytes < 4096 ? 64 : bytes < hugePage ? 4096 : hugePage;
    return (bytes + step - 1) / step * step;
}

std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MB"; }

}  // namespace

MemoryPool::MemoryPool() { m_use.total = physicalMemory(); }

MemoryPool::~MemoryPool() {
    trim();
    for (auto& [p, size] : m_live) freeBlock(p);
}

void* MemoryPool::fromSystem(std::size_t bytes) {
    void* p = alignedBlock(bytes >= hugePage ? hugePage : 64, bytes);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (p && bytes >= hugePage) madvise(p, bytes, MADV_HUGEPAGE);  // fewer page faults and table walks; only a wish
#endif
    return p;
}

void* MemoryPool::allocate(std::size_t bytes) {
    if (bytes > (std::size_t(1) << 62))
        throw OutOfMemory("The size of a tensor overflows; the model or image size is not plausible.", bytes);
    if (m_beforeAllocation) m_beforeAllocation(bytes);
    const std::size_t size = rounded(bytes ? bytes : 1);
    void* p = nullptr;
    std::size_t got = size;
    if (auto it = m_free.lower_bound(size); it != m_free.end() && it->first <= size + size / 4) {
        got = it->first;
        p = it->second;
        m_free.erase(it);
    } else if (m_use.total == 0
               || m_use.current + size <= m_use.total) {  // Linux promises more than it has, then kills
        p = fromSystem(size);
        if (!p) {
            trim();
            p = fromSystem(size);
        }
    }
    if (!p)
        throw OutOfMemory("Not enough memory: " + megabytes(bytes) + " more are needed, " + megabytes(m_use.current)
                              + " are in use and the machine has " + megabytes(m_use.total)
                              + ". Choose a smaller image or batch, or close other models.",
                          bytes);
    m_live.emplace(p, got);
    m_use.current += got;
    if (m_use.current > m_use.peak) m_use.peak = m_use.current;
    return p;
}

void MemoryPool::release(void* p) noexcept {
    const auto it = m_live.find(p);
    if (it == m_live.end()) return;
    const std::size_t size = it->second;
    m_live.erase(it);
    m_use.current -= size;
    try {
        m_free.emplace(size, p);
    } catch (...) {
        freeBlock(p);
    }
}

void MemoryPool::trim() noexcept {
    for (auto& [size, p] : m_free) freeBlock(p);
    m_free.clear();
}

}  // namespace meander::kernels
