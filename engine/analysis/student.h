// Confidence of means of few values (Student 1908).
#pragma once
#include <span>

namespace meander {

// Largest |t| of Student's distribution with `degrees` > 0 degrees of freedom at a confidence in (0, 1): 2.776 for 95 %
// and 4 degrees.
double studentT(double confidence, double degrees);

// A mean with its confidence interval; equal to it for one value, which leaves nothing to judge by.
struct MeanInterval {
    double mean = 0, low = 0, high = 0;
};
MeanInterval meanInterval(std::span<const double> values, double confidence = 0.95);

}  // namespace meander
