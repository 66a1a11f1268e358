// RePaint (Lugmayr et al. 2022, algorithm 1): the known part of the state is taken from the data, noised to each level;
// the rest is sampled. Every few levels the state is noised back up and sampled again, so that both parts come to
// agree. Several forward steps are one Gaussian, so a jump is drawn at once.
#include <cmath>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

// Jumps follow arrivals at the last level before clean and every `jump` levels above it that leave room (the authors'
// schedule).
static bool jumpsAt(int level, int steps, int jump) {
    return level < steps && level >= jump && (steps - 1 - level) % jump == 0;
}

static int requests(int step, int steps, const Params& p) {
    const int jump = int(integer(p, "jump_length")), again = int(integer(p, "resamples")) - 1;
    return jumpsAt(step + 1, steps, jump) ? 1 + again * jump : 1;
}

// 1 for every number of the state that is known: outside the box for grids, by the list for points.
static std::vector<double> knownPart(const Sampling& s) {
    const Shape shape = s.x.shape();
    const auto n = std::size_t(shape.rowCount());
    std::vector<double> mask(n, 1.0);
    const auto& box = std::get<std::vector<double>>(s.params.at("box"));
    const auto& known = std::get<std::vector<double>>(s.params.at("known"));
    const auto at = [](const std::vector<double>& v, std::size_t i, double otherwise) {
        return i < v.size() ? v[i] : otherwise;
    };
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (shape.rank() != 4) {
            mask[i] = at(known, i, 1);
            continue;
        }
        const auto pixel = std::int64_t(i) / shape[3];
        const double y = (double(pixel / shape[2]) + 0.5) / double(shape[1]) - at(box, 1, 0.25),
                     x = (double(pixel % shape[2]) + 0.5) / double(shape[2]) - at(box, 0, 0.25);
        if (x >= 0 && y >= 0 && x < at(box, 2, 0.5) && y < at(box, 3, 0.5)) mask[i] = 0;
    }
    for (auto i = n; i < std::size_t(s.x.count()); ++i) mask.push_back(mask[i - n]);
    return mask;
}

static SamplerTask run(Sampling& s) {
    if (!s.clean) throw Failure("RePaint keeps a part of given data: start the run from data or from another run.");
    const int jump = int(integer(s.params, "jump_length")), resamples = int(integer(s.params, "resamples"));
    const double eta = real(s.params, "eta");
    std::vector<std::vector<double>> parts(2, knownPart(s));  // of the sampled and of the known state
    for (double& m : parts[0]) m = 1 - m;
    const auto joined = [&](const Tensor& sampled, const Tensor& known) {  // number by number
        const Shape all{s.x.count(), 1};
        const Tensor both[] = {sampled.reshaped(all), known.reshaped(all)};
        return combineRows(both, parts).reshaped(s.x.shape());
    };
    for (auto [from, to] : s.intervals()) {
        Tensor y = s.x;
        int draw = 0;
        // The interval itself, then as often as wanted: up by `jump` levels and down again.
        const int passes = jumpsAt(to.index, s.steps(), jump) ? resamples : 1;
        for (int pass = 0; pass < passes; ++pass) {
            const int top = pass == 0 ? from.index : to.index - jump;
            if (pass > 0) {
                const auto up = s.ancestralVia(to, s.levels()[std::size_t(top)]);
                y = up.scale * y + up.noiseStd * s.noise(to, s.levels()[std::size_t(top)], draw++);
            }
            for (int k = top; k < to.index; ++k) {
                const double high = s.levels()[std::size_t(k)], low = s.levels()[std::size_t(k) + 1];
                const Tensor d = co_await s.denoise(y, high, low);
                // DDIM with a share η of the posterior's noise
                const auto [direction, noiseStd] = posteriorSplit(s, high, low, eta);
                Tensor sampled = s.signal(low) * d + direction * s.noiseEstimate(y, d, high);
                if (noiseStd > 0) sampled = sampled + noiseStd * s.noise(high, low, draw++);
                const Tensor known =
                    low > 0 ? Tensor(s.signal(low) * s.clean + low * s.noise(high, low, draw++)) : s.clean;
                y = joined(sampled, known);
            }
        }
        s.advance(y, to);
    }
}

SamplerInfo repaint() {
    ParamSpec box = listParam("box", "Box", 0, 1,
                              "The part to be painted as left, top, width and height, in parts of the image, on the "
                              "grid of the states. Start with strength 1 to paint it from noise alone.");
    box.defaultValue = std::vector<double>{0.25, 0.25, 0.5, 0.5};
    return {
        .id = "repaint",
        .label = "RePaint",
        .summary = "Paints a part of given data anew, going back up to make it fit the rest",
        .source = "Lugmayr et al. 2022, algorithm 1",
        .group = "Stochastic",
        .params = {box,
                   listParam("known", "Known", 0, 1, "For points: 1 where a coordinate is known; missing ones are 1."),
                   integerParam("jump_length", "Jump", 10, 1, 100, "Levels by which the state is noised back up."),
                   integerParam("resamples", "Resamples", 10, 1, 20,
                                "How often each stretch is sampled; 1 goes straight down."),
                   etaParam(1, "Share of fresh noise in the painted part: 1 as the paper, 0 deterministic steps.")},
        .order = 0,
        .stochastic = true,
        .needsData = true,
        .run = run,
        .requestsInStep = requests,
        .draws = [](const Params&) { return true; }};  // for the known part, whatever η is
}

}  // namespace meander::sampler
