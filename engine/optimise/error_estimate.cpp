#include "engine/optimise/error_estimate.h"

#include <algorithm>
#include <cmath>

#include "engine/analysis/student.h"

namespace meander {

ErrorEstimate errorEstimate(std::vector<double> squares) {
    const MeanInterval m = meanInterval(squares);
    return {std::move(squares), std::sqrt(m.mean), std::sqrt(std::max(0.0, m.low)), std::sqrt(m.high)};
}

ErrorComparison compared(const ErrorEstimate& own, const ErrorEstimate& other) {
    ErrorComparison c;
    c.saved = other.rms > 0 ? 1 - own.rms / other.rms : own.rms > 0 ? -INFINITY : 0;
    const std::size_t seeds = std::min(own.squares.size(), other.squares.size());
    if (seeds < 2) return c;
    std::vector<double> differences;
    for (std::size_t i = 0; i < seeds; ++i) differences.push_back(own.squares[i] - other.squares[i]);
    const MeanInterval m = meanInterval(differences);
    if (m.high < 0) c.verdict = Verdict::Better;
    else if (m.low > 0) c.verdict = Verdict::Worse;
    return c;
}

bool agrees(double predicted, double measured) {
    if (std::abs(predicted - measured) <= 0.02) return true;
    return predicted * measured > 0 && std::abs(predicted) <= 2 * std::abs(measured)
           && std::abs(measured) <= 2 * std::abs(predicted);
}

}  // namespace meander
