// A parametrization says what a network predicts. Together with the process it makes every family look the same to a
// sampler, and any prediction can be read as any other.
#pragma once
#include "engine/process/process.h"

namespace meander {

// What a network's output F means, given its native input x = s x0 + n ε at noise level τ (σ = n/s, σ_d the standard
// deviation of the data):
//   Epsilon              F = ε                     x̂0 = (x − n F)/s
//   X0                   F = x0
//   V                    F = s ε − n x0            x̂0 = (s x − n F)/(s² + n²)                    (Salimans & Ho 2022)
//   Score                F = ∇ log p = −ε/n        x̂0 = (x + n² F)/s
//   FlowVelocity         F = ε − x0 = dx/dt        x̂0 = (x − n F)/(s + n)                        time 0 data, 1 noise
//       (Esser et al. 2024)
//   FlowVelocityReversed F = x0 − ε                x̂0 = (x + n F)/(s + n)                        time 0 noise, 1 data
//       (Liu et al. 2023); told 1 − t
//   Edm                  x̂0 = c_skip X + c_out F(c_in X, ln(σ)/4), X = x/s                        (Karras et al. 2022,
//       table 1)
//   Consistency          f = c_skip X + c_out F, c_skip = σ_d²/((σ−σ_min)²+σ_d²), c_out = σ_d (σ−σ_min)/√(σ²+σ_d²): f
//       = X at σ_min   (Song et al. 2023)
//   TrigFlow             with cos t x0 + sin t z, z ~ N(0, σ_d²): f = cos t · x − sin t σ_d F(x/σ_d, t), t =
//       atan(σ/σ_d)            (Lu & Song 2025)
//   FPrediction          TrigFlow's F for data and noise of unit variance: x̂0 = cos t · x − sin t F, t = atan σ; v of
//       any process    (rCM, Zheng et al. 2025)
//   LcmEpsilon, LcmV     f = c_skip(t) x + c_out(t) x̂0(F)   (Luo et al. 2023: σ_d 0.5, timestep scaling 10), x̂0 as for
//       ε or v
enum class Parametrization : std::uint8_t {
    Epsilon,
    X0,
    V,
    Score,
    FlowVelocity,
    Edm,
    LcmEpsilon,
    LcmV,
    FlowVelocityReversed,
    Consistency,
    TrigFlow,
    FPrediction
};
inline constexpr int parametrizationCount = 12;

const char* nameOf(Parametrization p);  // "epsilon", "x0", "v", "score", "flow velocity", "EDM preconditioning", ...

// x̂0 = fromState · y + fromOutput · F; the network sees input · y and is told `time`.
struct Conversion {
    double input = 1, time = 0, fromState = 0, fromOutput = 1;
};
// Throws Failure with a sentence where F says nothing about x0 (ε and score at pure noise).
Conversion conversionAt(const Process& process, Parametrization p, double tau, double sigmaData = 0.5);

// A prediction in the basis of what it predicts: F = onX0 · x0 + onNoise · ε. determinant = s · onNoise − n · onX0,
// without cancellation: x0 and ε follow from x and F where it is not 0.
struct PredictionCoeffs {
    double x0Coeff, noiseCoeff, determinant;
};
PredictionCoeffs predictionCoeffsAt(const Process& process, Parametrization p, double tau, double sigmaData = 0.5);

// One prediction read as another, of the same state y: F_to = onState · y + onOutput · F_from. Exact also near the ends
// of time, where a detour over x0 would cancel. Throws Failure where the one does not tell the other: from ε or score
// at pure noise, from x0 at noise level 0, to the score at noise level 0, from or to a consistency output where the
// boundary holds.
struct PredictionConversion {
    double stateCoeff = 0, outputCoeff = 1;
    double operator()(double y, double output) const { return stateCoeff * y + outputCoeff * output; }
};
PredictionConversion convert(const Process& process, Parametrization from, Parametrization to, double tau,
                             double sigmaData = 0.5);

}  // namespace meander
