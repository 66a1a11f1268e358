#pragma once

namespace meander::emulator {

// What was done since the module was loaded, for tests: by `meanderEmulatorCounts`, which the module exports.
struct Counts {
    long launches = 0, allocations = 0, copies = 0, waits = 0;
};

}  // namespace meander::emulator
