// Weights under the names of another program: renamed, parts of fused tensors, split tensors stacked.
#pragma once
#include <memory>

#include "engine/weights/names/name_table.h"
#include "engine/weights/weight_source.h"

namespace meander {

class Renamed final : public WeightSource {
public:
    Renamed(std::shared_ptr<WeightSource> source, NameTable names)
        : m_source(std::move(source)), m_names(std::move(names)) {}

    bool has(const std::string& name) const override { return found(name).has_value(); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override;

private:
    std::optional<StoredName> found(const std::string& name) const;
    // Of a stored tensor whose own shape decides.
    HostWeight readAsStored(const std::string& stored);

    std::shared_ptr<WeightSource> m_source;
    NameTable m_names;
};

}  // namespace meander
