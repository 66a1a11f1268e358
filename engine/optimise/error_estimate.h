// Errors over seeds, and whether one schedule is better than another on the same seeds.
#pragma once
#include <string>
#include <vector>

namespace meander {

// Root mean square over all elements and seeds, with the 95 % interval over the seeds.
struct ErrorEstimate {
    std::vector<double> squares;  // mean square over the elements, per seed
    double rms = 0, low = 0, high = 0;
};
ErrorEstimate errorEstimate(std::vector<double> squares);

enum class Verdict : std::uint8_t { Better, NotTold, Worse };  // NotTold: the seeds differ by more than the schedules
struct ErrorComparison {
    double saved = 0;  // 1 − error / other error; negative: worse
    Verdict verdict = Verdict::NotTold;
};
// Paired by seed: the 95 % interval of the mean difference of squares excludes 0, or does not.
ErrorComparison compared(const ErrorEstimate& own, const ErrorEstimate& other);

// Whether a predicted saving is of the size of the measured one: within a factor of 2, or both within two per cent of
// each other.
bool agrees(double predicted, double measured);

}  // namespace meander
