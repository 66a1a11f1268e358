// FreSca (Huang et al. 2025): the guidance c − u scaled by one factor below and another above a cut-off frequency;
// combinations after it use the changed conditional estimate u + filtered(c − u). Low are the frequencies −n ≤ f < n of
// both sides, as in the authors' code.
#include <algorithm>

#include "engine/guidance/grid.h"
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class FreSca final : public GuidanceRun {
public:
    FreSca(const Params& p, const GuidanceSetup& setup)
        : m_window(p), m_low(real(p, "low")), m_high(real(p, "high")), m_cutoff(integer(p, "cutoff")) {
        if (setup.model.state.shape.rank() != 3)
            throw Failure("FreSca scales frequencies of images, but the states of '" + setup.model.name
                          + "' are points. Choose a model of images, or remove the rule.");
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!parts.unconditional || !m_window.holds(m) || (m_low == 1 && m_high == 1)) return;
        const Planes difference = Planes::of(combine({{1, parts.conditional}, {-1, parts.unconditional}}));
        Spectrum s = fourier(difference);
        const auto isLow = [&](std::int64_t i, std::int64_t n) {
            const std::int64_t f = i < (n + 1) / 2 ? i : i - n;
            return f >= -m_cutoff && f < m_cutoff;
        };
        for (std::int64_t r = 0, i = 0; r < difference.rows; ++r)
            for (std::int64_t y = 0; y < difference.height; ++y)
                for (std::int64_t x = 0; x < difference.width; ++x)
                    for (std::int64_t c = 0; c < difference.channels; ++c, ++i)
                        s[std::size_t(i)] *= isLow(y, difference.height) && isLow(x, difference.width) ? m_low : m_high;
        const Tensor changed = combine(
            {{1, parts.unconditional}, {1, inverseFourier(difference, std::move(s)).tensor(parts.conditional)}});
        parts.guide(changed);
        parts.conditional = changed;
    }

private:
    Window m_window;
    double m_low, m_high;
    std::int64_t m_cutoff;
};

std::string idle(const GuidanceContext& c) {
    if (real(c.params, "low") == 1 && real(c.params, "high") == 1) return "FreSca has no effect: both factors are 1.";
    if (const std::string why = whyNothingFollows(c); !why.empty()) return why;
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return whyConditionsAreEqual(c);
}

}  // namespace

GuidanceRule fresca() {
    const std::vector<ParamSpec> params = withWindow(
        {realParam("low", "Low factor", 1, 0, 10, "Factor on the guidance's low frequencies: layout and colour."),
         realParam("high", "High factor", 1.25, 0, 10, "Factor on the guidance's high frequencies: detail."),
         integerParam("cutoff", "Cut-off", 20, 1, 512,
                      "Frequencies below this many waves per side count as low; 20 suits latents of 64 and more.")});
    return {.id = "fresca",
            .label = "FreSca",
            .group = "Before a combination",
            .summary = "Scales low and high frequencies of the guidance separately",
            .source = "Huang et al. 2025",
            .cost = "nothing",
            .params = params,
            .make = made<FreSca>,
            .idle = idle};
}

}  // namespace meander::guidance
