// Rules after a combination that scale the noise estimate ε̂ = (y − a x̂0)/τ as a whole, x̂0' = y/a + r (x̂0 − y/a):
// against exposure bias, and for a narrower or wider distribution.
#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

class ScoreScaling : public GuidanceRun {
public:
    explicit ScoreScaling(const Params& p) : m_window(p) {}
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        const double a = m.signal();
        if (!m_window.holds(m) || a <= 0) return;  // at pure noise ε̂ says nothing about x̂0
        const double r = factor(a * a / (m.tau * m.tau));
        if (r != 1) parts.combined = combine({{r, parts.combined}, {(1 - r) / a, m.state}});
    }

private:
    virtual double factor(double snr) const = 0;
    Window m_window;
};

class EpsilonScaling final : public ScoreScaling {
public:
    explicit EpsilonScaling(const Params& p) : ScoreScaling(p), m_divisor(real(p, "divisor")) {}

private:
    double factor(double) const override { return 1 / m_divisor; }
    double m_divisor;
};

// The ratio of the scores of Gaussian data of variance σ²/k and σ², both with noise.
class TemporalScoreRescaling final : public ScoreScaling {
public:
    explicit TemporalScoreRescaling(const Params& p)
        : ScoreScaling(p), m_k(real(p, "k")), m_variance(real(p, "sigma") * real(p, "sigma")) {}

private:
    double factor(double snr) const override { return (snr * m_variance + 1) / (snr * m_variance / m_k + 1); }
    double m_k, m_variance;
};

}  // namespace

GuidanceRule epsilonScaling() {
    return afterCombination(
        {.id = "epsilon_scaling",
         .label = "Epsilon scaling",
         .group = {},
         .summary = "Divides the noise estimate by a constant, which sampling makes a little too long",
         .source = "Ning et al. 2024",
         .cost = "nothing",
         .params = {realParam("divisor", "Divisor λ", 1.005, 0.5, 2,
                              "Slightly above 1 counters the growth of ε̂ along a run; 1 is off.", 0.001)},
         .make = made<EpsilonScaling>,
         .idle = [](const GuidanceContext& c) {
             return real(c.params, "divisor") == 1 ? std::string("Epsilon scaling has no effect at 1.")
                                                   : whyWindowIsEmpty(c);
         }});
}

GuidanceRule temporalScoreRescaling() {
    return afterCombination(
        {.id = "temporal_score_rescaling",
         .label = "Temporal score rescaling",
         .group = {},
         .summary = "Samples a narrower or wider distribution around the same modes without more steps",
         .source = "Xu et al. 2025",
         .cost = "nothing",
         .params = {realParam("k", "k", 1.05, 0.1, 10,
                              "Above 1 narrows each mode, below 1 widens it; 1 is off. A Gaussian of variance σ² "
                              "becomes one of σ²/k.",
                              0.01),
                    realParam("sigma", "σ of a mode", 1, 0.01, 100,
                              "Deviation of the data within a mode; small acts late in a run.", 0.05)},
         .make = made<TemporalScoreRescaling>,
         .idle = [](const GuidanceContext& c) {
             return real(c.params, "k") == 1 ? std::string("Temporal score rescaling has no effect at k = 1.")
                                             : whyWindowIsEmpty(c);
         }});
}

}  // namespace meander::guidance
