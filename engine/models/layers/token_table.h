// Embeddings of tokens that stay in their file: only the rows of a text's tokens are read. A table of 150 000 tokens
// takes no memory.
#pragma once
#include <span>
#include <string>

#include "engine/models/layers/builder.h"

namespace meander {

class TokenTable {
public:
    TokenTable() = default;
    // `name`: a tensor (tokens, width).
    TokenTable(NetworkBuilder& builder, const std::string& name, std::int64_t tokens, std::int64_t width);
    // (ids, width) in the type of the computation. Ids must lie in the table.
    Tensor rows(std::span<const int> ids) const;

private:
    Backend* m_backend = nullptr;
    DType m_type = DType::F32;
    HostWeight m_table;
};

}  // namespace meander
