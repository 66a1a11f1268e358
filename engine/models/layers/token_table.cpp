#include "engine/models/layers/token_table.h"

namespace meander {

TokenTable::TokenTable(NetworkBuilder& b, const std::string& name, std::int64_t tokens, std::int64_t width)
    : m_backend(&b.backend), m_type(b.compute), m_table(b.source.read(name, {tokens, width})) {
    b.parameters += tokens * width;
}

Tensor TokenTable::rows(std::span<const int> ids) const {
    const HostWeight found = rowsInOrder(m_table, std::vector<std::int64_t>(ids.begin(), ids.end()));
    return upload(*m_backend, HostTensor::fromFloats(found.shape, found.floats())).converted(m_type);
}

}  // namespace meander
