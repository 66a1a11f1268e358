#include "engine/interventions/source_record.h"

#include "engine/interventions/map_part.h"

namespace meander {

const SourceRecord::Part* SourceRecord::find(const nn::SiteCall& call, std::int64_t row) const {
    const auto found = parts.find({call.site.path, call.offset + row});
    return found == parts.end() || found->second.grid != call.grid ? nullptr : &found->second;
}

namespace intervention {
namespace {

class SourceHook final : public BlockHook {
public:
    SourceHook(const Params& p, const InterventionSetup& s, const std::string& owner, std::vector<nn::SiteKind> kinds,
               Kept kept, std::int64_t mostPlaces)
        : BlockHook(p, s, owner, std::move(kinds)), m_record(s.source), m_kept(kept), m_mostPlaces(mostPlaces) {}
    bool needsProbabilities(const nn::SiteCall& call) const override {
        return m_kept == Kept::Probabilities && std::int64_t(call.grid.height) * call.grid.width <= m_mostPlaces;
    }
    bool observesResidual(const nn::SiteCall&) const override { return m_kept == Kept::Residuals; }
    void after(const nn::SiteCall& call, const Tensor& residual) override {
        for (std::int64_t r = 0; r < call.rows; ++r) part(call, r).residual = residual.slice(r, 1).clone();
    }
    void attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor&) override {
        for (std::int64_t r = 0; r < call.rows; ++r) {
            if (m_kept == Kept::KeysAndValues) {
                part(call, r).k = a.k.slice(r, 1).clone();
                part(call, r).v = a.v.slice(r, 1).clone();
            }
            if (needsProbabilities(call)) part(call, r).probabilities = mapsOfRow(a, r).clone();
        }
    }

private:
    SourceRecord::Part& part(const nn::SiteCall& call, std::int64_t row) {
        SourceRecord::Part& p = m_record->parts[{call.site.path, call.offset + row}];
        p.grid = call.grid;
        return p;
    }
    std::shared_ptr<SourceRecord> m_record;
    Kept m_kept;
    std::int64_t m_mostPlaces;
};

}  // namespace

nn::SiteHookPtr sourceHook(const Params& p, const InterventionSetup& setup, const std::string& owner,
                           std::vector<nn::SiteKind> kinds, Kept kept, std::int64_t mostPlaces) {
    return std::make_shared<SourceHook>(p, setup, owner, std::move(kinds), kept, mostPlaces);
}

ParamSpec mostPlacesParam() {
    return advanced(integerParam("most", "Largest grid", 1024, 1, 1e6,
                                 "Places of the largest grid whose maps are held in memory, 1024 = 32 × 32; finer "
                                 "attention is left as it is."));
}

}  // namespace intervention
}  // namespace meander
