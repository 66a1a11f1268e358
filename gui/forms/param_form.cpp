#include "gui/forms/param_form.h"

#include <QCheckBox>
#include <QCoreApplication>

#include "engine/core/switched.h"
#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/optional_field.h"
#include "gui/widgets/path_field.h"
#include "gui/widgets/value_line.h"

namespace meander::gui {
namespace {

// Beyond it a spin box of Qt cannot count.
constexpr double mostSpun = 2e9;

bool isTyped(const ParamSpec& s) {
    return s.kind == ParamKind::Text || s.kind == ParamKind::List
           || (s.kind == ParamKind::Integer && s.maximum > mostSpun);
}

QString helpOf(const ParamSpec& s) {
    QString help = qstr(s.help);
    const QString usual = s.optional ? QCoreApplication::translate("ParamForm", "not set")
                          : s.kind == ParamKind::Percent
                              ? numberText(std::get<double>(s.defaultValue) * 100, 6) + QStringLiteral(" %")
                              : qstr(display(s.defaultValue));
    if (s.kind == ParamKind::Percent)
        help += QCoreApplication::translate("ParamForm", "\nFrom %1 % to %2 %, default %3.")
                    .arg(numberText(s.minimum * 100, 6), numberText(s.maximum * 100, 6), usual);
    else if (s.kind == ParamKind::Integer || isReal(s.kind))
        help += QCoreApplication::translate("ParamForm", "\nFrom %1 to %2%3, default %4.")
                    .arg(numberText(s.minimum, 6), numberText(s.maximum, 6),
                         s.unit.empty() ? QString() : ' ' + qstr(s.unit), usual);
    return help.trimmed();
}

}  // namespace

ParamForm::ParamForm(QWidget* parent) : QWidget(parent), m_box(new QVBoxLayout(this)) {
    m_box->setContentsMargins(0, 0, 0, 0);
    m_box->setSpacing(metrics::rowGap);
}

QWidget* ParamForm::makeInteger(const ParamSpec& spec, Entry& entry) {
    auto* field = new IntegerField(this);
    field->setRange(int(std::max(spec.minimum, -mostSpun)), int(std::min(spec.maximum, mostSpun)));
    field->setSingleStep(std::max(1, int(spec.step)));
    if (!spec.unit.empty()) field->setSuffix(' ' + qstr(spec.unit));
    entry.show = [field](const ParamValue& v) {
        if (const auto* i = std::get_if<std::int64_t>(&v); i && field->value() != *i) field->setValue(int(*i));
    };
    connect(field, &QSpinBox::valueChanged, this, [this, key = spec.key](int v) {
        if (!m_showing) emit edited(key, std::int64_t(v));
    });
    return field;
}

QWidget* ParamForm::makeReal(const ParamSpec& spec, Entry& entry) {
    auto* field = new RealField(this);
    field->setRange(spec.minimum, spec.maximum);
    field->setSingleStep(spec.step > 0 ? spec.step : 0.01);
    field->setLogarithmic(spec.logarithmic);
    const bool isPercent = spec.kind == ParamKind::Percent;  // "30 % of steps"
    field->setPercent(isPercent);
    const QString unit = qstr(unitText(spec));
    if (isPercent) field->setSuffix(QStringLiteral(" % ") + unit);
    else if (!unit.isEmpty()) field->setSuffix(' ' + unit);
    entry.show = [field](const ParamValue& v) {
        const double d = std::holds_alternative<std::int64_t>(v) ? double(std::get<std::int64_t>(v))
                         : std::holds_alternative<double>(v)     ? std::get<double>(v)
                                                                 : 0;
        if (field->value() != d) field->setValue(d);
    };
    connect(field, &QDoubleSpinBox::valueChanged, this, [this, key = spec.key](double v) {
        if (!m_showing) emit edited(key, v);
    });
    return field;
}

QWidget* ParamForm::makeChoice(const ParamSpec& spec, Entry& entry) {
    auto* field = new ChoiceField(this);
    for (const auto& c : spec.choices) field->addChoice(qstr(c.id), qstr(c.label));
    entry.show = [field](const ParamValue& v) {
        if (const auto* s = std::get_if<std::string>(&v)) field->setChoice(qstr(*s));
    };
    connect(field, &ChoiceField::chosen, this,
            [this, key = spec.key](const QString& id) { emit edited(key, id.toStdString()); });
    return field;
}

QWidget* ParamForm::makeText(const ParamSpec& spec, Entry& entry) {
    auto* field = new ValueLine(
        [spec](const QString& text) {
            const auto value = parseParam(spec, text.toStdString());
            return value ? QString() : qstr(value.error().text);
        },
        this);
    field->setFont(numberFont());
    if (spec.kind == ParamKind::List) field->setPlaceholderText(tr("numbers, with commas"));
    entry.show = [field](const ParamValue& v) { field->showValue(qstr(display(v))); };
    connect(field, &ValueLine::committed, this, [this, spec](const QString& text) {
        if (const auto value = parseParam(spec, text.toStdString())) emit edited(spec.key, *value);
    });
    connect(field, &ValueLine::problemChanged, this, &ParamForm::problemsChanged);
    return field;
}

QWidget* ParamForm::makePath(const ParamSpec& spec, Entry& entry) {
    auto* field =
        new PathField(spec.kind == ParamKind::Image ? tr("Images (*.png)")
                                                    : tr("Images and points (*.png *.csv *.json *.npy);;All files (*)"),
                      this);
    entry.show = [field](const ParamValue& v) { field->setPath(qstr(display(v))); };
    connect(field, &PathField::edited, this,
            [this, key = spec.key](const QString& path) { emit edited(key, path.toStdString()); });
    return field;
}

void ParamForm::fillRuns(ChoiceField* field) const {
    const QString now = field->choice();
    const QSignalBlocker quiet(field);
    field->clear();
    field->addChoice(QString(), m_runs.isEmpty() ? tr("no run yet") : tr("choose a run"));
    for (const auto& [id, name] : m_runs) field->addChoice(id, name);
    field->setChoice(now);
}

QWidget* ParamForm::makeRun(const ParamSpec& spec, Entry& entry) {
    auto* field = new ChoiceField(this);
    field->setProperty("runs", true);
    fillRuns(field);
    entry.show = [field](const ParamValue& v) { field->setChoice(qstr(display(v))); };
    connect(field, &ChoiceField::chosen, this,
            [this, key = spec.key](const QString& id) { emit edited(key, id.toStdString()); });
    return field;
}

QWidget* ParamForm::makeField(const ParamSpec& spec, Entry& entry) {
    if (spec.kind == ParamKind::File || spec.kind == ParamKind::Image) return makePath(spec, entry);
    if (spec.kind == ParamKind::Run) return makeRun(spec, entry);
    if (isTyped(spec)) return makeText(spec, entry);
    if (spec.kind == ParamKind::Integer) return makeInteger(spec, entry);
    if (isReal(spec.kind)) return makeReal(spec, entry);
    if (spec.kind == ParamKind::Choice) return makeChoice(spec, entry);
    auto* field = new QCheckBox(this);
    entry.show = [field](const ParamValue& v) {
        field->setChecked(std::holds_alternative<bool>(v) && std::get<bool>(v));
    };
    connect(field, &QCheckBox::clicked, this, [this, key = spec.key](bool on) { emit edited(key, on); });
    return field;
}

QVBoxLayout* ParamForm::addFold() {
    auto* toggle = new QPushButton(tr("More settings"), this);
    toggle->setProperty("link", true);
    toggle->setIcon(icon("chevron-right", IconTone::Accent));
    toggle->setCheckable(true);
    m_advanced = new QWidget(this);
    m_advanced->hide();
    auto* folded = new QVBoxLayout(m_advanced);
    folded->setContentsMargins(0, 0, 0, 0);
    folded->setSpacing(metrics::rowGap);
    connect(toggle, &QPushButton::toggled, m_advanced, [toggle, advanced = m_advanced](bool on) {
        advanced->setVisible(on);
        toggle->setText(on ? tr("Fewer settings") : tr("More settings"));
        toggle->setIcon(icon(on ? "chevron-down" : "chevron-right", IconTone::Accent));
    });
    m_box->addWidget(toggle, 0, Qt::AlignLeft);
    return folded;
}

void ParamForm::addRow(const ParamSpec& spec, QVBoxLayout* into) {
    Entry entry;
    entry.field = makeField(spec, entry);
    entry.field->setObjectName(QStringLiteral("param.%1").arg(qstr(spec.key)));
    QWidget* shown = entry.field;
    if (spec.optional) {
        shown = entry.optional = new OptionalField(entry.field, tr("not set"), this);
        connect(entry.optional, &OptionalField::switched, this,
                [this, key = spec.key, value = spec.defaultValue](bool on) {
                    if (on) emit edited(key, value);
                    else emit cleared(key);
                });
    }
    entry.row = new FormRow(qstr(spec.label), shown, this);
    entry.row->setHelp(helpOf(spec));
    entry.field->setToolTip(helpOf(spec));
    connect(entry.row, &FormRow::resetRequested, this, [this, spec, line = qobject_cast<ValueLine*>(entry.field)] {
        if (line) line->restore();
        if (spec.optional) emit cleared(spec.key);
        else emit edited(spec.key, spec.defaultValue);
    });
    into->addWidget(entry.row);
    m_entries.emplace(spec.key, std::move(entry));
}

void ParamForm::setSpecs(const std::string& owner, const std::vector<ParamSpec>& specs) {
    if (owner == m_owner) return;
    m_owner = owner;
    m_specs.clear();
    // The list that a rule stands in has the switch.
    std::copy_if(specs.begin(), specs.end(), std::back_inserter(m_specs),
                 [](const ParamSpec& s) { return s.key != enabledKey; });
    m_entries.clear();
    m_advanced = nullptr;
    while (QLayoutItem* item = m_box->takeAt(0)) {
        if (QWidget* w = item->widget()) {
            w->hide();
            w->deleteLater();
        }
        delete item;
    }
    for (const ParamSpec& spec : m_specs)
        if (!spec.advanced) addRow(spec, m_box);
    QVBoxLayout* folded = nullptr;
    for (const ParamSpec& spec : m_specs)
        if (spec.advanced) addRow(spec, folded ? folded : folded = addFold());
    if (m_advanced) m_box->addWidget(m_advanced);
    setVisible(!m_specs.empty());
    emit problemsChanged();  // those of the rows before are gone
}

QStringList ParamForm::problems() const {
    QStringList list;
    for (const ParamSpec& spec : m_specs) {
        const auto* line = qobject_cast<ValueLine*>(m_entries.at(spec.key).field);
        if (line && !line->problem().isEmpty()) list.append(line->problem());
    }
    return list;
}

void ParamForm::setValues(const Params& values) {
    m_values = values;
    m_showing = true;
    for (const ParamSpec& spec : m_specs) {
        const Entry& entry = m_entries.at(spec.key);
        const auto it = values.find(spec.key);
        const bool has = it != values.end();
        const ParamValue& value = has ? it->second : spec.defaultValue;
        if (entry.optional) entry.optional->setPresent(has);
        if (auto* line = qobject_cast<ValueLine*>(entry.field); line && spec.optional && !has) line->restore();
        entry.show(value);
        entry.row->setResettable(spec.optional ? has : value != spec.defaultValue,
                                 spec.optional ? tr("not set") : qstr(display(spec.defaultValue)));
    }
    m_showing = false;
}

QString ParamForm::shown(const ParamSpec& spec, const Params& params) const {
    const auto it = params.find(spec.key);
    if (it == params.end() && spec.optional) return tr("not set");
    const QString text = qstr(display(it == params.end() ? spec.defaultValue : it->second));
    return text.isEmpty() ? tr("nothing") : text;
}

void ParamForm::setReference(const Params* reference) {
    for (const ParamSpec& spec : m_specs) {
        const QString theirs = reference ? shown(spec, *reference) : QString();
        m_entries.at(spec.key).row->setDifference(reference && theirs != shown(spec, m_values) ? theirs : QString());
    }
}

void ParamForm::setRuns(const QList<std::pair<QString, QString>>& runs) {
    if (runs == m_runs) return;
    m_runs = runs;
    for (const auto& [key, entry] : m_entries)
        if (entry.field->property("runs").toBool()) fillRuns(static_cast<ChoiceField*>(entry.field));
}

QWidget* ParamForm::field(const std::string& key) const {
    const auto it = m_entries.find(key);
    return it == m_entries.end() ? nullptr : it->second.field;
}

OptionalField* ParamForm::optionalField(const std::string& key) const {
    const auto it = m_entries.find(key);
    return it == m_entries.end() ? nullptr : it->second.optional;
}

}  // namespace meander::gui
