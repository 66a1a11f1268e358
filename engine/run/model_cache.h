// Loaded models, most recently used first. They stay while their weights leave room for the next one; a model that a
// run uses never leaves. Engine thread only.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "engine/run/memory_budget.h"

namespace meander {

class ModelCache {
public:
    using IsInUse = std::function<bool(const std::string& key)>;
    ModelCache(Backend& backend, const MemoryBudget& budget) : m_backend(backend), m_budget(budget) {}

    static std::string keyOf(const std::string& id, const LoadOptions& o) {
        std::string key = id + "|" + o.precision + (o.weights == "file" ? "" : "|" + o.weights);
        for (const LoraChoice& l : o.loras) key += "|" + l.path + "×" + std::to_string(l.strength);
        return key;
    }
    Model* find(const std::string& key);
    // Drops the least recently used models that are not in use until the weights fit, then loads. Throws Failure.
    Model& load(const std::string& id, const LoadOptions& options, std::size_t weightBytes, const IsInUse& isInUse);
    // Gives back all that no run uses, pooled memory too.
    void dropUnused(const IsInUse& isInUse);
    std::size_t size() const { return m_models.size(); }

private:
    bool dropOldest(const IsInUse& isInUse);

    Backend& m_backend;
    const MemoryBudget& m_budget;
    std::list<std::pair<std::string, std::unique_ptr<Model>>> m_models;
};

}  // namespace meander
