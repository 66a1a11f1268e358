// Exact models of a few weighted points on a sphere, a torus or a hyperboloid: the denoised point exp_x(E[log_x(x0) |
// x]) in closed form, for Riemannian flows and for mixtures of Brownian bridges. What Mixture is to flat space.
#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "engine/models/analytic/bridge_kernels.h"
#include "engine/models/model.h"
#include "engine/models/model_id.h"

namespace meander {

// log density at x of the manifold's prior contracted by κ towards the centre; nothing where no point contracts to x. A
// small κ puts the point that does so far out on the hyperboloid (cosh(710) is the end of the numbers) that only its
// distance from the apex is formed: R + log(c0 + u0), R its distance from the centre, u the direction there.
std::optional<double> logContractedPrior(const Manifold& m, std::span<const double> centre, std::span<const double> x,
                                         double kappa);

class ManifoldModel final : public Model {
public:
    ManifoldModel(ModelInfo info, std::vector<double> points, std::vector<double> weights, double bridge);

    ConditioningPtr condition(const Prompt&) override { return std::make_shared<Conditioning>(); }
    Tensor predict(const NetworkBatch& batch) override;
    HostTensor drawData(std::int64_t n, std::uint64_t seed, const Prompt& prompt) const override;

    // The denoised point for one state at τ.
    void denoise(std::span<const double> x, double tau, std::span<double> x0) const;
    const std::vector<double>& points() const { return m_points; }
    const std::vector<double>& weights() const { return m_weights; }

private:
    void meanLog(std::span<const double> x, double tau, std::span<double> v) const;      // of the flow's posterior
    void bridgeDrift(std::span<const double> x, double tau, std::span<double> v) const;  // of the mixture of bridges
    std::shared_ptr<const BridgeWeights> bridgeWeights(double tau) const;
    std::vector<double> m_points, m_weights;
    double m_bridge;  // σ of the Brownian motion; 0: a flow
    mutable std::mutex m_mutex;
    mutable std::map<double, std::shared_ptr<const BridgeWeights>> m_bridgeWeights;  // by level
};

// "sphere", "torus", "hyperboloid". Null for another name; throws Failure for wrong parameters.
std::unique_ptr<ManifoldModel> makeManifoldModel(ModelId id);
std::vector<CatalogEntry> manifoldModels();

}  // namespace meander
