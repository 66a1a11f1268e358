// The names of the operations: what a trace notes, a baseline measures and a gradient belongs to.
#pragma once
#include <cstdint>

namespace meander::kernels {

enum class Operation : std::uint8_t {
#define OPERATION(Name, name, Result, ...) Name,
#include "kernels/api/operations.inl"
#undef OPERATION
};
const char* nameOf(Operation o);  // "rmsNorm"

}  // namespace meander::kernels
