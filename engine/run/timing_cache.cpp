#include "engine/run/timing_cache.h"

#include <map>
#include <mutex>

namespace meander {

namespace {
std::mutex mutex;
std::map<std::string, double>& table() {
    static std::map<std::string, double> t;
    return t;
}
}  // namespace

std::string costKeyOf(const ModelInfo& model) { return model.id + " " + model.state.shape.text(); }

double measuredSecondsPerRow(const ModelInfo& model) {
    const std::lock_guard lock(mutex);
    const auto it = table().find(costKeyOf(model));
    return it == table().end() ? 0 : it->second;
}

void recordSecondsPerRow(const ModelInfo& model, double seconds) {
    const std::lock_guard lock(mutex);
    auto [it, isNew] = table().try_emplace(costKeyOf(model), seconds);
    if (!isNew) it->second = 0.8 * it->second + 0.2 * seconds;  // follows the machine's mood without jumping
}

}  // namespace meander
