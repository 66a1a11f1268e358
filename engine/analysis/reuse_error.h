// What reuse inside the network (GuidanceRule::reuses) costs: a run beside its partner, the run of the same recipe and
// seed that computes everything.
#pragma once
#include <optional>
#include <vector>

#include "engine/run/trajectory.h"

namespace meander {

// Is `other` the partner of `run`? Nothing is the partner of a run that reuses nothing.
bool isPartner(const Run& other, const Run& run);

struct ReuseError {
    std::vector<double> rms;  // of x̂0, by the evaluation of each step; NaN where one of both has none
    double finalRms = 0;      // of the last state
    double psnr = 0;          // of the images, or of the last states where there are none, dB; ∞ when they are equal
    double savedWork = 0;     // share of the network's work
    double saved = 0;         // evaluations' worth of it
    std::optional<double> savedTime;  // share of the time that the network calls took; none: not measured
};
// `image`: one of them; none: all together. `range` of clean states, for PSNR. Equal numbers of images.
ReuseError reuseError(const Trajectory& reusing, const Trajectory& whole, std::optional<std::int64_t> image = {},
                      double range = 2);

}  // namespace meander
