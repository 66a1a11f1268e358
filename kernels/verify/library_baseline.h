// The library baseline (`bench floor`): the time of a model's expensive operations as bare oneDNN primitives, each
// alone and warm, in the formats that oneDNN prefers, with nothing fused but a bias. An engine on that library cannot
// be much faster; the difference is the engine's overhead.
#pragma once
#include <string>
#include <vector>

#include "kernels/api/trace.h"

namespace meander::kernels {

struct BaselineLine {
    TracedOp op;
    int count = 0;               // calls per forward pass of the model
    double milliseconds = 0;     // of one call, the median
    std::string implementation;  // "brgconv:avx512_core"
};

struct BaselineReport {
    DType type = DType::F32;
    int threads = 0;
    std::vector<BaselineLine> lines;
    double totalMilliseconds() const;
    double milliseconds(Operation kind) const;
    double flops() const;
};

// Measures each distinct operation `repeats` times in `type`. Where oneDNN has no bf16 primitive on this processor, F32
// is measured and `implementation` ends in "(f32)".
BaselineReport measureBaseline(const Trace& ops, DType type, int repeats, int threads = 0);

}  // namespace meander::kernels
