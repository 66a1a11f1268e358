// TaylorSeer (Liu et al. 2025): between whole evaluations, n apart, what the blocks make is not reused but predicted by
// a Taylor series over the evaluations, F(k) ≈ Σ ΔⁱF/nⁱ · kⁱ/i!, whose derivatives are the differences of the whole
// ones. The series is that of all blocks together, which keeps a few tensors instead of a few per layer.
#include "engine/interventions/step_cache.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "TaylorSeer";

class TaylorSeer final : public StepCache {
public:
    TaylorSeer(const Params& p, const InterventionSetup& s)
        : StepCache(firstTrunk(s, label), int(integer(p, "order"))), m_every(integer(p, "every")) {}

protected:
    bool mayReuse(Row& row, const nn::SiteCall&) override { return row.age < m_every; }
    Tensor reused(const Row& row) const override {
        std::vector<LinearTerm> terms;
        double factor = 1;
        for (std::size_t i = 0; i < row.made.size(); ++i) {
            if (i > 0) factor *= double(row.age) / double(i);
            terms.push_back({factor, row.made[i]});
        }
        return combine(terms);
    }

private:
    std::int64_t m_every;
};

}  // namespace

InterventionInfo taylorSeer() {
    return {
        .id = "taylor_seer",
        .label = label,
        .summary = "Computes the blocks only in every n-th evaluation, and predicts them in between",
        .source = "Liu et al. 2025, From Reusing to Forecasting (TaylorSeer)",
        .params = {integerParam("every", "Every", 3, 1, 1000,
                                "Compute in every n-th evaluation, predict in those between; 1 is off."),
                   integerParam("order", "Order", 1, 0, 4,
                                "Of the series; 0 reuses the last result. It needs order + 1 whole evaluations, and "
                                "is lower until then.")},
        .hasMemory = true,
        .period = [](const Params& p) { return integer(p, "every"); },
        .spans = [](const Params& p) { return integer(p, "order") + 1; },
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            return std::make_shared<TaylorSeer>(p, s);
        }};
}

}  // namespace meander::intervention
