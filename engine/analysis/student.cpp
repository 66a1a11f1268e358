#include "engine/analysis/student.h"

#include <cmath>

#include "engine/schedule/beta_quantile.h"

namespace meander {

double studentT(double confidence, double degrees) {
    // t²/(ν + t²) of Student's t with ν degrees has the distribution Beta(1/2, ν/2).
    const double b = betaQuantile(confidence, 0.5, degrees / 2);
    return std::sqrt(degrees * b / (1 - b));
}

MeanInterval meanInterval(std::span<const double> values, double confidence) {
    if (values.empty()) return {NAN, NAN, NAN};
    const double count = double(values.size());
    double mean = 0, squares = 0;
    for (const double v : values) mean += v / count;
    for (const double v : values) squares += (v - mean) * (v - mean);
    if (values.size() < 2) return {mean, mean, mean};
    const double half = studentT(confidence, count - 1) * std::sqrt(squares / (count - 1) / count);
    return {mean, mean - half, mean + half};
}

}  // namespace meander
