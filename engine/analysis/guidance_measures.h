// What guidance does at one step, from the two branches: C1 to C5 of the diagnostics. Difference Δ = D_c − D_u.
// Sources: Kynkäänniemi et al. 2024 (interval), Castillo et al. 2023 (adaptive guidance), Sadat et al. 2024 (APG), Lin
// et al. 2023 (rescale).
#pragma once
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
double quantile995(const PathPoint& p);                 // C5: 99.5-percentile of |D|
std::vector<double> guidanceImpulse(const Path& path);  // C4

// −log10(1 − cos), computed from the difference of the unit vectors so that nearly equal ones keep their digits.
double alignment(const State& a, const State& b);

}  // namespace meander
