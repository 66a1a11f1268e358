#include "engine/tensor/joined_rows.h"

#include <stdexcept>

namespace meander {

HostTensor joinedRows(std::span<const HostTensor> parts) {
    if (parts.empty()) return {};
    std::vector<std::byte> bytes;
    std::int64_t rows = 0;
    for (const HostTensor& p : parts) {
        if (p.type() != parts[0].type() || p.shape().with(0, 1) != parts[0].shape().with(0, 1))
            throw std::invalid_argument("rows of other types or shapes cannot be joined");
        bytes.insert(bytes.end(), p.bytes().begin(), p.bytes().end());
        rows += p.shape()[0];
    }
    return HostTensor(parts[0].shape().with(0, rows), parts[0].type(), std::move(bytes));
}

}  // namespace meander
