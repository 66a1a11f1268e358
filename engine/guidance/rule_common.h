// What the rule files share: the window in which a rule acts, extrapolation from the unconditional estimate, sentences
// for idle rules, and arithmetic on rows.
#pragma once
#include <optional>

#include "engine/core/param_specs.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/blocks.h"
#include "engine/models/model.h"
#include "engine/recipe/recipe.h"

namespace meander {

// Where in the run a rule acts: whole steps ⌊from·N⌋ ≤ k < ⌊to·N⌋, and noise levels low < σ ≤ high (Kynkäänniemi et al.
// 2024) where those are set. Rules that compare with a worse network begin at ⌈from·N⌉, which keeps the first step out
// for the small `from` that is usual there.
enum class WindowStart : std::uint8_t { RoundedDown, RoundedUp };
std::vector<ParamSpec> windowParams(double from = 0, double to = 1);
// A rule that acts on the combination of the rules before it: its group and, behind its own parameters, its window.
GuidanceRule afterCombination(GuidanceRule rule);
// `params` with the window behind them.
std::vector<ParamSpec> withWindow(std::vector<ParamSpec> params);
// The maker of a rule, whose run is made of its parameters and, where it names branches, the set-up.
template <class Run> std::unique_ptr<GuidanceRun> made(const Params& p, GuidanceSetup& setup) {
    if constexpr (std::is_constructible_v<Run, const Params&, GuidanceSetup&>) return std::make_unique<Run>(p, setup);
    else return std::make_unique<Run>(p);
}
struct Window {
    explicit Window(const Params& p, WindowStart start = WindowStart::RoundedDown);
    bool holds(const GuidanceMoment& m) const;
    bool isEmpty(int steps) const;
    double from, to;
    WindowStart start;
    std::optional<double> high, low;

private:
    double first(int steps) const;
    double end(int steps) const;
};

// A parameter that may follow a curve over the steps (weight_curve.h): the list where it is given, else the constant.
struct Followed {
    Followed(const Params& p, const char* constant, const char* curve);
    double at(const GuidanceMoment& m) const;
    bool isAlways(double value) const;
    double constant;
    std::vector<double> curve;
};
// The optional list that replaces a parameter; `what`: "weight", in its help.
ParamSpec curveParam(const char* key, const char* label, double minimum, double maximum, const char* what);

// A rule that extrapolates from the unconditional estimate by a weight: u + w (c − u), or c + w (c − u) as Ho &
// Salimans first wrote it.
ParamSpec scaleParam(
    double value, const char* help = "Weight w of D_uncond + w (D_cond − D_uncond); 1 is off and costs nothing extra.");
ParamSpec formulationParam();
struct Extrapolation {
    Extrapolation(const Params& p, const GuidanceSetup& setup);
    bool acts(const GuidanceMoment& m, double weight) const {
        return isConditioned && window.holds(m) && weight != neutral();
    }
    double neutral() const { return isOriginal ? 0 : 1; }
    // The weight in u + w (c − u).
    double standard(double weight) const { return isOriginal ? weight + 1 : weight; }
    Window window;
    bool isOriginal = false, isConditioned = true;
};

// Sentences; empty when there is nothing to say.
std::string whyConditionsAreEqual(const GuidanceContext& c);  // no prompt, no class, or the same prompt twice
std::string whyWindowIsEmpty(const GuidanceContext& c);
// The levels of the run miss the rule's interval of noise levels or steps; empty for rules without a window.
std::string whyNoLevelIsInside(const Params& p, const Process& process, const std::vector<double>& levels);
std::string whyNothingFollows(const GuidanceContext& c);   // no rule after it uses the unconditional estimate
std::string whyNothingPrecedes(const GuidanceContext& c);  // no rule before it guides
// Scales that do something else than a user expects: 0 ignores the prompt, and CFG++ samplers overshoot at ordinary
// ones.
std::string scaleCaution(const GuidanceRule& rule, const GuidanceContext& c);
// The usual chain of a rule with `scale` and a window.
std::string whyExtrapolationIsIdle(const GuidanceContext& c, double weight);

// Does the recipe's sampler add noise at its settings?
bool addsNoise(const Recipe& recipe);

std::vector<double> deviationRows(const Tensor& t);  // standard deviation of each row
std::vector<double> normRows(const Tensor& t);
Tensor scaledRows(const Tensor& t, std::vector<double> factors);
Tensor mixedRows(const Tensor& a, std::vector<double> onA, const Tensor& b, std::vector<double> onB);
Tensor gatheredRows(const Tensor& t, const std::vector<std::int64_t>& rows);  // row r is t's row rows[r]
// φ·deviation(reference)/deviation(t) + 1 − φ times t, per row (Lin et al. 2024, eq. 15-16).
Tensor rescaledRows(const Tensor& t, const Tensor& reference, double phi);

// "a dog | a cat" → {"a dog", "a cat"}; blanks around are dropped, empty parts too.
std::vector<std::string> partsOf(const std::string& text);
double at(const Params& p, const char* list, std::size_t i, double fallback);  // element of a list parameter

}  // namespace meander
