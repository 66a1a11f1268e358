// Attention maps of a source in place of the own ones (Hertz et al. 2022, prompt-to-prompt). To words: the columns of
// those words that both prompts have, and where they are swapped of those in whose place the new ones stand (replace),
// or not (refine); new words keep their own. Among places: the whole map.
#include "engine/interventions/map_part.h"
#include "engine/interventions/region.h"
#include "engine/interventions/source_record.h"
#include "engine/interventions/words.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Attention replacement";

std::vector<nn::SiteKind> kindsOf(const Params& p) {
    return {text(p, "attention") == "self" ? nn::SiteKind::SelfAttention : nn::SiteKind::CrossAttention,
            nn::SiteKind::JointAttention};
}

class ReplaceAttention final : public BlockHook {
public:
    ReplaceAttention(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, kindsOf(p)),
          m_source(s.source),
          m_looksAt(text(p, "attention") == "self" ? LooksAt::Places : LooksAt::Words),
          m_most(integer(p, "most")),
          m_region(regionOf(p, label)) {
        if (s.tokens && s.source)
            m_alignment = alignedTokens(s.source->tokens, *s.tokens, text(p, "kind") == "replace");
    }
    bool changesProbabilities(const nn::SiteCall& call) const override {
        return m_source && std::int64_t(call.grid.height) * call.grid.width <= m_most;
    }
    void weighing(const nn::SiteCall& call, const nn::Attention& a) override {
        const auto to = mapPart(call, a, m_looksAt);
        for (std::int64_t r = 0; to && r < call.rows; ++r) {
            const SourceRecord::Part* source = m_source->find(call, r);
            if (!source || !source->probabilities) continue;
            const Tensor row = mapsOfRow(a, r), own = to->of(row);
            MapPart from = *to;
            if (m_looksAt == LooksAt::Words) from.keys = source->probabilities.shape()[2] - (row.shape()[2] - to->keys);
            // A joint attention has its places behind the words of its own prompt.
            const std::int64_t shift = source->probabilities.shape()[1] - row.shape()[1];
            from.query += shift;
            if (m_looksAt == LooksAt::Places) from.key += shift;
            if (from.query < 0 || from.key < 0 || from.keys <= 0) continue;
            const Tensor maps = from.of(source->probabilities).clone();
            own.backend().copy(mixed(call, own.clone(), m_looksAt == LooksAt::Places ? maps : mapped(maps, to->keys)),
                               own);
            if (call.site.kind == nn::SiteKind::JointAttention) normaliseMaps(row);
        }
    }

private:
    // Source maps (heads, queries, source keys) → (heads, queries, keys): what the aligned tokens receive; 0 elsewhere.
    Tensor mapped(const Tensor& maps, std::int64_t keys) const {
        const Shape s = maps.shape();
        std::vector<float> m(std::size_t(s[2] * keys));
        for (std::size_t t = 0; t < m_alignment.size() && std::int64_t(t) < keys; ++t)
            for (const auto& [from, weight] : m_alignment[t])
                if (from < s[2]) m[std::size_t(std::int64_t(from) * keys) + t] = weight;
        Tensor y(maps.backend(), {1, s[0] * s[1], keys});
        maps.backend().batchedMatmul(maps.reshaped({1, s[0] * s[1], s[2]}),
                                     uploaded(maps.backend(), {1, s[2], keys}, m), y, false);
        return y.reshaped({s[0], s[1], keys});
    }
    // The source's maps where tokens are aligned and places inside the region, the own ones elsewhere.
    Tensor mixed(const nn::SiteCall& call, const Tensor& own, const Tensor& source) const {
        const std::int64_t queries = own.shape()[1], keys = own.shape()[2];
        std::vector<float> takes(std::size_t(keys), m_looksAt == LooksAt::Places ? 1.0f : 0.0f);
        for (std::size_t t = 0; m_looksAt == LooksAt::Words && t < m_alignment.size() && std::int64_t(t) < keys; ++t)
            takes[t] = m_alignment[t].empty() ? 0.0f : 1.0f;
        const std::vector<float> inside = m_region ? m_region->cells(call.grid) : std::vector<float>();
        std::vector<float> mask(std::size_t(queries * keys));
        for (std::size_t i = 0; i < mask.size(); ++i)
            mask[i] = takes[i % std::size_t(keys)] * (m_region ? inside[i / std::size_t(keys)] : 1.0f);
        Backend& b = own.backend();
        Tensor change = combine({{1, source}, {-1, own}});
        b.binary(kernels::Binary::Mul, change, uploaded(b, {queries, keys}, mask), change);
        return combine({{1, own}, {1, change}});
    }

    std::shared_ptr<SourceRecord> m_source;
    LooksAt m_looksAt;
    std::int64_t m_most;
    std::optional<Region> m_region;
    TokenAlignment m_alignment;
};

}  // namespace

InterventionInfo replaceAttention() {
    return {
        .id = "replace_attention",
        .label = label,
        .summary = "Takes the attention maps of another prompt or run, so that the layout stays and words change",
        .source = "Hertz et al. 2022, prompt-to-prompt",
        .params = {choiceParam("attention", "Attention", {{"cross", "To words"}, {"self", "Among places"}},
                               "Whose maps: where words are, or which places belong together."),
                   choiceParam("kind", "Words",
                               {{"replace", "Swapped words take their place"}, {"refine", "New words keep their own"}},
                               "What becomes of words that the source does not have."),
                   allBlocksParam(), mostPlacesParam(), regionParam()},
        .hasMemory = true,
        .holdsMaps = true,
        .readsPrompt = true,
        .makeSource =
            [](const Params& p, const InterventionSetup& s) {
                return sourceHook(p, s, label, kindsOf(p), Kept::Probabilities, integer(p, "most"));
            },
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            if (text(p, "attention") == "cross" && s.model.conditioning != ConditioningKind::Text)
                throw Failure(std::string(label) + ": '" + s.model.name
                              + "' reads no words. Choose a text model, or the attention among places.");
            return std::make_shared<ReplaceAttention>(p, s);
        }};
}

}  // namespace meander::intervention
