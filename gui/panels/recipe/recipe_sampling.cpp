// The parts of the recipe that come from tables: start, sampler, schedule with its operators, guidance, noise.
#include <QRandomGenerator>
#include <QRegularExpressionValidator>
#include <QToolButton>

#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/widgets/small_button.h"

namespace meander::gui {

ChoiceSection* RecipePanel::addSection(const QString& label, const QString& key, std::vector<ChoiceEntry> entries,
                                       Choice Recipe::*member) {
    auto* section = new ChoiceSection(label, std::move(entries));
    section->field()->setObjectName(key);
    m_rows->addWidget(section);
    connect(section, &ChoiceSection::edited, this,
            [this, key, member, name = label.toLower()](const Choice& c, const std::string& param) {
                edit(name, param.empty() ? QString() : key + '.' + qstr(param), [&](Recipe& r) {
                    r.*member = c;
                    // Who starts from another run most often means the one that is shown.
                    if (member == &Recipe::start && c.id == "run" && c.params.empty()
                        && m_document.run(m_selection.currentRun()))
                        r.start.params["run"] = m_selection.currentRun().toStdString();
                });
            });
    return section;
}

RuleStack* RecipePanel::addStack(const StackWords& words, const QString& key, std::vector<ChoiceEntry> entries,
                                 std::vector<Choice> Recipe::*member) {
    auto* stack = new RuleStack(words, std::move(entries));
    stack->setObjectName(key);
    stack->addField()->setObjectName("add." + key);
    m_rows->addWidget(stack);
    connect(
        stack, &RuleStack::edited, this,
        [this, key, member, name = words.one.toLower()](const std::vector<Choice>& rules, const std::string& param) {
            edit(name, param.empty() ? QString() : key + '.' + qstr(param), [&](Recipe& r) { r.*member = rules; });
        });
    return stack;
}

void RecipePanel::buildSampling() {
    addHead(tr("Sampling"));
    m_start = addSection(tr("Start"), "start", startEntries(), &Recipe::start);
    m_sampler = addSection(tr("Sampler"), "sampler", samplerEntries(), &Recipe::sampler);
    m_steps = new IntegerField;
    m_steps->setObjectName("steps");
    m_steps->setRange(1, 10000);
    addRow(tr("Steps"), m_steps, "steps",
           tr("Intervals of the schedule. What a run costs is counted in evaluations: some samplers ask the network "
              "twice per step, and guidance doubles it."));
    connect(m_steps, &QSpinBox::valueChanged, this,
            [this](int n) { edit(tr("steps"), "steps", [n](Recipe& r) { r.steps = n; }); });
}

void RecipePanel::buildSchedule() {
    addHead(tr("Schedule"));
    m_schedule = addSection(tr("Rule"), "schedule", scheduleEntries(), &Recipe::schedule);
    m_operators = addStack(
        {tr("Operator"), tr("Operators on the schedule, applied from above"), tr("Add an operator on the schedule")},
        "schedule_operators", operatorEntries(), &Recipe::scheduleOperators);
    m_preview = new SchedulePreview;
    m_rows->addWidget(m_preview);
}

void RecipePanel::buildGuidance() {
    addHead(tr("Guidance"));
    m_guidance = addStack({tr("Rule"), tr("Rules of guidance, applied from above"), tr("Add a guidance rule")},
                          "guidance", guidanceEntries(), &Recipe::guidance);
}

void RecipePanel::buildNoise() {
    addHead(tr("Noise"));
    m_seed = new QLineEdit;
    m_seed->setObjectName("seed");
    m_seed->setFont(numberFont());
    m_seed->setValidator(new QRegularExpressionValidator(QRegularExpression("[0-9]{1,20}"), m_seed));
    auto* dice = smallButton("dice", tr("Another seed"));
    dice->setObjectName("dice");
    addRow(tr("Seed"), fieldWithButton(m_seed, dice), "seed",
           tr("Names the noise. The same seed gives the same image on every device, in every batch, after every "
              "pause."));
    connect(m_seed, &QLineEdit::textEdited, this, [this](const QString& text) {
        bool isNumber = false;
        const quint64 seed = text.toULongLong(&isNumber);
        if (isNumber) edit(tr("seed"), "seed", [seed](Recipe& r) { r.seed = seed; });
    });
    connect(dice, &QToolButton::clicked, this, [this] {
        edit(tr("seed"), {}, [](Recipe& r) { r.seed = QRandomGenerator::global()->bounded(1u, 1'000'000u); });
    });
    m_noise = addSection(tr("Source"), "noise", noiseEntries(), &Recipe::noise);
}

}  // namespace meander::gui
