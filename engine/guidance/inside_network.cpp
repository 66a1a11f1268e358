#include "engine/guidance/inside_network.h"

#include "engine/core/switched.h"
#include "engine/guidance/rule_common.h"
#include "engine/interventions/intervention.h"
#include "engine/interventions/words.h"
#include "engine/models/tokenizers/prompt_fit.h"
#include "engine/recipe/recipe.h"

namespace meander {
namespace {

using Rows = EvaluationPlan::Rows;

Rows rowsOf(const Params& p) {
    if (!p.contains("branch")) return Rows::All;
    const std::string& which = text(p, "branch");
    return which == "conditional" ? Rows::RecipePrompt : which == "unconditional" ? Rows::Unconditional : Rows::All;
}

class InsideNetwork final : public GuidanceRun {
public:
    InsideNetwork(EvaluationPlan::Inside inside, const Params& p, bool acts)
        : m_inside(std::move(inside)), m_window(p), m_acts(acts) {}
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (!m_acts || !m_window.holds(m)) return;
        if (m_inside.source) w.want(*m_inside.source);
        w.interventions.push_back(m_inside);
    }
    void apply(const GuidanceMoment&, GuidanceParts&) override {}

private:
    EvaluationPlan::Inside m_inside;
    Window m_window;
    bool m_acts;
};

// Refuses a word that the prompt does not have.
void checkWord(const Params& p, const GuidanceSetup& s, const std::string& owner) {
    if (!p.contains("word") || text(p, "word").empty()) return;
    const auto tokens = tokensOf(s.model, s.recipe.prompt);
    if (tokens.empty() || !tokensOfWord(tokens, text(p, "word"), integer(p, "occurrence")).empty()) return;
    const std::string place =
        integer(p, "occurrence") > 1 ? " " + std::to_string(integer(p, "occurrence")) + " times" : "";
    const std::string words = wordList(tokens);
    throw Failure(owner + ": the prompt does not have \"" + text(p, "word") + "\"" + place
                  + (words.empty() ? std::string(". It is empty.") : ". Its words are: " + words + "."));
}

}  // namespace

ParamSpec rowsParam() {
    return choiceParam(
        "branch", "Branch",
        {{"all", "All evaluations"}, {"conditional", "With the prompt"}, {"unconditional", "Without it"}},
        "In which evaluations it acts: all, those with the prompt, or the unconditional one.");
}

bool namesSource(const Params& p) { return !text(p, "source").empty() || !text(p, "run").empty(); }

GuidanceRule insideNetwork(GuidanceRule rule) {
    const InterventionInfo& info = *findIntervention(rule.id);
    rule.group = "Inside the network";
    for (const auto& [own, other] :
         {std::pair{&rule.label, &info.label}, {&rule.summary, &info.summary}, {&rule.source, &info.source}})
        if (own->empty()) *own = *other;
    std::vector<ParamSpec> params = info.params;
    if (info.makeSource) {
        params.insert(params.begin(),
                      {textParam("source", "Source prompt",
                                 "Another prompt, evaluated at the same states; the run below goes before it."),
                       runParam("run", "Source run",
                                "Id of a finished run with the same seed and schedule, whose recorded states are "
                                "evaluated; empty: the source prompt.")});
    }
    for (auto& s : rule.params) params.push_back(std::move(s));
    rule.params = withWindow(std::move(params));
    return rule;
}

std::unique_ptr<GuidanceRun> insideNetwork(const std::string& intervention, const Params& p, GuidanceSetup& s,
                                           bool acts) {
    Choice choice{intervention, {}};
    for (const auto& spec : findIntervention(intervention)->params)
        if (const auto it = p.find(spec.key); it != p.end()) choice.params.insert(*it);
    if (const GuidanceRule& rule = *findGuidance(intervention); acts && rule.keepsFeatures)
        for (const Choice& other : s.recipe.guidance)
            if (other.id == "reward_steering" && !isSwitchedOff(other))
                throw Failure(rule.label
                              + " keeps what the network made of each image, and reward steering lets one image go on "
                                "as another. Remove one of them.");
    makeHook(choice, {s.model, {}});  // refuses before the run what does not fit the model
    const InterventionInfo& info = *findIntervention(intervention);
    if (acts) checkWord(p, s, info.label);
    EvaluationPlan::Inside inside{std::move(choice), rowsOf(p), {}};
    if (info.makeSource) {
        inside.rows = Rows::RecipePrompt;
        if (acts) inside.source = text(p, "run").empty() ? s.prompt(text(p, "source")) : s.recorded(text(p, "run"));
    }
    return std::make_unique<InsideNetwork>(std::move(inside), p, acts);
}

}  // namespace meander
