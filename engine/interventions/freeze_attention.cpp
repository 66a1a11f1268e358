// Attention maps of one evaluation, used in those that follow: where each place looks no longer changes, what it finds
// there does (attention injection over steps: Hertz et al. 2022; Liu et al. 2023).
#include <map>

#include "engine/interventions/map_part.h"
#include "engine/interventions/source_record.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Frozen attention";

class FreezeAttention final : public BlockHook {
public:
    FreezeAttention(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, attentionsNamed(text(p, "attention"), s.model, label)), m_most(integer(p, "most")) {}
    bool decidesPerRow() const override { return true; }
    bool changesProbabilities(const nn::SiteCall& call) const override {
        return std::int64_t(call.grid.height) * call.grid.width <= m_most;
    }
    void weighing(const nn::SiteCall& call, const nn::Attention& a) override {
        const Place place{call.site.path, call.offset};
        const auto kept = m_kept.find(place);
        if (kept != m_kept.end() && kept->second.shape() == a.probabilities.shape())
            a.probabilities.backend().copy(kept->second, a.probabilities);
        else m_pending[place] = a.probabilities.clone();
    }
    void starting() override { m_pending.clear(); }
    void completed() override {
        for (auto& [place, maps] : m_pending) m_kept.insert_or_assign(place, std::move(maps));
        m_pending.clear();
    }

private:
    using Place = std::pair<std::string, std::int64_t>;  // site, SiteCall::offset
    std::int64_t m_most;
    std::map<Place, Tensor> m_kept, m_pending;
};

}  // namespace

InterventionInfo freezeAttention() {
    return {.id = "freeze_attention",
            .label = label,
            .summary = "Keeps the attention maps of the first evaluation in its interval for all later ones",
            .source = "Hertz et al. 2022; Liu et al. 2023",
            .params = {allBlocksParam(), attentionParam(), mostPlacesParam()},
            .hasMemory = true,
            .remembersFirst = true,
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<FreezeAttention>(p, s);
            }};
}

}  // namespace meander::intervention
