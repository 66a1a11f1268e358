#include "gui/panels/recipe/recipe_panel.h"

#include <algorithm>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/widgets/tab_order.h"

namespace meander::gui {

RecipePanel::RecipePanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
    setObjectName("recipePanel");
    setProperty("panel", true);
    setProperty("helpPage", "samplers.md");
    auto* scroll = new QScrollArea(this);
    auto* content = new QWidget(scroll->viewport());
    content->setProperty("panel", true);
    m_rows = new QVBoxLayout(content);
    m_rows->setContentsMargins(metrics::panelPadding, 4, metrics::panelPadding, metrics::panelPadding);
    m_rows->setSpacing(metrics::rowGap);
    for (const char* group : {"", "Sampling", "Schedule", "Guidance", "Noise", "Run"}) buildGroup(group);
    m_rows->addStretch();
    new LayoutTabOrder(content);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_card = new PlanCard(this);
    auto* cardBox = new QVBoxLayout;
    cardBox->setContentsMargins(metrics::panelPadding, 8, metrics::panelPadding, metrics::panelPadding);
    cardBox->addWidget(m_card);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addWidget(scroll, 1);
    box->addLayout(cardBox);
    connect(&m_document, &Document::draftChanged, this, [this] {
        show();
        showDifferences();
        collectProblems();
        showCard();
    });
    connect(&m_document, &Document::planChanged, this, [this] {
        showModel();
        showDifferences();
        showPlan();
        showCard();
    });
    connect(&m_document, &Document::runsChanged, this, &RecipePanel::showRuns);
    connect(&m_document, &Document::runFinished, this, &RecipePanel::showRuns);
    connect(&m_selection, &SelectionModel::runChanged, this, [this] {
        showDifferences();
        showPlan();
    });
    showRuns();
    show();
    showModel();
    m_card->show(m_document.draftPlan(), true, false);
}

void RecipePanel::buildGroup(const std::string& group) {
    std::vector<const RecipeField*> fields;
    for (const RecipeField& f : recipeFields())
        if (f.group == group) fields.push_back(&f);
    std::stable_sort(fields.begin(), fields.end(), [](const auto* a, const auto* b) { return a->place < b->place; });
    if (!group.empty()) addHead(qstr(group));
    for (const RecipeField* f : fields) {
        m_fields.push_back(std::visit([&](auto member) { return build(*f, member); }, f->member));
        m_fields.back().field = f;
    }
    if (group != "Schedule") return;
    m_rows->addWidget(m_preview = new SchedulePreview);
    connect(m_preview, &SchedulePreview::editRequested, this, &RecipePanel::scheduleEditorRequested);
}

void RecipePanel::addHead(const QString& text) {
    auto* head = new QLabel(text);
    head->setFont(headFont());
    head->setProperty("muted", true);
    head->setContentsMargins(0, 10, 0, 0);
    m_rows->addWidget(head);
}

FormRow* RecipePanel::addRow(const RecipeField& field, QWidget* widget, FormRow::Layout layout) {
    auto* row = new FormRow(qstr(field.shortLabel.empty() ? field.label : field.shortLabel), widget,
                            m_rows->parentWidget(), layout);
    if (!field.help.empty()) row->setHelp(qstr(field.help));
    m_rows->addWidget(row);
    connect(row, &FormRow::resetRequested, this, [this, &field] { reset(field); });
    return row;
}

FormRow* RecipePanel::row(const char* key) const {
    for (const Row& r : m_fields)
        if (r.field->key == key) return r.row;
    return nullptr;
}

void RecipePanel::edit(const QString& label, const QString& mergeKey, const std::function<void(Recipe&)>& change) {
    if (m_showing) return;
    Recipe next = m_document.draft();
    change(next);
    m_document.editDraft(next, label.toLower(), mergeKey);
}

void RecipePanel::editText(const RecipeField& field, const QString& text) {
    edit(qstr(field.label), {}, [&](Recipe& r) { fieldFromText(field, r, text.toStdString()); });
}

void RecipePanel::reset(const RecipeField& field) {
    const auto model = m_document.draftModel();
    if (!model) return;
    edit(tr("reset %1").arg(qstr(field.label)), {}, [&](Recipe& r) { copyField(field, recommendedRecipe(*model), r); });
}

void RecipePanel::collectProblems() {
    QStringList all;
    for (const ValueLine* line : m_lines)
        if (!line->problem().isEmpty()) all.append(line->problem());
    for (const ChoiceSection* s : m_sections) all += s->form()->problems();
    for (const RuleStack* s : m_stacks) all += s->problems();
    m_document.setInvalidFields(all);
}

void RecipePanel::focusPrompt() {
    auto* prompt = widget<PromptField>("prompt");
    (prompt->isVisible() ? static_cast<QWidget*>(prompt) : widget<IntegerField>("steps"))
        ->setFocus(Qt::ShortcutFocusReason);
}

}  // namespace meander::gui
