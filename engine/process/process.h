// A process says how much signal and noise a state has over time. What a network predicts of it: parametrization.h.
//
// Integration coordinates. A sampler works on y = a(τ)·x0 + τ·ε with the clock τ running down to 0:
//   variance exploding / EDM   τ = σ                a = 1      native x = y
//   variance preserving        τ = σ = n/s          a = 1      native x = s·y, s = 1/√(1+σ²)        (ODE of DDIM;
//       k-diffusion's coordinates)
//   rectified flow             τ = t                a = 1 − τ  native x = y
// In all of them the probability-flow slope is dy/dτ = (y − D)/τ with D the denoised estimate x̂0, so no sampler has a
// family flag.
#pragma once
#include <limits>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/process/manifold.h"

namespace meander {

enum class ProcessKind : std::uint8_t { VarianceExploding, VariancePreserving, RectifiedFlow };

class Process {
public:
    // σ in [minimum, maximum]; the network is told σ itself.
    static Process varianceExploding(double sigmaMin, double sigmaMax);
    // Discrete training steps with cumulative signal ᾱ_k = s², k = 0 .. n−1; the network is told the (possibly
    // fractional) step. Between steps log σ is interpolated linearly in k, as k-diffusion does. A last step without any
    // signal (zero terminal SNR) would be σ = ∞; it is kept at the finite level of `terminalSignal` (terminal.h), since
    // samplers step in σ.
    static Process variancePreserving(std::vector<double> alphasCumprod, std::string scheduleName);
    static Process vpLinear(int steps, double betaStart, double betaEnd);        // β linear (DDPM)
    static Process vpScaledLinear(int steps, double betaStart, double betaEnd);  // √β linear (latent diffusion)
    static Process vpCosine(int steps, double maxBeta = 0.999);  // squared cosine (Nichol & Dhariwal 2021)
    // t in (0, 1]; the network is told timeScale · t. `shift` and `tableSteps` describe the model's table of training
    // times as tools keep it, s t/(1 + (s − 1) t) at t = k/tableSteps: they give the least noisy level and serve the
    // schedules that walk that table.
    static Process rectifiedFlow(double timeScale = 1.0, double shift = 1.0, int tableSteps = 1000);

    // The same clock on a curved space: a state at τ lies on the geodesic from data to noise, x_τ = exp_{x0}(τ
    // log_{x0}(ε)) with ε drawn from the manifold's prior. Rectified flow only; y is then not a·x0 + τ·ε, and only
    // samplers that ask the manifold step rightly.
    Process onManifold(Manifold manifold) const;
    const Manifold& manifold() const { return m_manifold; }

    ProcessKind kind() const { return m_kind; }
    std::string name() const;  // "variance preserving, scaled linear, 1000 steps"

    // The same training schedule with zero terminal SNR: √ᾱ shifted and scaled so that it starts where it did and ends
    // at 0 (Lin et al. 2024, algorithm 1). σ would be ∞ there, so the last ᾱ is `lastSignal`: 2⁻²⁴ (σ = 4096) in
    // diffusers, 4.8973451890853435e-8 (σ = 4518.8) in ComfyUI and A1111. Variance preserving only; such a model must
    // predict v or x0.
    Process withZeroTerminalSnr(double lastSignal = 0x1p-24) const;

    double maximum() const { return m_max; }  // the noisiest clock value that training saw
    double minimum() const { return m_min; }  // the least noisy one above 0

    double signal(double tau) const;                                                  // a(τ)
    double nativeScale(double tau) const;                                             // native x = nativeScale · y
    double nativeSignal(double tau) const { return nativeScale(tau) * signal(tau); }  // s(t)
    double nativeNoise(double tau) const { return nativeScale(tau) * tau; }           // n(t)
    double networkTime(double tau) const;  // what the network is told: σ, step or timeScale·t
    double tauOfTime(double networkTime) const;
    // log(s²/n²); −∞ at pure noise, +∞ at 0.
    double logSnr(double tau) const;
    // The noisiest level holds no signal that a network could see: flow, and VP with zero terminal SNR (ᾱ below 1e-7).
    bool startsFromPureNoise() const;
    double tauOfLogSnr(double lambda) const;
    // σ = n/s, the noise level in EDM coordinates; ∞ at pure noise.
    double sigma(double tau) const;
    double tauOfSigma(double sigma) const;

    int trainingSteps() const { return int(m_logSigmas.size()); }  // 0 when time is continuous
    double tauOfStep(double step) const;                           // VP only
    double timeShift() const { return m_shift; }                   // flow only; 1 elsewhere
    int tableSteps() const { return m_tableSteps; }                // flow only

private:
    ProcessKind m_kind = ProcessKind::VarianceExploding;
    std::string m_scheduleName;
    double m_min = 0.002, m_max = 80, m_timeScale = 1, m_shift = 1;
    int m_tableSteps = 1000;
    Manifold m_manifold;
    std::vector<double> m_logSigmas;
};

}  // namespace meander
