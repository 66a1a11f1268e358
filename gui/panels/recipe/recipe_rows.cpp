// The widgets of the recipe's fields: one function for each kind of member.
#include <QRandomGenerator>
#include <QToolButton>

#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/widgets/small_button.h"

namespace meander::gui {
namespace {

const QString openModelId = QStringLiteral("\x01open");

QString modelGroup(const QString& id) {
    if (id == openModelId) return {};
    if (id.startsWith(QLatin1String("analytic:"))) return RecipePanel::tr("Exact, in closed form");
    if (!id.startsWith(QLatin1String("builtin:"))) return RecipePanel::tr("Opened files");
    return id.startsWith(QLatin1String("builtin:flow2d")) ? RecipePanel::tr("Points in the plane")
                                                          : RecipePanel::tr("Images");
}

StackWords wordsOf(const RecipeField& field) {
    if (field.key == "guidance")
        return {RecipePanel::tr("Rule"), RecipePanel::tr("Rules of guidance, applied from above"),
                RecipePanel::tr("Add a guidance rule")};
    if (field.key == "adapters")
        return {RecipePanel::tr("Adapter"), RecipePanel::tr("Adapters of the weights, added from above"),
                RecipePanel::tr("Add an adapter (LoRA)")};
    return {RecipePanel::tr("Operator"), RecipePanel::tr("Operators on the schedule, applied from above"),
            RecipePanel::tr("Add an operator on the schedule")};
}

}  // namespace

RecipePanel::Row RecipePanel::build(const RecipeField& field, std::string Recipe::*member) {
    if (field.key == "model") return buildModel(field);
    return field.choices.empty() ? buildPrompt(field, member) : buildChoices(field);
}

RecipePanel::Row RecipePanel::buildModel(const RecipeField& field) {
    auto* model = new ChoiceField;
    model->setObjectName(qstr(field.key));
    model->setGrouping(modelGroup);
    for (const CatalogEntry& e : builtInModels()) model->addChoice(qstr(e.id), qstr(e.name), qstr(e.summary));
    model->insertSeparator(model->count());
    model->addChoice(openModelId, tr("Open a file …"));
    connect(model, &ChoiceField::chosen, this, &RecipePanel::chooseModel);
    auto* about = smallButton("info", tr("What this model is"));
    connect(about, &QToolButton::clicked, this, &RecipePanel::modelCardRequested);
    FormRow* row = addRow(field, fieldWithButton(model, about), FormRow::Layout::Above);
    return {&field, row, [model](const Recipe& r) {
                if (model->findData(qstr(r.model)) < 0)
                    model->insertItem(model->count() - 2, modelLabel(r.model), qstr(r.model));
                model->setChoice(qstr(r.model));
            }};
}

void RecipePanel::chooseModel(const QString& id) {
    if (id == openModelId) {
        widget<ChoiceField>("model")->setChoice(qstr(m_document.draft().model));
        emit openModelRequested();
        return;
    }
    m_document.useModel(id);
}

RecipePanel::Row RecipePanel::build(const RecipeField&, std::optional<BranchPoint> Recipe::*member) {
    auto* card = new QFrame;
    card->setProperty("card", "true");
    auto* line = new QHBoxLayout(card);
    line->setContentsMargins(8, 3, 3, 3);
    auto* text = new QLabel;
    text->setWordWrap(true);
    auto* clear = smallButton("close", tr("Start from noise again"));
    line->addWidget(text, 1);
    line->addWidget(clear);
    connect(clear, &QToolButton::clicked, this,
            [this, member] { edit(tr("start from noise"), {}, [member](Recipe& r) { (r.*member).reset(); }); });
    m_rows->addWidget(card);
    return {nullptr, nullptr, [this, card, text, member](const Recipe& r) {
                const auto& branch = r.*member;
                card->setVisible(branch.has_value());
                if (!branch) return;
                const RunPtr parent = m_document.run(qstr(branch->run));
                text->setText(parent ? tr("Continues run %1 from step %2").arg(parent->number).arg(branch->step)
                                     : tr("Continues a run that is gone"));
            }};
}

// Text that is valid at every letter: it is the draft's at once, and one visit to the field is one undo step.
RecipePanel::Row RecipePanel::buildPrompt(const RecipeField& field, std::string Recipe::*member) {
    const bool isMain = field.key == "prompt";
    auto* prompt = isMain ? new PromptField(2, 6) : new PromptField(1, 4);
    prompt->setObjectName(qstr(field.key));
    prompt->setPlaceholderText(isMain ? tr("What to draw") : tr("none"));
    FormRow* row = addRow(field, prompt, FormRow::Layout::Above);
    connect(prompt, &QPlainTextEdit::textChanged, this, [this, prompt, &field, member] {
        edit(qstr(field.label), QStringLiteral("%1/%2").arg(qstr(field.key)).arg(m_promptSession),
             [&](Recipe& r) { r.*member = prompt->toPlainText().toStdString(); });
    });
    connect(prompt, &PromptField::left, this, [this] { ++m_promptSession; });
    return {&field, row, [prompt, member](const Recipe& r) {
                const QString next = qstr(r.*member);
                if (prompt->toPlainText() != next) prompt->setPlainText(next);
            }};
}

RecipePanel::Row RecipePanel::buildChoices(const RecipeField& field) {
    auto* choice = new ChoiceField;
    choice->setObjectName(qstr(field.key));
    for (const FieldChoice& c : field.choices) choice->addChoice(qstr(c.id), qstr(c.label), qstr(c.help));
    FormRow* row = addRow(field, choice);
    connect(choice, &ChoiceField::chosen, this, [this, &field](const QString& id) { editText(field, id); });
    return {&field, row, [choice, &field](const Recipe& r) { choice->setChoice(qstr(display(field, r))); }};
}

RecipePanel::Row RecipePanel::build(const RecipeField& field, AttentionLevel Recipe::*) { return buildChoices(field); }

// The names of classes are the model's.
// A class is chosen from the model's list; a size is a number, or the model's own.
RecipePanel::Row RecipePanel::build(const RecipeField& field, std::optional<int> Recipe::*member) {
    if (!field.unit.empty()) {
        auto* number = new IntegerField;
        number->setObjectName(qstr(field.key));
        number->setRange(field.minimum - 1, field.maximum);
        number->setSpecialValueText(tr("the model's own"));
        number->setSuffix(" " + qstr(field.unit));
        FormRow* row = addRow(field, number);
        const int none = field.minimum - 1;
        connect(number, &QSpinBox::valueChanged, this, [this, &field, member, none](int n) {
            edit(qstr(field.label), qstr(field.key),
                 [&](Recipe& r) { r.*member = n == none ? std::nullopt : std::optional(n); });
        });
        return {&field, row, [number, member, none](const Recipe& r) {
                    const int n = (r.*member).value_or(none);
                    if (number->value() != n) number->setValue(n);
                }};
    }
    auto* choice = new ChoiceField;
    choice->setObjectName(qstr(field.key));
    FormRow* row = addRow(field, choice);
    connect(choice, &ChoiceField::chosen, this, [this, &field](const QString& id) { editText(field, id); });
    return {&field, row, [choice, member](const Recipe& r) {
                choice->setChoice(r.*member ? QString::number(*(r.*member)) : QString());
            }};
}

RecipePanel::Row RecipePanel::build(const RecipeField& field, int Recipe::*member) {
    auto* number = new IntegerField;
    number->setObjectName(qstr(field.key));
    number->setRange(field.minimum, field.maximum);
    FormRow* row = addRow(field, number);
    connect(number, &QSpinBox::valueChanged, this, [this, &field, member](int n) {
        edit(qstr(field.label), qstr(field.key), [&](Recipe& r) { r.*member = n; });
    });
    return {&field, row, [number, member](const Recipe& r) {
                if (number->value() != r.*member) number->setValue(r.*member);
            }};
}

// A seed: more digits than a spin box counts, and a die for another one.
RecipePanel::Row RecipePanel::build(const RecipeField& field, std::uint64_t Recipe::*member) {
    auto* line = new ValueLine([&field](const QString& text) {
        try {
            Recipe scratch;
            fieldFromText(field, scratch, text.trimmed().toStdString());
            return QString();
        } catch (const Failure& e) {
            return qstr(e.what());
        }
    });
    line->setObjectName(qstr(field.key));
    line->setAccessibleName(qstr(field.label));
    line->setFont(numberFont());
    auto* dice = smallButton("dice", tr("Another seed"));
    dice->setObjectName("dice");
    FormRow* row = addRow(field, fieldWithButton(line, dice));
    connect(line, &ValueLine::committed, this,
            [this, &field](const QString& text) { editText(field, text.trimmed()); });
    connect(line, &ValueLine::problemChanged, this, &RecipePanel::collectProblems);
    connect(dice, &QToolButton::clicked, this, [this, &field, member] {
        edit(qstr(field.label), {},
             [member](Recipe& r) { r.*member = QRandomGenerator::global()->bounded(1u, 1'000'000u); });
    });
    m_lines.push_back(line);
    return {&field, row, [line, member](const Recipe& r) { line->showValue(QString::number(r.*member)); }};
}

RecipePanel::Row RecipePanel::build(const RecipeField& field, bool Recipe::*member) {
    auto* box = new QCheckBox(qstr(field.label));
    box->setObjectName(qstr(field.key));
    box->setProperty("muted", true);
    box->setToolTip(qstr(field.help));
    m_rows->addWidget(box);
    connect(box, &QCheckBox::clicked, this,
            [this, &field, member](bool on) { edit(qstr(field.label), {}, [&](Recipe& r) { r.*member = on; }); });
    return {&field, nullptr, [box, member](const Recipe& r) { box->setChecked(r.*member); }};
}

// A table's row and its parameters, edited as one value of the recipe.
RecipePanel::Row RecipePanel::build(const RecipeField& field, Choice Recipe::*member) {
    auto* section =
        new ChoiceSection(qstr(field.shortLabel.empty() ? field.label : field.shortLabel), choiceEntries(field.key));
    section->field()->setObjectName(qstr(field.key));
    m_rows->addWidget(section);
    m_sections.push_back(section);
    connect(section->form(), &ParamForm::problemsChanged, this, &RecipePanel::collectProblems);
    connect(section, &ChoiceSection::edited, this, [this, &field, member](const Choice& c, const std::string& param) {
        edit(qstr(field.label), param.empty() ? QString() : qstr(field.key + '.' + param), [&](Recipe& r) {
            r.*member = c;
            // Who starts from another run most often means the one that is shown.
            if (member == &Recipe::start && c.id == "run" && c.params.empty()
                && m_document.run(m_selection.currentRun()))
                r.start.params["run"] = m_selection.currentRun().toStdString();
        });
    });
    return {&field, nullptr, [section, member](const Recipe& r) { section->setChoice(r.*member); },
            [section, member](const Recipe* other) { section->setReference(other ? &(other->*member) : nullptr); }};
}

RecipePanel::Row RecipePanel::build(const RecipeField& field, std::vector<Choice> Recipe::*member) {
    const QString key = qstr(field.key);
    const StackWords words = wordsOf(field);
    auto* stack = new RuleStack(words, choiceEntries(field.key));
    stack->setObjectName(key);
    stack->addField()->setObjectName("add." + key);
    m_rows->addWidget(stack);
    m_stacks.push_back(stack);
    connect(stack, &RuleStack::problemsChanged, this, &RecipePanel::collectProblems);
    connect(stack, &RuleStack::edited, this,
            [this, key, member, name = words.one](const std::vector<Choice>& rules, const std::string& param) {
                edit(name, param.empty() ? QString() : key + '.' + qstr(param), [&](Recipe& r) { r.*member = rules; });
            });
    return {&field, nullptr, [stack, member](const Recipe& r) { stack->setRules(r.*member); },
            [stack, member](const Recipe* other) { stack->setReference(other ? &(other->*member) : nullptr); }};
}

}  // namespace meander::gui
