// DeepCache (Ma et al. 2024): a U-Net's inside changes little from step to step. All that is below one of its skip
// connections is computed in every n-th evaluation; those between compute the outermost layers only.
#include "engine/interventions/step_cache.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "DeepCache";

class DeepCache final : public StepCache {
public:
    explicit DeepCache(const Params& p) : StepCache(int(integer(p, "depth"))), m_every(integer(p, "every")) {}

protected:
    bool mayReuse(Row& row, const nn::SiteCall&) override { return row.age < m_every; }

private:
    std::int64_t m_every;
};

}  // namespace

InterventionInfo deepCache() {
    return {.id = "deep_cache",
            .label = label,
            .summary = "Computes the inside of a U-Net only in every n-th evaluation",
            .source = "Ma et al. 2024, DeepCache",
            .params = {integerParam("every", "Every", 3, 1, 1000,
                                    "Compute the inside in every n-th evaluation, use the last one in those between; 1 "
                                    "is off."),
                       integerParam("depth", "Depth", 0, 0, 1000,
                                    "Layers outside what is reused, on each side: 0 leaves the first convolution and "
                                    "the last block, which saves most.")},
            .hasMemory = true,
            .period = [](const Params& p) { return integer(p, "every"); },
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                firstTrunk(s, label);
                if (!s.model.isUNet)
                    throw Failure(std::string(label) + " reuses what is below a skip connection of a U-Net, and '"
                                  + s.model.name + "' has none. Choose feature reuse or TaylorSeer instead.");
                if (integer(p, "depth") >= s.model.trunks)
                    throw Failure(std::string(label) + ": depth " + std::to_string(integer(p, "depth")) + " is not in '"
                                  + s.model.name + "', whose skip connections are numbered 0 to "
                                  + std::to_string(s.model.trunks - 1) + ". Choose a smaller depth.");
                return std::make_shared<DeepCache>(p);
            }};
}

}  // namespace meander::intervention
