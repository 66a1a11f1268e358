// First-block cache (FBCache, ParaAttention 2024): where the first block of a network does what it did in the last
// whole evaluation, the blocks behind it are taken from there. In a transformer the residual of the first block is
// compared, in a U-Net what the first block made.
#include "engine/interventions/step_cache.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "First-block cache";

class FirstBlockCache final : public StepCache {
public:
    // `block`: index of the first block that the trunks hold; none in a U-Net.
    FirstBlockCache(const Params& p, std::optional<int> block)
        : StepCache(1), m_block(block), m_threshold(real(p, "threshold")), m_most(integer(p, "most")) {}
    bool actsAt(const nn::Site& site) const override {
        return StepCache::actsAt(site) || (site.kind == nn::SiteKind::Block && site.block == m_block);
    }
    nn::Decision before(const nn::SiteCall& call) override {
        return call.site.kind == nn::SiteKind::Trunk ? StepCache::before(call) : nn::Decision{};
    }
    void after(const nn::SiteCall& call, const Tensor& residual) override {
        if (call.site.kind == nn::SiteKind::Trunk) StepCache::after(call, residual);
        else m_first[call.offset] = residual;
    }
    void starting() override {
        StepCache::starting();
        m_first.clear();
    }

protected:
    bool mayReuse(Row& row, const nn::SiteCall& call) override {
        const auto first = m_first.find(call.offset);
        if (m_block && first == m_first.end()) return false;  // another rule left it out
        row.now = m_block ? first->second : call.x->clone();
        return relativeDistance(row.now, row.signal) < m_threshold && row.age <= m_most;
    }
    void renewed(Row& row) override { row.signal = row.now; }

private:
    std::optional<int> m_block;
    double m_threshold;
    std::int64_t m_most;
    std::map<std::int64_t, Tensor> m_first;  // residuals of the first block in this call
};

}  // namespace

InterventionInfo firstBlockCache() {
    return {.id = "first_block_cache",
            .label = label,
            .summary = "Computes the first block always, and the others where it has changed",
            .source = "Cheng 2024, ParaAttention (FBCache)",
            .params = {realParam("threshold", "Threshold", 0.1, 0, 100,
                                 "Relative change of the first block, mean |Δ| / mean |·|, below which the other "
                                 "blocks are reused; 0 is off.",
                                 0.01),
                       mostParam()},
            .hasMemory = true,
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                firstTrunk(s, label);
                if (s.model.trunks < 2)
                    throw Failure(std::string(label) + " needs a block to look at and others to reuse, and '"
                                  + s.model.name + "' has only one. Remove the rule.");
                const int block = int(s.model.blocks.size()) - s.model.trunks;
                return std::make_shared<FirstBlockCache>(p, s.model.isUNet ? std::nullopt : std::optional(block));
            }};
}

}  // namespace meander::intervention
