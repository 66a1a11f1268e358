// Several sources as one: parts of a network in files of their own.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "engine/weights/weight_source.h"

namespace meander {

class JoinedWeights final : public WeightSource {
public:
    // A name is looked up in the order given; at least one source.
    explicit JoinedWeights(std::vector<std::shared_ptr<WeightSource>> sources) : m_sources(std::move(sources)) {}

    bool has(const std::string& name) const override { return owner(name).has(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override {
        return owner(name).read(name, shape);
    }
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override { return owner(name).shapeOf(name); }

private:
    // The first one that has it; the last one says what is missing.
    WeightSource& owner(const std::string& name) const {
        for (const auto& source : m_sources)
            if (source->has(name)) return *source;
        return *m_sources.back();
    }

    std::vector<std::shared_ptr<WeightSource>> m_sources;
};

}  // namespace meander
