// Perturbed attention (Ahn et al. 2024, PAG): softmax(q kᵀ) of self-attention becomes the identity, so every token
// keeps its own value.
#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Identity attention";

class PerturbedAttention final : public BlockHook {
public:
    PerturbedAttention(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, {nn::SiteKind::SelfAttention}) {}
    bool attend(const nn::SiteCall&, const nn::Attention& a, const Tensor& y) override {
        Backend& b = y.backend();
        b.copy(a.v, y);
        if (!a.probabilities) return true;
        const std::int64_t n = a.q.shape()[1];
        std::vector<float> identity(std::size_t(n * n), 0.0f);
        for (std::int64_t i = 0; i < n; ++i) identity[std::size_t(i * n + i)] = 1;
        b.fill(a.probabilities, 0);
        b.binary(kernels::Binary::Add, a.probabilities, upload(b, HostTensor::fromFloats({n, n}, identity)),
                 a.probabilities);
        return true;
    }
};

}  // namespace

InterventionInfo perturbedAttention() {
    return {.id = "perturbed_attention",
            .label = label,
            .summary = "Self-attention becomes the identity: every token keeps its own value",
            .source = "Ahn et al. 2024, PAG",
            .params = {blocksParam()},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<PerturbedAttention>(p, s);
            }};
}

}  // namespace meander::intervention
