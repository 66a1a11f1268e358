#include "engine/run/memory_budget.h"

#include <algorithm>
#include <new>

#include "engine/core/host_memory.h"
#include "engine/run/timing_cache.h"

namespace meander {

namespace {
constexpr double longestSharedCall = 0.5;  // seconds
constexpr std::chrono::milliseconds readAgainAfter{200};
}  // namespace

bool isOutOfMemory(const std::exception& e) {
    return dynamic_cast<const kernels::OutOfMemory*>(&e) || dynamic_cast<const std::bad_alloc*>(&e);
}

std::size_t MemoryBudget::freeBytes() const {
    const kernels::MemoryUse use = m_backend.memoryUse();
    const std::size_t total = m_limit > 0 ? m_limit : use.total;
    if (total == 0) return std::numeric_limits<std::size_t>::max() / 2;
    const std::size_t left = total > use.current ? total - use.current : 0;
    if (m_limit > 0 || m_backend.id() != "cpu") return left;
    if (const auto now = std::chrono::steady_clock::now(); m_available == 0 || now - m_read > readAgainAfter) {
        m_available = hostMemory().available;
        m_read = now;
    }
    return m_available > 0 ? std::min(left, m_available) : left;
}

int MemoryBudget::rowsPerCall(const ModelInfo& model) const {
    const auto known = m_models.find(costKeyOf(model));
    std::size_t bytesPerRow = model.bytesPerRow;
    int most = std::numeric_limits<int>::max();
    if (known != m_models.end()) {
        if (known->second.rows > 0) bytesPerRow = known->second.bytesPerRow;
        most = known->second.mostRows;
    }
    const std::size_t rows = freeBytes() / 2 / std::max<std::size_t>(bytesPerRow, 1);
    return int(std::clamp<std::size_t>(rows, 1, std::size_t(most)));
}

int MemoryBudget::rowsToShare(const ModelInfo& model) const {
    const double perRow = measuredSecondsPerRow(model);
    if (perRow <= 0) return 0;
    return std::min(rowsPerCall(model), int(std::min(longestSharedCall / perRow, 1e6)));
}

void MemoryBudget::measured(const ModelInfo& model, int rows, std::size_t bytes) {
    CallMemory& m = m_models[costKeyOf(model)];
    // What a call needs whatever its size weighs least in the largest one.
    if (rows >= m.rows) {
        m.rows = rows;
        m.bytesPerRow = bytes / std::size_t(std::max(rows, 1)) + 1;
    }
    if (m.mostRows < std::numeric_limits<int>::max() && rows >= m.mostRows) m.mostRows += m.mostRows / 8 + 1;
}

void MemoryBudget::exceeded(const ModelInfo& model, int rows) {
    m_models[costKeyOf(model)].mostRows = std::max(1, rows / 2);
}

}  // namespace meander
