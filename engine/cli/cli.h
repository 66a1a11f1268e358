// meander-run: the engine without a window. Each command is a file of its own and adds itself to the table in cli.cpp.
#pragma once

namespace meander::cli {

// The exit status: 0 done, 1 failed (one sentence on stderr), 2 wrong arguments, 130 and 143 interrupted by SIGINT and
// SIGTERM.
int run(int argc, char** argv);

}  // namespace meander::cli
