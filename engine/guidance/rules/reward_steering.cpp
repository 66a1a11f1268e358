// Derivative-free reward steering (Li et al. 2024, SVDD-PM): particles in groups of M share a state; the sampler's
// noise makes M proposals of it, each is weighed by exp(r(x̂0)/α), and one goes on for all. The particles are images of
// the run, so the evaluation that weighs a proposal is the one the sampler steps with: nothing is spent twice.
#include <algorithm>
#include <cmath>

#include "engine/guidance/rewards.h"
#include "engine/guidance/rule_common.h"
#include "kernels/api/philox.h"

namespace meander::guidance {
namespace {

constexpr std::uint32_t choiceStream = 0x53564444;  // purpose of the random numbers

class RewardSteering final : public GuidanceRun {
public:
    RewardSteering(const Params& p, const GuidanceSetup& s)
        : m_window(p),
          m_particles(integer(p, "particles")),
          m_alpha(real(p, "alpha")),
          m_reward(makeReward(p, s.model, s.recipe)) {
        if (s.recipe.images % m_particles != 0)
            throw Failure("Reward steering makes one image of " + std::to_string(m_particles)
                          + " particles, so the number of images must be a multiple of it; the recipe has "
                          + std::to_string(s.recipe.images) + ".");
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m.isStepStart || !m_window.holds(m)) return;
        if (!m.isOwnState)
            throw Failure(
                "Reward steering selects among the states of a run, but this sampler asks at states of its own. Choose "
                "a sampler that steps from where it asks: Euler ancestral, DDIM with η 1, DPM++ 2M SDE.");
        auto values = m_reward->of(m, parts.combined);
        std::vector<double> sizes(values.size());
        parts.ancestors.resize(values.size());
        for (std::size_t first = 0; first < values.size(); first += std::size_t(m_particles))
            choose(m, values, first, sizes, parts.ancestors);
        const Tensor before = parts.combined;
        parts.combined = gatheredRows(before, parts.ancestors);
        parts.metrics.push_back({"reward", std::move(values)});
        parts.metrics.push_back({"effective sample size", std::move(sizes)});
    }

private:
    void choose(const GuidanceMoment& m, const std::vector<double>& values, std::size_t first,
                std::vector<double>& sizes, std::vector<std::int64_t>& ancestors) const {
        const auto n = std::size_t(m_particles);
        const auto begin = values.begin() + std::ptrdiff_t(first);
        const std::size_t best = std::size_t(std::max_element(begin, begin + std::ptrdiff_t(n)) - begin);
        std::vector<double> weights(n, 0.0);
        if (m_alpha > 0)
            for (std::size_t i = 0; i < n; ++i)
                weights[i] = std::exp((begin[std::ptrdiff_t(i)] - begin[std::ptrdiff_t(best)]) / m_alpha);
        else weights[best] = 1;
        double sum = 0, squares = 0;
        for (double w : weights) {
            sum += w;
            squares += w * w;
        }
        const auto random = kernels::philox4x32(std::uint32_t(m.step), 0, std::uint32_t(first / n), choiceStream,
                                                std::uint32_t(m.seed), std::uint32_t(m.seed >> 32));
        double left = (double(random.v[0]) + 0.5) / 4294967296.0 * sum;
        std::size_t chosen = best;
        for (std::size_t i = 0; i < n; ++i) {
            left -= weights[i];
            if (weights[i] > 0) chosen = i;
            if (left <= 0) break;
        }
        for (std::size_t i = 0; i < n; ++i) {
            ancestors[first + i] = std::int64_t(first + chosen);
            sizes[first + i] = sum * sum / squares;
        }
    }
    Window m_window;
    std::int64_t m_particles;
    double m_alpha;
    std::unique_ptr<Reward> m_reward;
};

std::string idle(const GuidanceContext& c) {
    if (integer(c.params, "particles") == 1) return "Reward steering has no effect with one particle.";
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    if (addsNoise(c.recipe)) return {};
    return "Reward steering has only the initial noise to choose from: the sampler adds none. Choose Euler ancestral, "
           "or an η above 0.";
}

}  // namespace

GuidanceRule rewardSteering() {
    std::vector<ParamSpec> params = {
        integerParam("particles", "Particles M", 8, 1, 1024,
                     "Images that make one image together; the number of images is a multiple."),
        realParam("alpha", "Temperature α", 0.5, 0, 1e6,
                  "Small follows the reward closely, 0 always takes the best, which costs variety.")};
    for (auto& s : rewardParams()) params.push_back(std::move(s));
    params = withWindow(std::move(params));
    return {.id = "reward_steering",
            .label = "Reward steering",
            .group = "Constraints and rewards",
            .summary = "Chooses among noisy proposals by a reward, without derivatives",
            .source = "Li et al. 2024, SVDD-PM",
            .cost = "no row, but M images make one",
            .params = params,
            .make = made<RewardSteering>,
            .idle = idle};
}

}  // namespace meander::guidance
