// What guidance does at one step, from the two branches: C1 to C5 of the diagnostics, Δ = D_c − D_u; and the series
// that guidance rules measure themselves (Evaluation::metrics), each with its unit and how to read it. Sources:
// Kynkäänniemi et al. 2024 (interval), Castillo et al. 2023 (adaptive guidance), Sadat et al. 2024 (APG), Lin et al.
// 2023 (rescale).
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/analysis/path.h"

namespace meander {

bool hasBothBranches(const PathPoint& p);
double differenceInClean(const PathPoint& p);           // C1: RMS(Δ)
double differenceInNoise(const PathPoint& p);           // C1: RMS(Δ) · a/τ
double alignmentInClean(const PathPoint& p);            // C2: −log10(1 − cos(D_c, D_u)), at most 16
double alignmentInNoise(const PathPoint& p);            // C2 of ε_c, ε_u
double parallelShare(const PathPoint& p);               // C3: |⟨Δ, D_c⟩| / (‖Δ‖ ‖D_c‖)
double saturation(const PathPoint& p);                  // C5: std(D)/std(D_c)
double clippedShare(const PathPoint& p);                // C5: share of |D| > 1
std::vector<double> guidanceImpulse(const Path& path);  // C4

// −log10(1 − cos), computed from the difference of the unit vectors so that nearly equal ones keep their digits.
double alignment(const State& a, const State& b);

// A series that a rule measures, by the beginning of its name; what follows names the concept or member.
struct Measure {
    std::string label, unit, formula, reading;
};
// "cos a red circle" → {"Concept cosine · a red circle", "cos", …}; of an unknown name the name itself.
Measure measureOf(const std::string& name);
// Metrics of an evaluation by unique names: a second one of a name is "residual (2)".
std::vector<std::pair<std::string, const Metric*>> namedMetrics(const Evaluation& e);
// All names of a record, in order of appearance.
std::vector<std::string> measuredNames(const Trajectory& t);
// Of one image, or the mean over the images where it is defined; NaN when there is none.
double measuredValue(const Metric& m, std::optional<std::int64_t> image);

}  // namespace meander
