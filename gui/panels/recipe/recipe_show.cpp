// How the recipe panel shows the draft, its model and its differences.
#include <set>

#include "engine/run/recipe_differences.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/recipe/recipe_panel.h"

namespace meander::gui {
namespace {

void setText(PromptField* field, const std::string& text) {
    const QString next = qstr(text);
    if (field->toPlainText() != next) field->setPlainText(next);
}

constexpr int unknown = -1;

// "sampler.eta" is of the setting "sampler", "guidance.1.scale" of "guidance.1".
std::string settingOf(const std::string& key) {
    const bool isList = key.starts_with("guidance.") || key.starts_with("schedule_operators.");
    return key.substr(0, key.find('.', isList ? key.find('.') + 1 : 0));
}

}  // namespace

void RecipePanel::show() {
    m_showing = true;
    const Recipe& r = m_document.draft();
    if (m_model->findData(qstr(r.model)) < 0)
        m_model->insertItem(m_model->count() - 2, modelLabel(r.model), qstr(r.model));
    m_model->setChoice(qstr(r.model));
    setText(m_prompt, r.prompt);
    setText(m_negative, r.negativePrompt);
    m_class->setChoice(r.classIndex ? QString::number(*r.classIndex) : QString());
    m_start->setChoice(r.start);
    m_sampler->setChoice(r.sampler);
    if (m_steps->value() != r.steps) m_steps->setValue(r.steps);
    m_schedule->setChoice(r.schedule);
    m_operators->setRules(r.scheduleOperators);
    m_guidance->setRules(r.guidance);
    m_noise->setChoice(r.noise);
    if (m_seed->text().toULongLong() != r.seed || m_seed->text().isEmpty()) m_seed->setText(QString::number(r.seed));
    if (m_images->value() != r.images) m_images->setValue(r.images);
    m_precision->setChoice(qstr(r.precision));
    m_device->setChoice(qstr(r.device));
    m_attention->setChoice(QLatin1String(nameOf(r.attention)));
    m_states->setChecked(r.recordStates);
    m_branch->setVisible(r.branch.has_value());
    if (r.branch) {
        const RunPtr parent = m_document.run(qstr(r.branch->run));
        m_branchText->setText(parent ? tr("Continues run %1 from step %2").arg(parent->number).arg(r.branch->step)
                                     : tr("Continues a run that is gone"));
    }
    m_showing = false;
}

void RecipePanel::showModel() {
    const auto model = m_document.draftModel();
    const bool isText = !model || model->conditioning == ConditioningKind::Text;
    const bool isClass = model && model->conditioning == ConditioningKind::Class;
    m_row["prompt"]->setVisible(isText);
    m_row["negative_prompt"]->setVisible(isText);
    m_row["class"]->setVisible(isClass);
    m_row["attention"]->setVisible(isText
                                   || !model->attention.empty());  // the sites of a network are known once it is built
    m_row["images"]->label()->setText(model && model->state == StateKind::Points ? tr("Particles") : tr("Images"));
    if (isClass && m_class->count() != int(model->classes.size()) + 1) {
        m_class->clear();
        m_class->addChoice(QString(), tr("any"));
        for (std::size_t i = 0; i < model->classes.size(); ++i)
            m_class->addChoice(QString::number(i), qstr(model->classes[i]));
        const auto& index = m_document.draft().classIndex;
        m_class->setChoice(index ? QString::number(*index) : QString());
    }
    if (!model) return;
    const Recipe base = recommendedRecipe(*model), &r = m_document.draft();
    m_images->setRange(1, std::max(r.images, mostImages(model->state)));
    const auto reset = [this](const char* key, bool on, const QString& text) { m_row[key]->setResettable(on, text); };
    reset("steps", r.steps != base.steps, QString::number(base.steps));
    reset("images", r.images != base.images, QString::number(base.images));
    reset("precision", r.precision != base.precision, qstr(base.precision));
    reset("device", r.device != base.device, qstr(base.device));
    reset("attention", r.attention != base.attention, QLatin1String(nameOf(base.attention)));
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
    m_guidance->setNotes(notes);
}

void RecipePanel::showRuns() {
    QList<std::pair<QString, QString>> runs;
    for (const RunPtr& r : m_document.runs())
        if (r->status == RunStatus::Finished || r->status == RunStatus::Cancelled)
            runs.append({qstr(r->id), QStringLiteral("%1  %2").arg(r->number).arg(runTitle(*r))});
    m_start->form()->setRuns(runs);
}

void RecipePanel::showDifferences() {
    const RunPtr run = m_document.run(m_selection.currentRun());
    // The draft is compared as it would run: its parameters filled in, as those of the run are.
    const auto& plan = m_document.draftPlan();
    const Recipe mine = plan && !m_document.isPlanning() ? plan.value().resolved : m_document.draft();
    const Recipe* theirs = run ? &run->recipe : nullptr;
    const bool isComparable = theirs && plan;
    std::map<QString, QString> other;
    std::set<std::string> settings;  // a rule with its parameters is one
    if (isComparable)
        for (const Difference& d : differences(mine, *theirs)) {
            settings.insert(settingOf(d.key));
            other[qstr(d.key)] = qstr(d.right).isEmpty() ? tr("nothing") : qstr(d.right);
        }
    const int count = isComparable ? int(settings.size()) : unknown;
    for (const auto& [key, row] : m_row)
        row->setDifference(isComparable && other.contains(key) ? other[key] : QString());
    m_start->setReference(isComparable ? &theirs->start : nullptr);
    m_sampler->setReference(isComparable ? &theirs->sampler : nullptr);
    m_schedule->setReference(isComparable ? &theirs->schedule : nullptr);
    m_operators->setReference(isComparable ? &theirs->scheduleOperators : nullptr);
    m_guidance->setReference(isComparable ? &theirs->guidance : nullptr);
    m_noise->setReference(isComparable ? &theirs->noise : nullptr);
    if (count == m_differences) return;
    m_differences = count;
    emit differencesChanged(count);
}

}  // namespace meander::gui
