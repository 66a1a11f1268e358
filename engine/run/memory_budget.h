// Budgets in bytes: how many rows one network call may hold follows from the memory that a row was measured to need and
// from the memory that is free. Engine thread only.
#pragma once
#include <chrono>
#include <limits>
#include <map>
#include <string>

#include "engine/models/model.h"

namespace meander {

// Not enough memory on the device or on the host.
bool isOutOfMemory(const std::exception& e);

class MemoryBudget {
public:
    // `limit`: bytes that the engine may use of the device; 0: what the device has.
    MemoryBudget(const Backend& backend, std::size_t limit) : m_backend(backend), m_limit(limit) {}

    std::size_t freeBytes() const;
    // Rows of one call that fit into half of the free memory; at least 1.
    int rowsPerCall(const ModelInfo& model) const;
    // Rows up to which requests of several runs are put into one call: it should fit, and be short, because commands
    // wait for it. 0 until a call was timed: the first request goes alone.
    int rowsToShare(const ModelInfo& model) const;
    // A call of so many rows took `bytes` at its peak, beyond what was in use before.
    void measured(const ModelInfo& model, int rows, std::size_t bytes);
    // A call of so many rows did not fit: the next ones hold at most half of them, and slowly more again.
    void exceeded(const ModelInfo& model, int rows);

private:
    struct CallMemory {
        int rows = 0;  // of the largest call measured
        std::size_t bytesPerRow = 0;
        int mostRows = std::numeric_limits<int>::max();
    };
    const Backend& m_backend;
    const std::size_t m_limit;
    std::map<std::string, CallMemory> m_models;
    // Memory that other programs leave, read now and then.
    mutable std::size_t m_available = 0;
    mutable std::chrono::steady_clock::time_point m_read;
};

}  // namespace meander
