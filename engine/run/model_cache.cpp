#include "engine/run/model_cache.h"

#include <algorithm>

namespace meander {

Model* ModelCache::find(const std::string& key) {
    const auto it = std::find_if(m_models.begin(), m_models.end(), [&](const auto& m) { return m.first == key; });
    if (it == m_models.end()) return nullptr;
    m_models.splice(m_models.begin(), m_models, it);
    return it->second.get();
}

bool ModelCache::dropOldest(const IsInUse& isInUse) {
    const auto unused =
        std::find_if(m_models.rbegin(), m_models.rend(), [&](const auto& m) { return !isInUse(m.first); });
    if (unused == m_models.rend()) return false;
    m_models.erase(std::prev(unused.base()));
    m_backend.trim();
    return true;
}

Model& ModelCache::load(const std::string& id, const LoadOptions& options, std::size_t weightBytes,
                        const IsInUse& isInUse) {
    // Beside the weights, a call needs room too.
    while (m_budget.freeBytes() / 2 < weightBytes && dropOldest(isInUse)) {}
    auto model = loadModel(id, m_backend, options);
    // The description may say less than what is needed: once more with all the room there is.
    if (!model && model.error().text.starts_with("There is not enough memory")) {
        dropUnused(isInUse);
        model = loadModel(id, m_backend, options);
    }
    if (!model) throw Failure(model.error().text);
    m_models.emplace_front(keyOf(id, options), std::move(*model));
    return *m_models.front().second;
}

void ModelCache::dropUnused(const IsInUse& isInUse) {
    std::erase_if(m_models, [&](const auto& m) { return !isInUse(m.first); });
    m_backend.trim();
}

}  // namespace meander
