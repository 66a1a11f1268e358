// Bare oneDNN primitives for the library baseline.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/api/trace.h"

namespace meander::kernels {

struct BaselineCandidate {
    std::string implementation;
    std::function<void()> run;  // owns its memory
};

class DnnlBaseline {
public:
    DnnlBaseline();
    ~DnnlBaseline();
    int threads() const;
    // Implementations of an operation; never empty for Linear, Conv2d and Attention.
    std::vector<BaselineCandidate> candidates(const TracedOp& op, DType type) const;

private:
    struct State;
    std::unique_ptr<State> m;
};

}  // namespace meander::kernels
