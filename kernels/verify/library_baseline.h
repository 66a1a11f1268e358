// The floor: how long the expensive operations of a model take as bare oneDNN primitives, each alone and warm, in the
// formats oneDNN likes best, with nothing fused but a bias. An engine cannot be much faster with that library; how much
// slower it is, is its overhead.
#pragma once
#include <string>
#include <vector>

#include "kernels/api/trace.h"

namespace meander::kernels {

struct FloorLine {
    TracedOp op;
    int count = 0;               // how often the model does it
    double milliseconds = 0;     // of one, the median
    std::string implementation;  // "brgconv:avx512_core"
};

struct FloorReport {
    DType type = DType::F32;
    int threads = 0;
    std::vector<FloorLine> lines;
    double totalMilliseconds() const;
    double milliseconds(TracedKind kind) const;
    double flops() const;
};

// Each distinct operation `repeats` times. With BF16 on a processor without fast bf16 the lines still are what oneDNN
// does there; where it refuses, F32 is measured and the implementation says so.
FloorReport measureFloor(const Trace& ops, DType type, int repeats, int threads = 0);

}  // namespace meander::kernels
