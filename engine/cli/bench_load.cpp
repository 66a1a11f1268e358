#include "engine/cli/bench_load.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/device_choice.h"
#include "engine/models/model.h"

namespace meander::cli {

// The first load reads the files from the disk, where they are not in memory yet; the others find them there.
int benchLoad(const LoadBench& o) {
    const auto backend = openBackend(o.device);
    std::vector<double> seconds;
    double held = 0, peak = 0;
    for (int i = 0; i <= o.repeats; ++i) {
        backend->trim();
        backend->resetPeak();
        const auto start = std::chrono::steady_clock::now();
        const auto model = valueOrThrow(loadModel(o.model, *backend, {.precision = o.precision}));
        backend->synchronize();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        held = double(backend->memoryUse().current);
        peak = double(backend->memoryUse().peak);
    }
    const double first = seconds.front();
    std::sort(seconds.begin() + 1, seconds.end());
    const double median = seconds[1 + std::size_t(o.repeats - 1) / 2], process = peakProcessBytes();
    if (o.isJson)
        printLine({{"model", o.model},
                   {"precision", o.precision},
                   {"device", backend->description()},
                   {"first_seconds", first},
                   {"seconds", median},
                   {"held_bytes", held},
                   {"peak_bytes", peak},
                   {"process_peak_bytes", process}});
    else
        std::printf("%s, %s, %s: %s at first, then %s; holds %s, peak %s on the device, %s of the process\n",
                    o.model.c_str(), o.precision.c_str(), backend->description().c_str(), secondsText(first).c_str(),
                    secondsText(median).c_str(), bytesText(held).c_str(), bytesText(peak).c_str(),
                    bytesText(process).c_str());
    return 0;
}

}  // namespace meander::cli
