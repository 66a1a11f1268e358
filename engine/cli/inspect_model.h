// What meander-run inspect tells of a model: its card, and the tensors of a file of weights.
#pragma once
#include <string>

namespace meander::cli {

struct ModelQuestion {
    std::string source;   // id or path
    bool isJson = false;  // one object a line
    bool wantsTensors = false;
    std::string pattern;  // of the tensors' names, "*" for anything; empty: all
};
// Throws Failure.
void inspectTheModel(const ModelQuestion& question);

}  // namespace meander::cli
