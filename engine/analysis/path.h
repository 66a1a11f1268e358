// The path of one image or particle through a run, as plain numbers, and its geometry. All in the integration
// coordinates of engine/process (EDM coordinates x/α for variance exploding and preserving, native ones for flows), so
// every function is the same for every family. Formulas: diff-analyzer (zju-pi) for deviation, Menger for curvature,
// Liu et al. 2022 for straightness.
#pragma once
#include <vector>

#include "engine/process/manifold.h"
#include "engine/run/trajectory.h"

namespace meander {

using State = std::vector<double>;

// One request of the sampler, by its step's first evaluation.
struct PathPoint {
    int evaluation = 0, step = 0;
    double tau = 0, sigma = 0, signal = 1;  // signal: a(τ) = τ/σ
    State state, denoised;
    State conditional, unconditional;  // empty where guidance did not evaluate both
    double weight = 1;
};

struct Path {
    std::vector<double> taus;       // of the frames
    std::vector<State> frames;      // frame 0 is the initial state, frame k + 1 the state after step k
    std::vector<PathPoint> points;  // one per step that has an evaluation
};
// On a torus, angles in [−π, π) become those of a path without jumps: each is the nearest to the one before.
Path pathOf(const Trajectory& t, std::int64_t image, ManifoldKind manifold = ManifoldKind::Euclidean);

double dot(const State& a, const State& b);
double norm(const State& a);
double rms(const State& a);  // norm / √d
double rmsDifference(const State& a, const State& b);
double cosine(const State& a, const State& b);  // NaN when one is 0

// G1: ‖(x_N − x_k) − projection onto the chord‖ per frame, and divided by the chord's length.
std::vector<double> chordDeviation(const std::vector<State>& frames);
double chordLength(const std::vector<State>& frames);
// G2: Σ‖x_{k+1} − x_k‖ / ‖x_N − x_0‖ ≥ 1.
double arcOverChord(const std::vector<State>& frames);
// G3: angle between the steps into and out of frame k, degrees; NaN at both ends.
std::vector<double> turningAngles(const std::vector<State>& frames);
// G4: 2 sin θ_k / ‖x_{k+1} − x_{k−1}‖; NaN at both ends.
std::vector<double> mengerCurvature(const std::vector<State>& frames);
// dy/dτ = (y − D)/τ of the probability-flow ODE.
State slopeAt(const PathPoint& p);
// ε̂ = (y − a D)/τ for a given clean estimate.
State noiseAt(const PathPoint& p, const State& denoised);
// G6: per step ‖chord velocity − slope‖² / ‖chord velocity‖² in integration coordinates y over τ (for a flow its own
// states over t, Liu et al. 2022); its mean weighted by Δτ is the run's straightness, 0: one Euler step suffices.
std::vector<double> straightnessIntegrand(const Path& path);
double straightness(const Path& path);
// G11: per step ‖ε̂_k − ε‖² / ‖ε‖² with ε = (y_0 − a_0 x_N)/τ_0, the noise that the run began with; its mean weighted by
// Δτ is 0 on a first-order path, which keeps ε̂ and may be curved in its states (rectified diffusion, Wang et al. 2024).
std::vector<double> firstOrdernessIntegrand(const Path& path);
double firstOrderness(const Path& path);

}  // namespace meander
