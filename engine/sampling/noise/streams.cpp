#include "engine/sampling/noise/streams.h"

#include "engine/sampling/noise/torch_random.h"

namespace meander::noise {

namespace {

template <class Random> class StreamOf final : public Stream {
public:
    explicit StreamOf(Random random) : m_random(std::move(random)) {}
    void normals(std::span<float> out) override { m_random.normals(out); }

private:
    Random m_random;
};

class Sequential final : public NoiseSource {
public:
    Sequential(const NoiseContext& c, const Params& p, const StreamMaker& initial, const StreamMaker& steps)
        : m_context(c), m_first(c, text(p, "per"), initial, c.seed) {
        if (text(p, "step_noise") != "continue")
            m_steps.emplace(c, text(p, "per"), steps, c.seed + std::uint64_t(integer(p, "step_seed_delta")));
    }
    Tensor initial() override { return uploadState(m_context, m_first.next()); }
    Tensor step(const NoiseRequest&) override { return uploadState(m_context, (m_steps ? *m_steps : m_first).next()); }
    void skip(int draws) override {
        for (int i = 0; i < draws; ++i) (m_steps ? *m_steps : m_first).next();
    }

private:
    NoiseContext m_context;
    Batch m_first;
    std::optional<Batch> m_steps;
};

}  // namespace

StreamMaker streamMaker(StreamKind kind, std::int64_t threads) {
    switch (kind) {
    case StreamKind::TorchCpu:
        return [](std::uint64_t seed) { return std::make_unique<StreamOf<TorchCpuRandom>>(TorchCpuRandom(seed)); };
    case StreamKind::NvPhilox:
        return [](std::uint64_t seed) { return std::make_unique<StreamOf<TorchCudaRandom>>(TorchCudaRandom(seed)); };
    case StreamKind::TorchCuda:
        return [threads](std::uint64_t seed) {
            return std::make_unique<StreamOf<TorchCudaRandom>>(TorchCudaRandom(seed, threads));
        };
    }
    throw Failure("There is no such stream of random numbers.");
}

std::vector<ParamSpec> gpuParams() {
    std::vector<ParamChoice> named;
    for (const Gpu& g : gpus()) named.push_back({g.id, g.label});
    named.push_back({"custom", "Another, by its numbers"});
    return {
        choiceParam("gpu", "GPU", std::move(named),
                    "The GPU whose order of drawing is imitated; it matters for draws of more numbers than the GPU has "
                    "threads."),
        advanced(integerParam("multiprocessors", "Multiprocessors", 108, 1, 1024,
                              "Of another GPU: number of streaming multiprocessors.")),
        advanced(integerParam("threads_per_multiprocessor", "Threads of one", 2048, 256, 4096,
                              "Of another GPU: most resident threads of one multiprocessor (1024, 1536 or 2048)."))};
}

std::int64_t gpuThreads(const Params& p) {
    for (const Gpu& g : gpus())
        if (g.id == text(p, "gpu")) return drawingThreads(g.multiprocessors, g.threadsPerMultiprocessor);
    return drawingThreads(integer(p, "multiprocessors"), integer(p, "threads_per_multiprocessor"));
}

std::vector<ParamSpec> batchParams() {
    return {choiceParam("per", "Drawn for",
                        {{"image", "Each image: seed + index (A1111, diffusers)"},
                         {"batch", "The whole batch at once (ComfyUI)"},
                         {"sequence", "One generator, image after image (ComfyUI with batch indices)"}},
                        "One generator per image makes an image independent of how many are drawn beside it; one "
                        "for all does not."),
            choiceParam("step_noise", "Noise of steps",
                        {{"continue", "The same generator goes on (A1111, diffusers)"},
                         {"restart", "A new generator (ComfyUI; A1111 with a seed delta)"}},
                        "Where stochastic samplers take the noise that they add."),
            integerParam("step_seed_delta", "Seed delta of steps", 0, -1e9, 1e9,
                         "Added to the seed of the new generator: ComfyUI 1 on the CPU and 0 on a GPU, A1111 its \"eta "
                         "noise seed delta\".")};
}

void intoState(std::span<const float> drawn, std::span<float> state, const NoiseContext& c) {
    if (!c.isImage || c.shape.rank() != 4) {
        std::copy(drawn.begin(), drawn.end(), state.begin());
        return;
    }
    const auto pixels = std::size_t(c.shape[1] * c.shape[2]), channels = std::size_t(c.shape[3]);
    for (std::size_t k = 0; k < channels; ++k)
        for (std::size_t i = 0; i < pixels; ++i) state[i * channels + k] = drawn[k * pixels + i];
}

Tensor uploadState(const NoiseContext& c, std::span<const float> values) {
    return upload(c.backend, HostTensor::fromFloats(c.shape, values)).converted(c.type);
}

Batch::Batch(const NoiseContext& c, std::string per, const StreamMaker& make, std::uint64_t seed)
    : m_context(c), m_per(std::move(per)) {
    const std::int64_t generators = m_per != "image" || c.sharedAcrossImages ? 1 : c.shape[0];
    for (std::int64_t i = 0; i < generators; ++i) m_streams.push_back(make(seed + std::uint64_t(i)));
}

std::vector<float> Batch::next() {
    const auto item = std::size_t(m_context.shape.rowCount()), images = std::size_t(m_context.shape[0]);
    std::vector<float> drawn(item * images), states(item * images);
    if (m_per == "batch") m_streams.front()->normals(drawn);
    else
        for (std::size_t i = 0; i < (m_context.sharedAcrossImages ? 1 : images); ++i)
            m_streams[m_per == "sequence" ? 0 : i]->normals(std::span(drawn).subspan(i * item, item));
    for (std::size_t i = 0; i < images; ++i)
        intoState(std::span<const float>(drawn).subspan(m_context.sharedAcrossImages ? 0 : i * item, item),
                  std::span(states).subspan(i * item, item), m_context);
    return states;
}

std::unique_ptr<NoiseSource> sequentialNoise(const NoiseContext& c, const Params& p, const StreamMaker& initial,
                                             const StreamMaker& steps) {
    return std::make_unique<Sequential>(c, p, initial, steps);
}

}  // namespace meander::noise
