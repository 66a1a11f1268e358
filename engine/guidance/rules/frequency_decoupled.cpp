// Frequency-decoupled guidance (Sadat et al. 2025): conditional and unconditional estimates are split by a Laplacian
// pyramid and guided with a weight for each level, finest first. The pyramid is kornia's, which the authors' reference
// uses; it is linear, so only the weight on the parallel part depends on the space.
#include <algorithm>

#include "engine/guidance/grid.h"
#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

std::vector<Planes> pyramid(Planes p, std::size_t levels) {
    std::vector<Planes> list;
    for (std::size_t i = 0; i + 1 < levels; ++i) {
        Planes small = pyramidDown(p);
        const Planes wide = pyramidUp(small);
        for (std::size_t k = 0; k < p.values.size(); ++k) p.values[k] -= wide.values[k];
        list.push_back(std::move(p));
        p = std::move(small);
    }
    list.push_back(std::move(p));
    return list;
}

class FrequencyDecoupled final : public GuidanceRun {
public:
    FrequencyDecoupled(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup),
          m_scales(std::get<std::vector<double>>(p.at("scales"))),
          m_params(p),
          m_space(text(p, "space")) {
        const Shape& s = setup.model.state.shape;
        if (s.rank() != 3)
            throw Failure("Frequency-decoupled guidance splits images, but the states of '" + setup.model.name
                          + "' are points. Choose a model of images, or remove the rule.");
        if (m_scales.empty())
            throw Failure("Frequency-decoupled guidance needs at least one scale, finest level first.");
        const std::int64_t unit = std::int64_t(1) << (m_scales.size() - 1);
        if (m_scales.size() > 8 || s[0] % unit != 0 || s[1] % unit != 0)
            throw Failure("Frequency-decoupled guidance cannot halve states of " + std::to_string(s[0]) + " × "
                          + std::to_string(s[1]) + " " + std::to_string(m_scales.size() - 1)
                          + " times. Give fewer scales.");
    }
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (acts(m)) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!acts(m)) return;
        const Space s = spaceOf(m_space, m);
        auto c = pyramid(Planes::of(s.from(parts.conditional, m.state)), m_scales.size());
        const auto u = pyramid(Planes::of(s.from(parts.unconditional, m.state)), m_scales.size());
        for (std::size_t level = 0; level < c.size(); ++level)
            guideLevel(c[level], u[level], m_from.standard(m_scales[level]), at(m_params, "parallel", level, 1));
        Planes whole = std::move(c.back());
        for (std::size_t level = c.size() - 1; level-- > 0;) {
            whole = pyramidUp(whole);
            for (std::size_t k = 0; k < whole.values.size(); ++k) whole.values[k] += c[level].values[k];
        }
        parts.guide(s.back(whole.tensor(parts.conditional), m.state));
    }
    double weight(const GuidanceMoment& m) const override { return acts(m) ? m_from.standard(m_scales.back()) : 1; }

private:
    bool acts(const GuidanceMoment& m) const {
        return m_from.isConditioned && m_from.window.holds(m)
               && std::any_of(m_scales.begin(), m_scales.end(), [&](double w) { return w != m_from.neutral(); });
    }
    // c becomes u + w (parallel · along c + across c).
    static void guideLevel(Planes& c, const Planes& u, double w, double parallel) {
        const auto n = std::size_t(c.perRow());
        for (std::size_t r = 0; r < std::size_t(c.rows); ++r) {
            double* cond = c.values.data() + r * n;
            const double* uncond = u.values.data() + r * n;
            double along = 0, square = 0;
            for (std::size_t k = 0; k < n; ++k) {
                along += (cond[k] - uncond[k]) * cond[k];
                square += cond[k] * cond[k];
            }
            const double part = square > 0 ? (parallel - 1) * along / square : 0;
            for (std::size_t k = 0; k < n; ++k) cond[k] = uncond[k] + w * (cond[k] - uncond[k] + part * cond[k]);
        }
    }
    Extrapolation m_from;
    std::vector<double> m_scales;
    Params m_params;
    std::string m_space;
};

std::string idle(const GuidanceContext& c) {
    const auto& scales = std::get<std::vector<double>>(c.params.at("scales"));
    const double neutral = text(c.params, "formulation") == "original" ? 0 : 1;
    if (std::all_of(scales.begin(), scales.end(), [&](double w) { return w == neutral; }))
        return whyExtrapolationIsIdle(c, neutral);
    return whyExtrapolationIsIdle(c, neutral + 1);
}

}  // namespace

GuidanceRule frequencyDecoupled() {
    ParamSpec scales =
        listParam("scales", "Scales", 0, 50,
                  "A weight for each level of the pyramid, finest first: high on detail, low on layout and colour.");
    scales.defaultValue = std::vector<double>{10, 5};
    const std::vector<ParamSpec> params =
        withWindow({scales,
                    advanced(listParam("parallel", "Parallel weights", -10, 10,
                                       "For each level, the share of the update along the conditional "
                                       "estimate that is kept; missing ones are 1.")),
                    formulationParam(), spaceParam("x0")});
    return {.id = "frequency_decoupled",
            .label = "Frequency-decoupled guidance",
            .group = "Combination",
            .summary = "A guidance weight for each level of a pyramid of detail",
            .source = "Sadat et al. 2025",
            .cost = "one more row while it acts",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<FrequencyDecoupled>,
            .idle = idle};
}

}  // namespace meander::guidance
