// Operators on schedules as pure functions on levels τ. All keep a final 0 where they say "levels above 0".
#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "engine/process/process.h"

namespace meander::levels {

enum class Scale : std::uint8_t { Linear, Logarithmic };

std::vector<double> reversed(std::vector<double> levels);
// Maps the levels above 0 affinely (in τ or log τ), so that the first becomes `highest` and the last above 0 `lowest`.
std::vector<double> rescaled(std::vector<double> levels, double highest, double lowest, Scale scale);
// `intervals` + 1 levels on the same curve: even positions in the list, interpolated between neighbours. With a final
// 0, the levels above it are resampled to `intervals` of them and 0 follows.
std::vector<double> resampled(const std::vector<double>& levels, int intervals, Scale scale);
// Before and after a step, which both contain the level at it.
std::pair<std::vector<double>, std::vector<double>> split(const std::vector<double>& levels, int step);
// `second` after `first`; of equal levels at the joint one stays.
std::vector<double> concatenated(std::vector<double> first, const std::vector<double>& second);
// σ times `factor` in every process: in t = σ/(1 + σ) the flow shift t' = s t/(1 + (s − 1) t). Pure noise and 0 stay.
std::vector<double> shifted(std::vector<double> levels, const Process& process, double factor);
// `passes` times: every inner level above 0 moves by `strength` towards the mean (geometric on the logarithmic scale)
// of its neighbours. Keeps order and ends.
std::vector<double> smoothed(std::vector<double> levels, double strength, int passes, Scale scale);
// Only what lies in [lowest, highest]; a bound that cuts the list becomes its end.
std::vector<double> clipped(const std::vector<double>& levels, std::optional<double> highest,
                            std::optional<double> lowest);
// `parts` − 1 levels between neighbours whose noisier one lies in [lowest, highest], at the positions that `curve`
// gives in (0, 1).
enum class Spacing : std::uint8_t { Linear, Cosine, Sine };
std::vector<double> inserted(const std::vector<double>& levels, int parts, std::optional<double> highest,
                             std::optional<double> lowest, Spacing spacing);

}  // namespace meander::levels
