// Models whose denoiser, density and data are known exactly, in double precision on the host.
#pragma once
#include "engine/models/analytic/mixture.h"
#include "engine/models/model.h"
#include "engine/models/model_id.h"

namespace meander {

class AnalyticModel final : public Model {
public:
    AnalyticModel(ModelInfo info, Mixture mixture);

    ConditioningPtr condition(const Prompt& prompt) override;
    // E[x0 | x] of every row; what a perfectly distilled network answers when the model is one
    // ("distilled=consistency").
    Tensor predict(const NetworkBatch& batch) override;
    std::vector<double> logDensity(const HostTensor& x, double tau, const Prompt& prompt) const override;
    HostTensor drawData(std::int64_t n, std::uint64_t seed, const Prompt& prompt) const override;
    HostTensor decode(const HostTensor& state) const override;  // points that are images: −1 … 1 → 0 … 1
    HostTensor encode(const HostTensor& images) const override;

    const Mixture& mixture() const { return m_mixture; }

private:
    std::optional<int> classOf(const Prompt& prompt) const;
    Mixture m_mixture;
};

// The table of exact models: "two-deltas", "gaussian", "gaussian2", "ring8", "two-classes", "points".
std::vector<CatalogEntry> analyticModels();
// Throws Failure for an unknown name or wrong parameters.
std::unique_ptr<AnalyticModel> makeAnalyticModel(ModelId id);

}  // namespace meander
