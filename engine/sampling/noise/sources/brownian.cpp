// Steps take their noise from one Brownian path between the run's levels, so a coarse and a fine schedule see the same
// path (k-diffusion's BrownianTreeNoiseSampler). What is no part of one descent (a draw at one level, a climb, the same
// interval a second time, levels outside the path or so near that the path has no length) gets normals of its own
// beside the path.
#include <algorithm>
#include <set>

#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/streams.h"

namespace meander::noise {

namespace {

const char* const kinds[] = {"torch_cpu", "nv_philox", "torch_cuda"};

StreamMaker makerOf(const std::string& id, const Params& p) {
    for (int i = 0; i < 3; ++i)
        if (id == kinds[i]) return streamMaker(StreamKind(i), gpuThreads(p));
    throw Failure("There is no stream \"" + id + "\" for a Brownian path.");
}

class Brownian final : public NoiseSource {
public:
    Brownian(const NoiseContext& c, const Params& p) : m_context(c), m_whole(text(p, "per") == "batch") {
        if (text(p, "base") == "philox") m_first = findNoise("philox")->make(c, {});
        else m_firstBatch.emplace(c, text(p, "per"), makerOf(text(p, "base"), p), c.seed);
        m_high = float(p.contains("high") ? real(p, "high") : c.tauMax);
        m_low = float(p.contains("low") ? real(p, "low") : c.tauMin);
        const auto nodes = makerOf(text(p, "nodes"), p);
        const std::uint64_t seed = c.seed + std::uint64_t(integer(p, "step_seed_delta"));
        const std::int64_t paths = m_whole || c.sharedAcrossImages ? 1 : c.shape[0], item = c.shape.rowCount();
        m_hasPath = BrownianTree::hasLength(m_low, m_high);
        for (std::int64_t i = 0; m_hasPath && i < paths; ++i)
            m_paths.emplace_back(m_low, m_high, std::size_t(m_whole ? c.shape.count() : item), seed + std::uint64_t(i),
                                 [nodes](std::uint32_t s, std::span<float> out) { nodes(s)->normals(out); });
        const std::uint64_t beside[] = {1};
        m_beside.emplace(c, text(p, "per"), nodes, seedSequence(seed, beside, 4, 1)[0]);
    }
    Tensor initial() override { return m_first ? m_first->initial() : uploadState(m_context, m_firstBatch->next()); }
    Tensor step(const NoiseRequest& q) override {
        const float from = float(q.from), to = float(q.to);
        const bool along = m_hasPath && from != to && (to > from) == m_context.rising && std::min(from, to) >= m_low
                           && std::max(from, to) <= m_high;
        if (!along || !m_seen.insert({from, to}).second) return uploadState(m_context, m_beside->next());
        const auto item = std::size_t(m_context.shape.rowCount()), images = std::size_t(m_context.shape[0]);
        std::vector<float> drawn, states(item * images);
        for (auto& path : m_paths) {
            const auto w = path.between(q.from, q.to);
            drawn.insert(drawn.end(), w.begin(), w.end());
        }
        for (std::size_t i = 0; i < images; ++i)
            intoState(std::span<const float>(drawn).subspan(m_context.sharedAcrossImages ? 0 : i * item, item),
                      std::span(states).subspan(i * item, item), m_context);
        return uploadState(m_context, states);
    }

private:
    NoiseContext m_context;
    bool m_whole, m_hasPath = false;
    float m_low = 0, m_high = 1;
    std::unique_ptr<NoiseSource> m_first;
    std::optional<Batch> m_firstBatch, m_beside;
    std::vector<BrownianNoise> m_paths;
    std::set<std::pair<float, float>> m_seen;
};

}  // namespace

static std::unique_ptr<NoiseSource> make(const NoiseContext& c, const Params& p) {
    return std::make_unique<Brownian>(c, p);
}

NoiseInfo brownian() {
    std::vector<ParamSpec> params = {
        choiceParam("base", "First noise",
                    {{"philox", "Addressed (Meander)"},
                     {"torch_cpu", "torch, CPU"},
                     {"nv_philox", "NV"},
                     {"torch_cuda", "torch, GPU"}},
                    "The stream of the first state."),
        choiceParam(
            "nodes", "Path drawn by",
            {{"torch_cpu", "torch, CPU (ComfyUI)"}, {"nv_philox", "NV (A1111 with NV)"}, {"torch_cuda", "torch, GPU"}},
            "The stream that the nodes of the path draw from."),
        choiceParam("per", "Drawn for",
                    {{"image", "Each image: seed + index (A1111)"}, {"batch", "The whole batch at once (ComfyUI)"}},
                    "One path per image, or one for the batch."),
        integerParam("step_seed_delta", "Seed delta of the path", 0, -1e9, 1e9,
                     "Added to the seed of the path; 0 in other programs.")};
    for (ParamSpec& s : gpuParams()) params.push_back(advanced(std::move(s)));
    params.push_back(
        optionalParam(realParam("high", "Path from", 1, 0, 1e9, "Noisiest level of the path; absent: the run's.", 1)));
    params.push_back(optionalParam(realParam("low", "Path to", 0, 0, 1e9,
                                             "Least noisy level of the path; absent: the run's least above 0.", 0.01)));
    return {
        .id = "brownian",
        .label = "Brownian path",
        .summary =
            "One path of noise: schedules of any length see the same, and SDE seeds of k-diffusion keep their meaning",
        .source = "torchsde's BrownianTree; Li et al. 2020; k-diffusion",
        .params = std::move(params),
        .make = make};
}

}  // namespace meander::noise
