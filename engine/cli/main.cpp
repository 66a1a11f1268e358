#ifndef _WIN32
#    include <fcntl.h>
#endif

#include "engine/cli/cli.h"
#include "engine/core/idle_threads.h"

// A standard stream that was closed would give its number to the next file opened, and what is printed would go into
// that file. A place that only reads makes printing fail instead, which is told.
static void occupyClosedStreams() {
#ifndef _WIN32
    for (int fd = 0; fd >= 0 && fd <= 2;)
        fd = ::fcntl(fd, F_GETFD) >= 0 ? fd + 1 : ::open("/dev/null", O_RDONLY) < 0 ? -1 : fd + 1;
#endif
}

int main(int argc, char** argv) {
    occupyClosedStreams();
    meander::letIdleThreadsSleep(argv);
    return meander::cli::run(argc, argv);
}
