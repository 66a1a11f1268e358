// A model that is known only near recorded paths, which stands for the network in predictions: its estimate is the
// recorded one, and moves with the state,
//   D(y, τ) = D_ref(τ) + C(τ) (y − y_ref(τ)).
// C shares the displacement out among directions: the principal components of the ends of the paths, each with a share
// of its own, and one share for all that is left. A share is the regression, over the paths, of the differences of
// their estimates on the differences of their states: λ/(λ + σ²) along an axis of a Gaussian. The prediction runs the
// sampler's own code on it, so it holds for multistep samplers too and shows how errors of early steps shrink or grow
// on the way to 0.
#pragma once
#include "engine/optimise/reference_paths.h"
#include "engine/sampling/solve.h"

namespace meander {

class RecordedModel {
public:
    // The reference must outlive the model.
    explicit RecordedModel(const ReferencePaths& reference);
    explicit RecordedModel(ReferencePaths&&) = delete;
    // x̂0 of all paths, rows in their order: y (paths, d) in double precision. The model must outlive it.
    RequestEstimator estimator() const;
    // The shares at a level but the last: of every direction, then of what is left. 1 for a single path, which tells
    // nothing of others: errors are carried on as they are.
    const std::vector<double>& shares(int level) const { return m_shares[std::size_t(level)]; }
    // RMS of what arrives at the last level of a small displacement at a level, by dy/dτ = (1 − share)/τ · y in every
    // direction.
    double rmsAtEnd(const State& displacement, int level) const;

private:
    struct Place {
        std::size_t above = 0;  // index of the level at or above τ
        double share = 0;       // of the way to the next level in log τ
    };
    Place placeOf(double tau) const;
    State stateAt(const ReferencePath& path, Place at, double tau) const;
    void findGains();
    // C (displacement) in place.
    void share(State& displacement, Place at) const;

    const ReferencePaths& m_reference;
    std::vector<State> m_directions;                     // orthonormal
    std::vector<std::vector<double>> m_shares, m_gains;  // by level: at it; from it to the end
};

// Mean square over the elements of the difference between the end of every path and where the sampler is predicted to
// end with these levels. No network is called. Throws Failure as solving does.
std::vector<double> predictedErrors(const ReferencePaths& reference, const SamplerInfo& sampler, const Params& params,
                                    const std::vector<double>& levels);

}  // namespace meander
