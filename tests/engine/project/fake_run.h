// Small runs with everything a record can hold, for tests of the store.
#pragma once
#include <random>

#include "engine/run/trajectory.h"

namespace meander::fake {

inline HostTensor noise(Shape shape, unsigned seed, bool isHalf = false) {
    std::mt19937 source(seed);
    std::normal_distribution<float> normal;
    std::vector<float> v(std::size_t(shape.count()));
    for (auto& x : v) x = normal(source);
    const auto t = HostTensor::fromFloats(shape, v);
    return isHalf ? t.toF16() : t;
}

inline Run run(unsigned seed, int steps = 4, int images = 2, int side = 6) {
    Run r;
    r.id = newRunId();
    r.number = int(seed);
    r.recipe.prompt = "a red circle \"above\" a blue square, ünïcode";
    r.recipe.steps = steps;
    r.recipe.seed = 0xFFFFFFFFFFFFFFFFu - seed;
    r.recipe.guidance = {{"cfg", {{"weight", 4.5}}}};
    r.status = RunStatus::Running;
    r.created = nowUtc();
    r.seconds = 1.25;
    r.device = "CPU";
    r.model.id = r.recipe.model;
    r.model.name = "Sprites U-Net";
    r.model.process = Process::vpCosine(100);
    r.model.state.shape = {side, side, 3};
    r.model.state.image = {side, side, 3};
    r.model.pixels = PixelMap();
    auto t = std::make_shared<Trajectory>();
    t->initial = noise({images, side, side, 3}, seed);
    t->sites = {{"down.0.attn2", 2, 3, 3, 5}, {"up.0.attn2", 4, 6, 6, 5}};
    t->tokens = {{0, "<start>", true, -1, 0, 0}, {7, "circle", false, 0, 0, 6}};
    for (int k = 0; k <= steps; ++k) t->levels.push_back(double(steps - k) / steps);
    for (int k = 0; k < steps; ++k) {
        auto e = std::make_shared<Evaluation>();
        e->index = e->step = k;
        e->tau = t->levels[std::size_t(k)];
        e->sigma = k == 0 ? std::numeric_limits<double>::infinity() : e->tau;
        e->logSnr = k == 0 ? -std::numeric_limits<double>::infinity() : -std::log(e->tau);
        e->state = t->stateAt(k);
        e->denoised = noise({images, side, side, 3}, seed * 100 + unsigned(k));
        e->branches = {{Branch::Conditional, noise({images, side, side, 3}, seed * 100 + unsigned(k) + 50)},
                       {Branch::Unconditional, noise({images, side, side, 3}, seed * 100 + unsigned(k) + 60)}};
        e->branches.push_back({Branch(Branch::Changed, 1),
                               noise({images, side, side, 3}, seed * 100 + unsigned(k) + 70),
                               "identity attention: mid_block"});
        e->metrics = {{"cos a red circle", std::vector<double>(std::size_t(images), 0.25 * k)},
                      {"effective sample size", std::vector<double>(std::size_t(images), 3.5)}};
        if (k == 1) e->ancestors.assign(std::size_t(images), 0);
        e->guidanceWeight = 4.5;
        e->milliseconds = 3.5;
        e->networkRows = 2 * images;
        for (int i = 0; i < images; ++i)
            e->attention.push_back(
                {{0, 2, noise({2, 3, 3, 5}, seed + unsigned(i), true), {0.5f, 0.25f}, std::vector<float>(10, 0.2f)},
                 {1,
                  4,
                  noise({4, 6, 6, 5}, seed + 9u, true),
                  {0.5f, 0.25f, 0.1f, 1.0f},
                  std::vector<float>(20, 0.2f)}});
        t->evaluations.push_back(e);
        auto s = std::make_shared<Step>();
        s->index = k;
        s->from = t->levels[std::size_t(k)];
        s->to = t->levels[std::size_t(k) + 1];
        s->state = noise({images, side, side, 3}, seed * 1000 + unsigned(k));
        s->stochastic = k % 2 == 1;
        t->steps.push_back(s);
    }
    r.trajectory = t;
    r.images = noise({images, side, side, 3}, seed + 7);
    return r;
}

// The same run, done.
inline Run finished(Run r) {
    r.status = RunStatus::Finished;
    r.evaluations = 2 * r.recipe.steps;
    r.networkCalls = r.recipe.steps;
    return r;
}

// The beginning of a run as the engine tells it: no evaluations yet.
inline Run begun(const Run& r) {
    Run b = r;
    auto t = std::make_shared<Trajectory>(*r.trajectory);
    t->evaluations.clear();
    t->steps.clear();
    b.trajectory = t;
    b.status = RunStatus::Running;
    b.images = {};
    return b;
}

inline bool same(const Trajectory& a, const Trajectory& b) {
    if (a.levels != b.levels || !a.initial.sameBits(b.initial) || a.evaluations.size() != b.evaluations.size()
        || a.steps.size() != b.steps.size() || a.sites.size() != b.sites.size() || a.tokens.size() != b.tokens.size())
        return false;
    for (std::size_t i = 0; i < a.steps.size(); ++i)
        if (!a.steps[i]->state.sameBits(b.steps[i]->state) || a.steps[i]->stochastic != b.steps[i]->stochastic
            || a.steps[i]->to != b.steps[i]->to)
            return false;
    for (std::size_t i = 0; i < a.evaluations.size(); ++i) {
        const auto &x = *a.evaluations[i], &y = *b.evaluations[i];
        if (x.step != y.step || x.tau != y.tau || x.sigma != y.sigma || x.logSnr != y.logSnr
            || x.guidanceWeight != y.guidanceWeight || !x.state.sameBits(y.state) || !x.denoised.sameBits(y.denoised))
            return false;
        if (x.branches.size() != y.branches.size() || x.attention.size() != y.attention.size()
            || x.ancestors != y.ancestors || x.metrics.size() != y.metrics.size())
            return false;
        for (std::size_t k = 0; k < x.metrics.size(); ++k)
            if (x.metrics[k].name != y.metrics[k].name || x.metrics[k].values != y.metrics[k].values) return false;
        for (std::size_t k = 0; k < x.branches.size(); ++k)
            if (x.branches[k].branch != y.branches[k].branch || x.branches[k].label != y.branches[k].label
                || !x.branches[k].denoised.sameBits(y.branches[k].denoised))
                return false;
        for (std::size_t k = 0; k < x.attention.size(); ++k) {
            if (x.attention[k].size() != y.attention[k].size()) return false;
            for (std::size_t m = 0; m < x.attention[k].size(); ++m) {
                const auto &p = x.attention[k][m], &q = y.attention[k][m];
                if (p.site != q.site || p.heads != q.heads || p.entropy != q.entropy || p.mass != q.mass
                    || !p.probabilities.sameBits(q.probabilities))
                    return false;
            }
        }
    }
    return true;
}

}  // namespace meander::fake
