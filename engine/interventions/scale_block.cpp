// A residual branch scaled: x + s · f(x), of whole blocks, their attention or their feed-forward, everywhere or in a
// region of the image. At 0 everywhere it is not computed.
#include "engine/interventions/common.h"
#include "engine/interventions/places.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Block scaling";

class ScaleBlock final : public BlockHook {
public:
    ScaleBlock(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, sitesOf(text(p, "part"))), m_factor(real(p, "scale")), m_region(regionOf(p, label)) {}
    nn::Decision before(const nn::SiteCall&) override {
        return {m_factor == 0 && !m_region ? nn::Decision::Skip : nn::Decision::Compute, {}};
    }
    bool changesResidual(const nn::SiteCall&) const override { return true; }
    void changing(const nn::SiteCall& call, const Tensor& residual) override {
        for (std::int64_t r = 0; r < call.rows; ++r) mixPlaces(call, residual.slice(r, 1), m_factor, {}, m_region);
    }

private:
    double m_factor;
    std::optional<Region> m_region;
};

}  // namespace

InterventionInfo scaleBlock() {
    return {.id = "scale_block",
            .label = label,
            .summary = "Scales or mutes blocks, their attention, or their feed-forward",
            .source = "Veit et al. 2016",
            .params = {blocksParam(), partParam("Which residual branches are scaled."),
                       realParam("scale", "Scale", 0, -10, 10,
                                 "Factor on what the branch adds; 0 mutes it and saves its time, 1 is off."),
                       regionParam()},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<ScaleBlock>(p, s);
            }};
}

}  // namespace meander::intervention
