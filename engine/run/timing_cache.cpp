#include "engine/run/timing_cache.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace meander {

namespace {

constexpr std::size_t sizesKept = 64;
constexpr double costOfACall = 50e-6;  // seconds, whatever its size, where only one size was measured

// Seconds by number of rows.
class Costs {
public:
    void add(int rows, double seconds) {
        auto [it, isNew] = m_bySize.try_emplace(rows, seconds);
        if (!isNew) it->second = 0.8 * it->second + 0.2 * seconds;  // follows the machine's mood without jumping
        if (m_bySize.size() > sizesKept) m_bySize.erase(std::next(m_bySize.begin(), sizesKept / 2));
    }
    double at(int rows) const {
        if (m_bySize.empty()) return 0;
        const auto above = m_bySize.lower_bound(rows);
        if (above != m_bySize.end() && above->first == rows) return above->second;
        if (m_bySize.size() == 1) {
            const auto [size, seconds] = *m_bySize.begin();
            const double fixed = std::min(0.9 * seconds, costOfACall);
            return fixed + (seconds - fixed) * rows / size;
        }
        // Through the sizes beside it, or the two nearest.
        auto right = above == m_bySize.end() ? std::prev(above) : above == m_bySize.begin() ? std::next(above) : above;
        const auto left = std::prev(right);
        const double slope = (right->second - left->second) / (right->first - left->first);
        return std::max(left->second + slope * (rows - left->first), 0.5 * std::min(left->second, right->second));
    }
    double perRow() const { return m_bySize.empty() ? 0 : m_bySize.rbegin()->second / m_bySize.rbegin()->first; }

private:
    std::map<int, double> m_bySize;
};

std::mutex mutex;
std::map<std::pair<std::string, Work>, Costs>& table() {
    static std::map<std::pair<std::string, Work>, Costs> t;
    return t;
}

}  // namespace

std::string costKeyOf(const ModelInfo& model) { return model.id + " " + model.state.shape.text(); }

void recordSeconds(const ModelInfo& model, Work work, int rows, double seconds) {
    const std::lock_guard lock(mutex);
    table()[{costKeyOf(model), work}].add(rows, seconds);
}

double measuredSeconds(const ModelInfo& model, Work work, int rows) {
    const std::lock_guard lock(mutex);
    const auto it = table().find({costKeyOf(model), work});
    return it == table().end() ? 0 : it->second.at(rows);
}

double measuredSecondsPerRow(const ModelInfo& model) {
    const std::lock_guard lock(mutex);
    const auto it = table().find({costKeyOf(model), Work::Call});
    return it == table().end() ? 0 : it->second.perRow();
}

}  // namespace meander
