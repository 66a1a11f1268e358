// The residual of a branch, computed once and used again in the evaluations that follow (feature caching over steps:
// Ma et al. 2024, DeepCache; Selvaraju et al. 2024, FORA). What is used again is not computed.
#include <map>

#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Feature reuse";

class FeatureReuse final : public BlockHook {
public:
    FeatureReuse(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, sitesOf(text(p, "part"))), m_every(integer(p, "every")) {}
    bool decidesPerRow() const override { return true; }
    nn::Decision before(const nn::SiteCall& call) override {
        const auto kept = m_kept.find(place(call));
        if (kept == m_kept.end() || kept->second.grid != call.grid || kept->second.uses + 1 >= m_every) return {};
        Kept& used = m_pending[kept->first] = kept->second;
        ++used.uses;
        m_saved[kept->first] = used.flops;
        return {nn::Decision::Reuse, used.residual};
    }
    bool observesResidual(const nn::SiteCall&) const override { return m_every > 1; }
    void after(const nn::SiteCall& call, const Tensor& residual) override {
        m_pending[place(call)] = {residual, call.grid, 0, call.flops};
        m_saved[place(call)] = 0;
    }
    void starting() override {
        m_pending.clear();
        m_saved.clear();
    }
    void completed() override {
        for (auto& [place, kept] : m_pending) m_kept.insert_or_assign(place, std::move(kept));
        m_pending.clear();
    }

    std::optional<double> savedFlops(std::int64_t offset) const override { return m_saved.of(offset); }

private:
    struct Kept {
        Tensor residual;
        nn::Grid grid;
        std::int64_t uses = 0;  // evaluations since it was computed
        double flops = 0;       // that it cost
    };
    static SavedWork::Place place(const nn::SiteCall& call) { return SavedWork::at(call); }

    std::int64_t m_every;
    std::map<SavedWork::Place, Kept> m_kept, m_pending;
    SavedWork m_saved;
};

}  // namespace

InterventionInfo featureReuse() {
    return {
        .id = "feature_reuse",
        .label = label,
        .summary = "Computes blocks, their attention, or their feed-forward only in every n-th evaluation",
        .source = "Ma et al. 2024, DeepCache; Selvaraju et al. 2024, FORA",
        .params = {blocksParam(), partParam("Which residuals are used again."),
                   integerParam("every", "Every", 2, 1, 1000,
                                "Compute in every n-th evaluation, use the last result in those between; 1 is off.")},
        .hasMemory = true,
        .period = [](const Params& p) { return integer(p, "every"); },
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            return std::make_shared<FeatureReuse>(p, s);
        }};
}

}  // namespace meander::intervention
