// meander-run in this process: its exit status and what it wrote.
#pragma once
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/cli/cli.h"

namespace meander::test {

struct Output {
    int status;
    std::string out, err;
};

inline Output call(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "meander-run");
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    std::ostringstream out, err;
    auto* oldOut = std::cout.rdbuf(out.rdbuf());
    auto* oldErr = std::cerr.rdbuf(err.rdbuf());
    const int status = cli::run(int(argv.size()), argv.data());
    std::cout.rdbuf(oldOut);
    std::cerr.rdbuf(oldErr);
    return {status, out.str(), err.str()};
}

}  // namespace meander::test
