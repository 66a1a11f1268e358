#include "gui/forms/choice_section.h"

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/run/initial_state.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

// Rows may name their group themselves.
template <class Row> QString ownGroup(const Row& row) {
    if constexpr (requires { row.group.c_str(); }) return qstr(row.group);
    else return {};
}

template <class Row>
std::vector<ChoiceEntry> entriesOf(const std::vector<Row>& table, QString (*otherwise)(const Row&)) {
    std::vector<ChoiceEntry> entries;
    for (const Row& row : table) {
        QString help = qstr(row.summary);
        if constexpr (requires { row.source.c_str(); })
            if (!row.source.empty()) help += "\n" + qstr(row.source);
        const QString group = ownGroup(row);
        entries.push_back(
            {qstr(row.id), qstr(row.label), help, group.isEmpty() && otherwise ? otherwise(row) : group, &row.params});
    }
    return entries;
}

QString kindOf(const SamplerInfo& s) {
    if (!s.madeFor.empty()) return ChoiceSection::tr("Few-step models");
    if (s.stochastic) return ChoiceSection::tr("Stochastic");
    return s.order <= 1 ? ChoiceSection::tr("Deterministic, first order")
                        : ChoiceSection::tr("Deterministic, higher order");
}

}  // namespace

std::vector<ChoiceEntry> samplerEntries() { return entriesOf<SamplerInfo>(samplers(), kindOf); }
std::vector<ChoiceEntry> operatorEntries() { return entriesOf<ScheduleOperatorInfo>(scheduleOperators(), nullptr); }
std::vector<ChoiceEntry> noiseEntries() { return entriesOf<NoiseInfo>(noiseSources(), nullptr); }
std::vector<ChoiceEntry> startEntries() { return entriesOf<StartInfo>(starts(), nullptr); }
std::vector<ChoiceEntry> scheduleEntries() { return entriesOf<ScheduleInfo>(schedules(), nullptr); }
std::vector<ChoiceEntry> guidanceEntries() { return entriesOf<GuidanceRule>(guidanceRules(), nullptr); }

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
