// Other levels between the same ends: spread evenly by a measure, bent, mixed with another schedule, or moved onto the
// model's own training steps. Pure functions on levels τ that fall; a final 0 stays.
#pragma once
#include <vector>

#include "engine/process/process.h"

namespace meander::levels {

enum class Measure : std::uint8_t {
    Arc,     // length of the curve ln σ over steps, both in shares of their ranges
    Lambda,  // log-SNR
    Sigma,   // σ
};
// `intervals` steps that are equally long by the measure; of a list with a final 0 one of them is the last to 0.
std::vector<double> respaced(const std::vector<double>& levels, int intervals, Measure measure, const Process& p);
// Levels u_i = (a − τ_i^(1/from))/(a − b) under one exponent, placed by another: (A + u_i (B − A))^to (Karras et al.
// 2022, eq. 5, with its inverse); a, b, A, B of the first and the last level above 0.
std::vector<double> warped(std::vector<double> levels, double fromRho, double toRho);
// τ_i^(1 − share) · other_i^share of the levels above 0; `other` is resampled to as many.
std::vector<double> blended(std::vector<double> levels, const std::vector<double>& other, double share);
// Every level above 0 to the nearest of the model's training steps, none taken twice. Throws Failure where the model's
// time is continuous or has fewer steps.
std::vector<double> onOwnSteps(std::vector<double> levels, const Process& p);
// `intervals` steps of equal error, when the error per ln σ is that of measured intervals: `shares`[k] between
// `measured`[k] and `measured`[k + 1]. `strength` 0 keeps the levels (resampled), 1 is equal shares.
std::vector<double> equalised(const std::vector<double>& levels, int intervals, const std::vector<double>& measured,
                              const std::vector<double>& shares, double strength, const Process& p);

}  // namespace meander::levels
