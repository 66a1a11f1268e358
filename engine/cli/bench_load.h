// meander-run bench load: how long a model takes from its files to the device, and what it holds there.
#pragma once
#include <string>

namespace meander::cli {

struct LoadBench {
    std::string model, device = "auto", precision = "f32";
    int repeats = 3;
    bool isJson = false;
};
int benchLoad(const LoadBench& o);

}  // namespace meander::cli
