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
    bool needsProbabilities(const nn::SiteCall& call) const override {
        return std::int64_t(call.grid.height) * call.grid.width <= m_most;
    }
    bool changesProbabilities(const nn::SiteCall& call) const override { return m_kept.contains(place(call)); }
    void weighing(const nn::SiteCall& call, const nn::Attention& a) override {
        if (const Tensor& kept = m_kept.at(place(call)); kept.shape() == a.probabilities.shape())
            a.probabilities.backend().copy(kept, a.probabilities);
    }
    void attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor&) override {
        if (!needsProbabilities(call)) return;
        const auto kept = m_kept.find(place(call));
        if (kept == m_kept.end() || kept->second.shape() != a.probabilities.shape())
            m_pending[place(call)] = a.probabilities.clone();
    }
    void starting() override { m_pending.clear(); }
    void completed() override {
        for (auto& [place, maps] : m_pending) m_kept.insert_or_assign(place, std::move(maps));
        m_pending.clear();
    }

private:
    using Place = std::pair<std::string, std::int64_t>;  // site, SiteCall::offset
    static Place place(const nn::SiteCall& call) { return {call.site.path, call.offset}; }
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
            .holdsMaps = true,
            .remembersFirst = true,
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<FreezeAttention>(p, s);
            }};
}

}  // namespace meander::intervention
