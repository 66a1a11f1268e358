// How the recipe panel shows the draft, its model, its plan and its differences.
#include <map>
#include <set>

#include "engine/run/recipe_differences.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/recipe/recipe_panel.h"

namespace meander::gui {
namespace {

// "sampler.eta" is of the setting "sampler", "guidance.1.scale" of "guidance.1".
std::string settingOf(const std::string& key) {
    const std::string first = key.substr(0, key.find('.'));
    const RecipeField* field = findRecipeField(first);
    const bool isList = field && std::holds_alternative<std::vector<Choice> Recipe::*>(field->member);
    return isList ? key.substr(0, key.find('.', first.size() + 1)) : first;
}

}  // namespace

void RecipePanel::show() {
    m_showing = true;
    for (const Row& r : m_fields) r.show(m_document.draft());
    m_showing = false;
}

void RecipePanel::showModel() {
    const auto model = m_document.draftModel();
    const bool isText = !model || model->conditioning == ConditioningKind::Text;
    const bool isClass = model && model->conditioning == ConditioningKind::Class;
    row("prompt")->setVisible(isText);
    for (const char* key : {"negative_prompt", "prompt_dialect", "clip_skip"}) row(key)->setVisible(isText);
    row("class")->setVisible(isClass);
    for (const char* key : {"width", "height"}) {
        const int granule = model ? model->state.granule : 0;
        row(key)->setVisible(granule > 0);
        widget<IntegerField>(key)->setSingleStep(std::max(granule, 1));
    }
    const bool takesImage = model && model->imageCondition != ImageCondition::None;
    for (ChoiceSection* s : m_sections)
        if (s->field()->objectName() == QLatin1String("source"))
            s->setVisible(takesImage || m_document.draft().source.id != "none");
    row("attention")->setVisible(isText || !model->attention.empty());  // the sites of a network are known once built
    row("images")->label()->setText(model && model->state.kind == StateKind::Points ? tr("Particles") : tr("Images"));
    if (!model) return;
    if (isClass) showClasses(*model);
    const Recipe base = recommendedRecipe(*model), &draft = m_document.draft();
    widget<IntegerField>("images")->setRange(1, std::max(draft.images, mostImages(model->state)));
    for (const Row& r : m_fields)
        if (r.row && !r.field->isSubject)
            r.row->setResettable(!isEqual(*r.field, draft, base), qstr(display(*r.field, base)));
}

void RecipePanel::showClasses(const ModelInfo& model) {
    auto* field = widget<ChoiceField>("class");
    if (field->count() == int(model.classes.size()) + 1) return;
    field->clear();
    field->addChoice(QString(), tr("any"));
    for (std::size_t i = 0; i < model.classes.size(); ++i) field->addChoice(QString::number(i), qstr(model.classes[i]));
    const auto& index = m_document.draft().classIndex;
    field->setChoice(index ? QString::number(*index) : QString());
}

void RecipePanel::showCard() {
    m_card->show(m_document.draftPlan(), m_document.isPlanning(), m_document.draftModel() != nullptr,
                 m_document.invalidFields());
}

// What the plan says about each part: levels, costs, and rules that do nothing.
void RecipePanel::showPlan() {
    const auto& plan = m_document.draftPlan();
    const RunPtr run = m_document.run(m_selection.currentRun());
    m_preview->show(plan ? &plan.value() : nullptr, run.get());
    std::vector<RuleNote> notes;
    const auto costs = m_document.guidanceCosts();
    for (std::size_t i = 0; i < costs.size(); ++i) {
        const RuleCost& c = costs[i];
        const QString text = !c.idle.empty()     ? qstr(c.idle)
                             : c.evaluations > 0 ? tr("+%1").arg(evaluationsText(c.evaluations))
                             : c.evaluations < 0 ? tr("saves %1").arg(evaluationsText(-c.evaluations))
                             : i > 0             ? tr("no further evaluations: it uses those of the rules above")
                                                 : tr("no further evaluations");
        notes.push_back({text, !c.idle.empty()});
    }
    widget<RuleStack>("guidance")->setNotes(notes);
}

void RecipePanel::showRuns() {
    QList<std::pair<QString, QString>> runs;
    for (const RunPtr& r : m_document.runs())
        if (r->status == RunStatus::Finished || r->status == RunStatus::Cancelled)
            runs.append({qstr(r->id), QStringLiteral("%1  %2").arg(r->number).arg(runTitle(*r))});
    for (ChoiceSection* section : m_sections) section->form()->setRuns(runs);
    widget<RuleStack>("guidance")->setRuns(runs);
}

void RecipePanel::showDifferences() {
    const RunPtr run = m_document.run(m_selection.currentRun());
    // The draft is compared as it would run: its parameters filled in, as those of the run are.
    const auto& plan = m_document.draftPlan();
    const Recipe mine = plan && !m_document.isPlanning() ? plan.value().resolved : m_document.draft();
    const Recipe* theirs = run && plan ? &run->recipe : nullptr;
    std::map<std::string, QString> other;
    std::set<std::string> settings;  // a rule with its parameters is one
    if (theirs)
        for (const Difference& d : differences(mine, *theirs)) {
            settings.insert(settingOf(d.key));
            other[d.key] = d.right.empty() ? tr("nothing") : qstr(d.right);
        }
    for (const Row& r : m_fields) {
        if (r.row) r.row->setDifference(other.contains(r.field->key) ? other[r.field->key] : QString());
        if (r.compare) r.compare(theirs);
    }
    const std::optional<int> count = theirs ? std::optional(int(settings.size())) : std::nullopt;
    if (count == m_differences) return;
    m_differences = count;
    emit differencesChanged();
}

}  // namespace meander::gui
