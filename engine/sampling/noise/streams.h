// What the sources that imitate other programs share: streams by name, how a batch is drawn from them, and the order of
// an image's elements.
#pragma once
#include <functional>
#include <memory>
#include <span>

#include "engine/sampling/noise/noise.h"

namespace meander::noise {

// Standard normals in the order of one generator.
class Stream {
public:
    virtual ~Stream() = default;
    virtual void normals(std::span<float> out) = 0;
};
using StreamMaker = std::function<std::unique_ptr<Stream>(std::uint64_t seed)>;

enum class StreamKind : std::uint8_t { TorchCpu, NvPhilox, TorchCuda };
// `threads`: of the GPU, for TorchCuda.
StreamMaker streamMaker(StreamKind kind, std::int64_t threads);

// Parameters "gpu", "multiprocessors" and "threads_per_multiprocessor", and what they say.
std::vector<ParamSpec> gpuParams();
std::int64_t gpuThreads(const Params& p);
// Parameters "per", "step_noise" and "step_seed_delta".
std::vector<ParamSpec> batchParams();

// One item of (channels, height, width) as its state (height, width, channels); other states as they are.
void intoState(std::span<const float> drawn, std::span<float> state, const NoiseContext& c);
Tensor uploadState(const NoiseContext& c, std::span<const float> values);

// One generator per image with seed + index, one for the whole batch, or one that draws image after image.
class Batch {
public:
    Batch(const NoiseContext& c, std::string per, const StreamMaker& make, std::uint64_t seed);
    // The next draw of all images, in state order.
    std::vector<float> next();

private:
    const NoiseContext m_context;
    std::string m_per;
    std::vector<std::unique_ptr<Stream>> m_streams;
};

// The first state from one stream; steps go on with it or start another.
std::unique_ptr<NoiseSource> sequentialNoise(const NoiseContext& c, const Params& p, const StreamMaker& initial,
                                             const StreamMaker& steps);

}  // namespace meander::noise
