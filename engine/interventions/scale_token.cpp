// The attention to a word, scaled: softmax(q kᵀ) v with the columns of its tokens times a factor (Hertz et al. 2022,
// prompt-to-prompt, attention re-weighting). Divided by their sum again, the probabilities are those with ln(factor)
// added to the word's logits.
#include "engine/interventions/common.h"
#include "engine/interventions/map_part.h"
#include "engine/interventions/region.h"
#include "engine/interventions/words.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Word scaling";

class ScaleToken final : public BlockHook {
public:
    ScaleToken(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, {nn::SiteKind::CrossAttention, nn::SiteKind::JointAttention}),
          m_factor(float(real(p, "scale"))),
          m_isNormalised(text(p, "sum") == "one"),
          m_region(regionOf(p, label)) {
        if (p.contains("head")) m_head = integer(p, "head");
        if (m_head) checkHead(*m_head, text(p, "layers"), s.model, label);
        if (s.tokens) m_tokens = tokensOfWord(*s.tokens, text(p, "word"), integer(p, "occurrence"));
        // Prompts may have the word in different places.
        description = Choice{"scale_token", p};
        std::vector<double> places(m_tokens.begin(), m_tokens.end());
        description->params["tokens"] = std::move(places);
    }
    bool actsAt(const nn::Site& site) const override { return !m_tokens.empty() && BlockHook::actsAt(site); }
    bool changesProbabilities(const nn::SiteCall&) const override { return true; }
    void weighing(const nn::SiteCall& call, const nn::Attention& a) override {
        const auto part = mapPart(call, a, LooksAt::Words);
        if (!part) return;
        Backend& b = a.probabilities.backend();
        const std::vector<float> inside = m_region ? m_region->cells(call.grid) : std::vector<float>{1};
        const std::int64_t queries = m_region ? part->queries : 1;
        std::vector<float> factors(std::size_t(queries * part->keys), 1.0f);
        for (std::int64_t q = 0; q < queries; ++q)
            for (const int t : m_tokens)
                if (t < part->keys && inside[std::size_t(q)] > 0) factors[std::size_t(q * part->keys + t)] = m_factor;
        const Tensor f = uploaded(b, m_region ? Shape{queries, part->keys} : Shape{part->keys}, factors);
        for (std::int64_t r = 0; r < call.rows; ++r) {
            const Tensor all = mapsOfRow(a, r), row = m_head ? all.slice(*m_head, 1) : all, scaled = part->of(row);
            b.binary(kernels::Binary::Mul, scaled, f, scaled);
            if (m_isNormalised) normaliseMaps(row);
        }
    }

private:
    float m_factor;
    bool m_isNormalised;
    std::optional<Region> m_region;
    std::optional<std::int64_t> m_head;
    std::vector<int> m_tokens;
};

}  // namespace

InterventionInfo scaleToken() {
    return {
        .id = "scale_token",
        .label = label,
        .summary = "Scales the attention to a word, and with it the word's part in the image",
        .source = "Hertz et al. 2022, prompt-to-prompt",
        .params = {textParam("word", "Word", "A word of the prompt, or several that stand behind each other."),
                   integerParam("occurrence", "Occurrence", 0, 0, 1000,
                                "Which of the places where the word stands, counted from 1; 0: all of them."),
                   realParam("scale", "Scale", 2, 0, 20, "Factor on its probabilities; 1 is off, 0 removes it.", 0.1),
                   choiceParam("sum", "Sum", {{"free", "As it comes"}, {"one", "One again"}},
                               "Whether the probabilities of a place are divided by their sum again: as it comes "
                               "the word adds to the others, else it takes from them."),
                   allBlocksParam(),
                   optionalParam(integerParam("head", "Head", 0, 0, 1023, "In which head, from 0; absent: all.")),
                   regionParam()},
        .holdsMaps = true,
        .readsPrompt = true,
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            if (s.model.conditioning != ConditioningKind::Text)
                throw Failure(std::string(label) + " scales the attention to words, and '" + s.model.name
                              + "' reads none. Choose a text model, for example builtin:sprites-unet, or remove "
                                "the rule.");
            return std::make_shared<ScaleToken>(p, s);
        }};
}

}  // namespace meander::intervention
