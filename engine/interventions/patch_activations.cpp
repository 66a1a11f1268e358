// What blocks add, taken from a source: (1 − u) f(x) + u f(source), everywhere or in a region of the image (activation
// patching: Meng et al. 2022; Zhang & Nanda 2023). Taken whole it is not computed.
#include "engine/interventions/places.h"
#include "engine/interventions/source_record.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Activation patching";

class PatchActivations final : public BlockHook {
public:
    PatchActivations(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, sitesOf(text(p, "part"))),
          m_source(s.source),
          m_amount(real(p, "amount")),
          m_region(regionOf(p, label)) {}
    bool decidesPerRow() const override { return true; }
    nn::Decision before(const nn::SiteCall& call) override {
        const SourceRecord::Part* from = partOf(call);
        if (m_amount != 1 || m_region || !from || call.text > 0) return {};
        return {nn::Decision::Reuse, from->residual};
    }
    bool changesResidual(const nn::SiteCall& call) const override { return partOf(call) != nullptr; }
    void changing(const nn::SiteCall& call, const Tensor& residual) override {
        if (const SourceRecord::Part* from = partOf(call); from && from->residual.shape() == residual.shape())
            mixPlaces(call, residual, 1 - m_amount, from->residual, m_region);
    }

private:
    const SourceRecord::Part* partOf(const nn::SiteCall& call) const {
        const SourceRecord::Part* part = m_source ? m_source->find(call, 0) : nullptr;
        return part && part->residual ? part : nullptr;
    }
    std::shared_ptr<SourceRecord> m_source;
    double m_amount;
    std::optional<Region> m_region;
};

}  // namespace

InterventionInfo patchActivations() {
    return {.id = "patch_activations",
            .label = label,
            .summary = "Takes what blocks add from another prompt or run, everywhere or in a region",
            .source = "Meng et al. 2022; Zhang & Nanda 2023",
            .params = {blocksParam(), partParam("Whose residual is taken from the source."),
                       realParam("amount", "Amount", 1, 0, 1, "Share u of the source; 0 is off.", 0.05), regionParam()},
            .hasMemory = true,
            .makeSource =
                [](const Params& p, const InterventionSetup& s) {
                    return sourceHook(p, s, label, sitesOf(text(p, "part")), Kept::Residuals);
                },
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<PatchActivations>(p, s);
            }};
}

}  // namespace meander::intervention
