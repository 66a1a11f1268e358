// Memory of the machine.
#pragma once
#include <cstddef>

namespace meander {

struct HostMemory {
    std::size_t total = 0;      // bytes; 0: unknown
    std::size_t available = 0;  // bytes that programs can still have without swapping; 0: unknown
};
HostMemory hostMemory();

}  // namespace meander
