// Bare oneDNN primitives for the floor.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/api/trace.h"

namespace meander::kernels {

struct FloorCandidate {
    std::string implementation;
    std::function<void()> run;  // owns its memory
};

class FloorDnnl {
public:
    FloorDnnl();
    ~FloorDnnl();
    int threads() const;
    // Ways to do it; never empty for Linear, Conv and Attention.
    std::vector<FloorCandidate> candidates(const TracedOp& op, DType type) const;

private:
    struct State;
    std::unique_ptr<State> m;
};

}  // namespace meander::kernels
