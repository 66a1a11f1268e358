// The noise of the run that this one branches from, whatever seed and settings say now. A plan writes out what that is.
#include "engine/sampling/noise/noise.h"

namespace meander::noise {

NoiseInfo recorded() {
    return {.id = "recorded",
            .label = "As in the parent run",
            .summary = "Keeps the parent's noise while prompt, seed or sampler change",
            .source = "Wu & De la Torre 2023 (replayed noise)"};
}

}  // namespace meander::noise
