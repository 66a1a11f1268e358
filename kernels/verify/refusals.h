// What an operation answers to each mistake in each of its arguments: the walk over all sample calls.
#pragma once
#include <string>
#include <vector>

#include "kernels/api/backend.h"

namespace meander::kernels::verify {

struct Refusal {
    Operation operation;
    std::string mistake;   // "x missing"
    std::string sentence;  // of the std::invalid_argument; empty: accepted
};

// Calls `operation` once per argument and mistake. Anything thrown but std::invalid_argument passes through.
std::vector<Refusal> refusalsOf(Backend& backend, Operation operation);

}  // namespace meander::kernels::verify
