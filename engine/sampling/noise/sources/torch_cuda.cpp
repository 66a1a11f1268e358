// torch's generator on a named GPU: A1111 with its random source set to GPU, diffusers with GPU generators.
#include "engine/sampling/noise/streams.h"

namespace meander::noise {

static std::unique_ptr<NoiseSource> make(const NoiseContext& c, const Params& p) {
    const auto gpu = streamMaker(StreamKind::TorchCuda, gpuThreads(p));
    return sequentialNoise(c, p, gpu, gpu);
}

NoiseInfo torchCuda() {
    auto params = gpuParams();
    for (ParamSpec& s : batchParams()) params.push_back(std::move(s));
    return {.id = "torch_cuda",
            .label = "torch, GPU",
            .summary = "Seeds as a GPU of your choice draws them: for large images the model of the GPU matters",
            .source = "Philox 4x32-10; torch.randn on CUDA",
            .params = std::move(params),
            .make = make};
}

}  // namespace meander::noise
