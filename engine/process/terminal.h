// The noisy end of a process: training schedules that never reach pure noise start a run off their own distribution (by
// √ᾱ_T of the data), which shows as images of middling brightness. The repairs: rescale the schedule, or start from a
// better Gaussian.
#pragma once
#include <vector>

namespace meander {

// ᾱ of a step that should hold no signal. Exactly 0 has σ = ∞; programs that step in σ keep a rest, each its own:
inline constexpr double terminalSignal = 1e-8;                          // Meander: σ = 10⁴
inline constexpr double terminalSignalDiffusers = 0x1p-24;              // diffusers' solvers in σ: σ = 4096
inline constexpr double terminalSignalComfyUi = 4.8973451890853435e-8;  // ComfyUI and A1111: σ = 4518.8

// Zero terminal SNR (Lin et al. 2024, algorithm 1): √ᾱ moved and stretched so that the first stays and the last becomes
// 0, for which `last` stands. Needs a network that predicts v, x0 or a velocity; ε says nothing about the image
// there. Throws Failure unless ᾱ falls.
std::vector<double> zeroTerminalSnr(std::vector<double> alphasCumprod, double last = 0);

// The state y = a x0 + τ ε of data with mean and variance per element is, as a Gaussian, N(a mean, a² variance + τ²).
struct Gaussian1 {
    double mean = 0, variance = 1;
};
// Analytic-Init (Zhao et al. 2024): the Gaussian closest to the marginal in Kullback-Leibler divergence, per element.
Gaussian1 analyticStart(double signal, double tau, double dataMean, double dataVariance);

}  // namespace meander
