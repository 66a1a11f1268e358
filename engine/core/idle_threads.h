// Worker threads that wait for the next parallel loop must not burn a core: the window and other programs need it. The
// OpenMP runtime reads how to wait from the environment before main, so the program starts itself once more with the
// answer in place (about 2 ms). What the user has set is left alone.
#pragma once
#ifdef __linux__
#    include <cstdlib>
#    include <unistd.h>
#endif

namespace meander {

inline void letIdleThreadsSleep([[maybe_unused]] char** argv) {
#ifdef __linux__
    if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
    setenv("GOMP_SPINCOUNT", "5000",
           1);  // some microseconds: long enough between two loops of a network, short for everything else
    execv("/proc/self/exe", argv);  // comes back only when it failed; then everything works, but spins
#endif
}

}  // namespace meander
