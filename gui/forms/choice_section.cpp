#include "gui/forms/choice_section.h"

#include "engine/core/switched.h"
#include "engine/run/recipe_tables.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"

namespace meander::gui {
std::vector<ChoiceEntry> choiceEntries(const std::string& field) {
    std::vector<ChoiceEntry> entries;
    const ChoiceTable* table = choiceTable(field);
    if (!table) return entries;
    for (const ChoiceRow& row : table->rows) {
        const QString help = qstr(row.summary) + (row.source.empty() ? QString() : '\n' + qstr(row.source));
        entries.push_back({qstr(row.id), qstr(row.label), help, qstr(row.group), row.params});
    }
    return entries;
}

ChoiceSection::ChoiceSection(const QString& label, std::vector<ChoiceEntry> entries, QWidget* parent, Grouping grouping,
                             FormRow::Layout layout)
    : QWidget(parent),
      m_entries(std::move(entries)),
      m_field(new ChoiceField),
      m_row(new FormRow(label, m_field, this, layout)),
      m_form(new ParamForm(this)) {
    for (const ChoiceEntry& e : m_entries) m_field->addChoice(e.id, e.label, e.help);
    m_field->setDescribed(true);
    m_field->setGrouping([this, grouping](const QString& id) {
        const ChoiceEntry* e = entry(id);
        return !e ? QString() : grouping ? grouping(*e) : e->group;
    });
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(metrics::rowGap);
    box->addWidget(m_row);
    box->addWidget(m_form);
    if (layout == FormRow::Layout::Beside)
        m_form->setContentsMargins(metrics::panelPadding, 0, 0, 0);  // a card is indented already
    connect(m_field, &ChoiceField::chosen, this, [this](const QString& id) {
        if (id.toStdString() == m_choice.id) return;
        Choice next{id.toStdString(), {}};
        if (isSwitchedOff(m_choice)) next.params[enabledKey] = false;  // another rule in a place that is off
        emit edited(next, {});
    });
    connect(m_form, &ParamForm::edited, this, [this](const std::string& key, const ParamValue& value) {
        Choice next = m_choice;
        next.params[key] = value;
        emit edited(next, key);
    });
    connect(m_form, &ParamForm::cleared, this, [this](const std::string& key) {
        Choice next = m_choice;
        next.params.erase(key);
        emit edited(next, key);
    });
}

const ChoiceEntry* ChoiceSection::entry(const QString& id) const {
    for (const ChoiceEntry& e : m_entries)
        if (e.id == id) return &e;
    return nullptr;
}

void ChoiceSection::setChoice(const Choice& choice) {
    m_choice = choice;
    const QString id = qstr(choice.id);
    m_field->setChoice(id);
    const ChoiceEntry* e = entry(id);
    m_row->setHelp(e ? e->help : tr("This version does not know it."));
    static const std::vector<ParamSpec> none;
    m_form->setSpecs(choice.id, e ? *e->specs : none);
    m_form->setValues(choice.params);
}

void ChoiceSection::setReference(const Choice* reference) {
    const bool isOther = reference && reference->id != m_choice.id;
    const ChoiceEntry* e = isOther ? entry(qstr(reference->id)) : nullptr;
    m_row->setDifference(isOther ? (e ? e->label : qstr(reference->id)) : QString());
    m_form->setReference(isOther || !reference ? nullptr : &reference->params);
}

}  // namespace meander::gui
