#include "engine/cli/cli.h"
#include "engine/core/idle_threads.h"

int main(int argc, char** argv) {
    meander::letIdleThreadsSleep(argv);
    return meander::cli::run(argc, argv);
}
