// The one way our own loops use threads: OpenMP, the pool that oneDNN uses too, so that two pools never fight.
#pragma once
#include <cstdint>
#ifndef MEANDER_SERIAL_LOOPS
#    include <omp.h>
#endif

namespace meander::kernels {

// body(index, thread) for every index in [0, count), in any order, on up to `threads` threads. The body must not throw.
// How the work is cut never depends on `threads`, so results do not either.
template <class Body> void parallelFor([[maybe_unused]] int threads, std::int64_t count, const Body& body) {
#ifndef MEANDER_SERIAL_LOOPS
    if (threads > 1 && count > 1) {
#    pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (std::int64_t i = 0; i < count; ++i) body(i, omp_get_thread_num());
        return;
    }
#endif
    for (std::int64_t i = 0; i < count; ++i) body(i, 0);
}

// body(first, last) over [0, count) in pieces of `grain`.
template <class Body> void parallelRanges(int threads, std::int64_t count, std::int64_t grain, const Body& body) {
    const std::int64_t pieces = (count + grain - 1) / grain;
    parallelFor(threads, pieces, [&](std::int64_t i, int) {
        const std::int64_t first = i * grain;
        body(first, first + grain < count ? first + grain : count);
    });
}

}  // namespace meander::kernels
