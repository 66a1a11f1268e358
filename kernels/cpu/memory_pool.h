// Aligned memory that is kept for the next request of about the same size, with counts.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <unordered_map>

#include "kernels/api/backend.h"

namespace meander::kernels {

class MemoryPool {
public:
    MemoryPool();
    ~MemoryPool();
    MemoryPool(const MemoryPool&) = delete;
    MemoryPool& operator=(const MemoryPool&) = delete;

    void* allocate(std::size_t bytes);
    void release(void* p) noexcept;
    void trim() noexcept;
    MemoryUse use() const { return m_use; }
    void resetPeak() { m_use.peak = m_use.current; }
    // Called with the size before every allocation; may throw OutOfMemory (tests of memory faults).
    void setBeforeAllocation(std::function<void(std::size_t bytes)> f) { m_beforeAllocation = std::move(f); }

private:
    void* fromSystem(std::size_t bytes);

    std::unordered_map<void*, std::size_t> m_live;  // size of each block in use
    std::multimap<std::size_t, void*> m_free;
    MemoryUse m_use;
    std::function<void(std::size_t)> m_beforeAllocation;
};

// Memory of a pool for the length of a scope.
template <class T> class Scratch {
public:
    Scratch(MemoryPool& pool, std::size_t count)
        : m_pool(&pool), m_data(count ? static_cast<T*>(pool.allocate(count * sizeof(T))) : nullptr) {}
    ~Scratch() {
        if (m_data) m_pool->release(m_data);
    }
    Scratch(Scratch&& o) noexcept : m_pool(o.m_pool), m_data(o.m_data) { o.m_data = nullptr; }
    Scratch& operator=(Scratch&&) = delete;
    T* data() const { return m_data; }

private:
    MemoryPool* m_pool;
    T* m_data;
};

}  // namespace meander::kernels
