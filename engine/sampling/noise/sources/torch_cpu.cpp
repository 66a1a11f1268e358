// torch's generator on the CPU: ComfyUI's first noise, A1111 with its random source set to CPU, diffusers with CPU
// generators.
#include "engine/sampling/noise/streams.h"

namespace meander::noise {

static std::unique_ptr<NoiseSource> make(const NoiseContext& c, const Params& p) {
    const auto cpu = streamMaker(StreamKind::TorchCpu, 0);
    const bool gpuSteps = text(p, "step_noise") == "gpu";
    return sequentialNoise(c, p, cpu, gpuSteps ? streamMaker(StreamKind::TorchCuda, gpuThreads(p)) : cpu);
}

NoiseInfo torchCpu() {
    auto params = batchParams();
    params[1].choices.push_back({"gpu", "A new generator on the GPU (ComfyUI on a GPU)"});
    for (ParamSpec& s : gpuParams()) params.push_back(advanced(std::move(s)));
    return {.id = "torch_cpu",
            .label = "torch, CPU",
            .summary = "Seeds of ComfyUI, of diffusers on the CPU and of A1111 with random numbers from the CPU",
            .source = "mt19937, Matsumoto & Nishimura 1998; torch.randn",
            .params = std::move(params),
            .make = make};
}

}  // namespace meander::noise
