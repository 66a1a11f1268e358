// Places attend to those of a source (Cao et al. 2023, MasaCtrl): the queries are the own ones, keys and values those
// of the source, so that the image is laid out anew with what the source shows.
#include "engine/interventions/region.h"
#include "engine/interventions/source_record.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Mutual self-attention";

class MutualSelfAttention final : public BlockHook {
public:
    MutualSelfAttention(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, attentionsNamed("self", s.model, label)), m_source(s.source) {}
    void attending(const nn::SiteCall& call, nn::Attention& a) override {
        if (!m_source) return;
        const std::int64_t places = std::int64_t(call.grid.height) * call.grid.width;
        const Tensor k = a.k.clone(), v = a.v.clone();
        for (std::int64_t r = 0; r < call.rows; ++r) {
            const SourceRecord::Part* from = m_source->find(call, r);
            if (!from || !from->k) return;
            // In a joint attention the words stay the own ones.
            const std::int64_t own = call.site.kind == nn::SiteKind::JointAttention ? call.text : 0,
                               theirs = own + from->k.shape()[1] - k.shape()[1];
            const std::int64_t n = call.site.kind == nn::SiteKind::JointAttention ? places : k.shape()[1];
            if (theirs < 0) return;
            k.backend().copy(nn::tokens(from->k, theirs, n), nn::tokens(k.slice(r, 1), own, n));
            k.backend().copy(nn::tokens(from->v, theirs, n), nn::tokens(v.slice(r, 1), own, n));
        }
        a.k = k;
        a.v = v;
    }

private:
    std::shared_ptr<SourceRecord> m_source;
};

}  // namespace

InterventionInfo mutualSelfAttention() {
    return {.id = "mutual_self_attention",
            .label = label,
            .summary = "Lays the image out anew with what a source shows: its keys and values, own queries",
            .source = "Cao et al. 2023, MasaCtrl",
            .params = {allBlocksParam()},
            .hasMemory = true,
            .makeSource =
                [](const Params& p, const InterventionSetup& s) {
                    return sourceHook(p, s, label, attentionsNamed("self", s.model, label), Kept::KeysAndValues);
                },
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<MutualSelfAttention>(p, s);
            }};
}

}  // namespace meander::intervention
