// Quantiles of two distributions that schedules are made of, to 64-bit accuracy.
#pragma once

namespace meander {

// Regularised incomplete beta function I_x(a, b), a, b > 0, x in [0, 1] (continued fraction, Numerical Recipes 6.4).
double betaCdf(double x, double a, double b);
// Its inverse in x: u in [0, 1].
double betaQuantile(double u, double a, double b);
// Inverse of the standard normal distribution function; ∓∞ at 0 and 1.
double normalQuantile(double u);

}  // namespace meander
