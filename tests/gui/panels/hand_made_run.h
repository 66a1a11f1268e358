// Small finished runs whose every number is known: a red disc that grows out of grey with attention that looks at it,
// and a ring of points.
#pragma once
#include <cmath>
#include <numbers>
#include <random>

#include "engine/run/trajectory.h"

namespace meander::test {

inline double sigmaOf(int step, int steps) {
    if (step >= steps) return 0;
    const double a = std::pow(80.0, 1 / 7.0), b = std::pow(0.02, 1 / 7.0);
    return std::pow(a + (b - a) * step / std::max(1, steps - 1), 7);
}

inline bool isDisc(int x, int y, int side) {
    return std::hypot(x + 0.5 - side * 0.5, y + 0.5 - side * 0.35) < side * 0.22;
}

inline std::vector<double> cleanImage(int side) {
    std::vector<double> v;
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x)
            if (isDisc(x, y, side)) v.insert(v.end(), {0.7, -0.45, -0.55});
            else v.insert(v.end(), {-0.5, -0.15, -0.45});
    return v;
}

inline HostTensor tensorOf(const Shape& shape, const std::vector<double>& v) {
    return HostTensor::fromDoubles(shape, v);
}

inline AttentionMap attentionMap(int site, int side, int heads, double focus) {
    AttentionMap m;
    m.site = site;
    m.heads = heads;
    const int tokens = 7;  // <s> a red circle on green </s>
    std::vector<float> p;
    for (int h = 0; h < heads; ++h)
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                const bool disc = isDisc(x, y, side);
                std::vector<float> w = {1.f, 0.2f, 0.3f, 0.3f, 0.2f, 0.3f, 0.5f};
                const float strength = float(focus * (1 + h));
                if (disc) w[3] += strength, w[2] += strength * 0.6f;
                else w[5] += strength;
                float sum = 0;
                for (float v : w) sum += v;
                for (float v : w) p.push_back(v / sum);
            }
    m.probabilities = HostTensor::fromFloats({heads, side, side, tokens}, p).toF16();
    for (int h = 0; h < heads; ++h) {
        m.entropy.push_back(float(0.95 - 0.18 * h - 0.2 * focus + 0.08 * site));
        for (int k = 0; k < tokens; ++k) {
            double sum = 0;
            for (int q = 0; q < side * side; ++q) sum += p[(std::size_t(h) * side * side + q) * tokens + k];
            m.mass.push_back(float(sum / (side * side)));
        }
    }
    return m;
}

inline std::vector<Token> discTokens() {
    const char* texts[] = {"<s>", "a", "red", "circle", "on", "green", "</s>"};
    std::vector<Token> tokens;
    for (int i = 0; i < 7; ++i)
        tokens.push_back({i + 1, texts[i], i == 0 || i == 6, i == 0 || i == 6 ? -1 : i - 1, 0, 0});
    return tokens;
}

inline std::shared_ptr<Run> discRun(const std::string& id, int number, int steps, int side = 32, double bend = 1) {
    auto run = std::make_shared<Run>();
    auto t = std::make_shared<Trajectory>();
    run->id = id;
    run->number = number;
    run->status = RunStatus::Finished;
    run->recipe.prompt = "a red circle on green";
    run->recipe.steps = steps;
    run->recipe.schedule.id = number == 1 ? "karras" : "exponential";
    run->model.state.kind = StateKind::Image;
    run->model.state.shape = {side, side, 3};
    run->model.state.image = {side, side, 3};
    run->model.pixels = PixelMap();
    run->model.process = Process::varianceExploding(0.002, 80);
    run->evaluations = steps;
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    const auto clean = cleanImage(side);
    std::vector<double> noise(clean.size()), bias(clean.size());
    for (auto& v : noise) v = normal(random);
    for (auto& v : bias) v = normal(random) * 0.35;
    const Shape shape{1, side, side, 3};
    auto denoisedAt = [&](double sigma) {
        const double known = 1 / (1 + sigma * sigma / 4);
        std::vector<double> d(clean.size());
        for (std::size_t i = 0; i < d.size(); ++i) d[i] = known * clean[i] + bend * known * (1 - known) * bias[i] * 3;
        return d;
    };
    std::vector<double> state(clean.size());
    for (std::size_t i = 0; i < state.size(); ++i) state[i] = 80 * noise[i];
    t->initial = tensorOf(shape, state);
    for (int k = 0; k <= steps; ++k) t->levels.push_back(sigmaOf(k, steps));
    for (int k = 0; k < steps; ++k) {
        const double from = t->levels[std::size_t(k)], to = t->levels[std::size_t(k) + 1];
        auto e = std::make_shared<Evaluation>();
        e->index = e->step = k;
        e->tau = e->sigma = from;
        e->logSnr = run->model.process.logSnr(from);
        const auto d = denoisedAt(from);
        e->state = tensorOf(shape, state);
        e->denoised = tensorOf(shape, d);
        e->networkRows = e->rowsInCall = 1;
        e->milliseconds = 4 + k;
        auto shifted = d;
        for (auto& v : shifted) v *= 0.9;
        e->branches = {{Branch::Conditional, e->denoised}, {Branch::Unconditional, tensorOf(shape, shifted)}};
        e->guidanceWeight = 3;
        const double focus = 2.0 / (1 + from);
        e->attention = {{attentionMap(0, 8, 4, focus), attentionMap(1, 16, 4, focus * 2)}};
        t->evaluations.push_back(e);
        for (std::size_t i = 0; i < state.size(); ++i) state[i] = d[i] + (state[i] - d[i]) * to / from;
        auto s = std::make_shared<Step>();
        s->index = k;
        s->from = from;
        s->to = to;
        s->state = tensorOf(shape, state);
        t->steps.push_back(s);
    }
    t->sites = {{"down.0.attn2", 4, 8, 8, 7}, {"up.0.attn2", 4, 16, 16, 7}};
    t->tokens = discTokens();
    std::vector<float> image;
    for (double v : state) image.push_back(float(v * 0.5 + 0.5));
    run->images = HostTensor::fromFloats(shape, image);
    run->trajectory = t;
    return run;
}

// The same with a second evaluation in every step but the last, at the level where the step ends: as a Heun run with
// the same levels is recorded.
inline std::shared_ptr<Run> withCorrectors(const Run& run, const std::string& id) {
    auto result = std::make_shared<Run>(run);
    auto t = std::make_shared<Trajectory>(*run.trajectory);
    result->id = id;
    t->evaluations.clear();
    const auto& all = run.trajectory->evaluations;
    for (std::size_t k = 0; k < all.size(); ++k)
        for (std::size_t at : {k, k + 1}) {
            if (at >= all.size()) continue;
            auto e = std::make_shared<Evaluation>(*all[at]);
            e->index = int(t->evaluations.size());
            e->step = int(k);
            t->evaluations.push_back(e);
        }
    result->trajectory = t;
    return result;
}

inline std::shared_ptr<Run> ringRun(const std::string& id, int number, int steps, int particles = 240,
                                    int dimensions = 2) {
    auto run = std::make_shared<Run>();
    auto t = std::make_shared<Trajectory>();
    run->id = id;
    run->number = number;
    run->status = RunStatus::Finished;
    run->recipe.model = "analytic:ring8";
    run->recipe.steps = steps;
    run->recipe.images = particles;
    run->model.name = "Ring of eight";
    run->model.state.kind = StateKind::Points;
    run->model.state.shape = {dimensions};
    run->model.process = Process::varianceExploding(0.002, 80);
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    std::vector<double> target, state;
    for (int i = 0; i < particles; ++i) {
        const double angle = (i % 8) * std::numbers::pi / 4;
        const double at[2] = {2 * std::cos(angle) + 0.08 * normal(random), 2 * std::sin(angle) + 0.08 * normal(random)};
        for (int d = 0; d < dimensions; ++d) {
            target.push_back(at[d]);
            state.push_back(80 * normal(random));
        }
    }
    const Shape shape{particles, dimensions};
    t->initial = tensorOf(shape, state);
    for (int k = 0; k <= steps; ++k) t->levels.push_back(sigmaOf(k, steps));
    for (int k = 0; k < steps; ++k) {
        const double from = t->levels[std::size_t(k)], to = t->levels[std::size_t(k) + 1],
                     known = 1 / (1 + from * from / 4);
        std::vector<double> d(target);
        for (auto& v : d) v *= known;
        auto e = std::make_shared<Evaluation>();
        e->index = e->step = k;
        e->tau = e->sigma = from;
        e->logSnr = run->model.process.logSnr(from);
        e->state = tensorOf(shape, state);
        e->denoised = tensorOf(shape, d);
        e->networkRows = particles;
        t->evaluations.push_back(e);
        for (std::size_t i = 0; i < state.size(); ++i) state[i] = d[i] + (state[i] - d[i]) * to / from;
        auto s = std::make_shared<Step>();
        s->index = k;
        s->from = from;
        s->to = to;
        s->state = tensorOf(shape, state);
        t->steps.push_back(s);
    }
    run->trajectory = t;
    return run;
}

}  // namespace meander::test
