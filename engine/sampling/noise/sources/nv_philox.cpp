// The stream that A1111 and stable-diffusion.cpp compute on any device: a GPU's for draws that are not larger than its
// threads.
#include "engine/sampling/noise/streams.h"

namespace meander::noise {

static std::unique_ptr<NoiseSource> make(const NoiseContext& c, const Params& p) {
    const auto nv = streamMaker(StreamKind::NvPhilox, 0);
    return sequentialNoise(c, p, nv, nv);
}

NoiseInfo nvPhilox() {
    return {.id = "nv_philox",
            .label = "NV",
            .summary = "Seeds of A1111 with random numbers \"NV\" and of stable-diffusion.cpp",
            .source = "Philox 4x32-10, Salmon et al. 2011",
            .params = batchParams(),
            .make = make};
}

}  // namespace meander::noise
