#include "gui/panels/recipe/param_form.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QStyle>

#include "gui/app/icons.h"
#include "gui/app/theme.h"
#include "gui/document/run_text.h"

namespace meander::gui {
namespace {

bool isShareOf(const ParamSpec& s) { return s.kind == ParamKind::Real && s.minimum >= 0 && s.maximum <= 1 && s.unit.starts_with("of "); }

QString helpOf(const ParamSpec& s) {
    QString help = qstr(s.help);
    if (isShareOf(s))
        help += QCoreApplication::translate("ParamForm", "\nFrom %1 % to %2 %, default %3 %.").arg(numberText(s.minimum * 100, 6), numberText(s.maximum * 100, 6), numberText(std::get<double>(s.defaultValue) * 100, 6));
    else if (s.kind == ParamKind::Integer || s.kind == ParamKind::Real)
        help += QCoreApplication::translate("ParamForm", "\nFrom %1 to %2, default %3.").arg(numberText(s.minimum, 6), numberText(s.maximum, 6), qstr(display(s.defaultValue)));
    return help.trimmed();
}

}  // namespace

ParamForm::ParamForm(QWidget* parent) : QWidget(parent), m_box(new QVBoxLayout(this)) {
    m_box->setContentsMargins(0, 0, 0, 0);
    m_box->setSpacing(metrics::rowGap);
}

QWidget* ParamForm::makeInteger(const ParamSpec& spec, Entry& entry) {
    auto* field = new IntegerField(this);
    field->setRange(int(std::max(spec.minimum, -2e9)), int(std::min(spec.maximum, 2e9)));
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
    // A fraction of something is read as per cent of it: "30 % of steps".
    const bool isShare = isShareOf(spec);
    field->setPercent(isShare);
    if (!spec.unit.empty()) field->setSuffix((isShare ? QStringLiteral(" % ") : QStringLiteral(" ")) + qstr(spec.unit));
    entry.show = [field](const ParamValue& v) {
        const double d = std::holds_alternative<std::int64_t>(v) ? double(std::get<std::int64_t>(v)) : std::holds_alternative<double>(v) ? std::get<double>(v) : 0;
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
    connect(field, &ChoiceField::chosen, this, [this, key = spec.key](const QString& id) { emit edited(key, id.toStdString()); });
    return field;
}

QWidget* ParamForm::makeText(const ParamSpec& spec, Entry& entry) {
    auto* field = new QLineEdit(this);
    field->setFont(numberFont());
    if (spec.kind == ParamKind::List) field->setPlaceholderText(tr("numbers, with commas"));
    entry.show = [field](const ParamValue& v) {
        field->setText(qstr(display(v)));
        field->setProperty("invalid", false);
    };
    connect(field, &QLineEdit::textEdited, this, [this, field, spec](const QString& text) {
        const auto value = parseParam(spec, text.toStdString());
        field->setProperty("invalid", !value.ok());
        field->setToolTip(value ? helpOf(spec) : qstr(value.error().text));
        field->style()->unpolish(field);
        field->style()->polish(field);
        if (!value) return;
        m_showing = true;  // the text stays as it was typed
        emit edited(spec.key, *value);
        m_showing = false;
    });
    return field;
}

QWidget* ParamForm::makeField(const ParamSpec& spec, Entry& entry) {
    switch (spec.kind) {
        case ParamKind::Integer: return makeInteger(spec, entry);
        case ParamKind::Real: return makeReal(spec, entry);
        case ParamKind::Choice: return makeChoice(spec, entry);
        case ParamKind::Text:
        case ParamKind::List: return makeText(spec, entry);
        case ParamKind::Toggle: break;
    }
    auto* field = new QCheckBox(this);
    entry.show = [field](const ParamValue& v) { field->setChecked(std::holds_alternative<bool>(v) && std::get<bool>(v)); };
    connect(field, &QCheckBox::clicked, this, [this, key = spec.key](bool on) { emit edited(key, on); });
    return field;
}

void ParamForm::setSpecs(const std::string& owner, const std::vector<ParamSpec>& specs) {
    if (owner == m_owner) return;
    m_owner = owner;
    m_specs = specs;
    m_entries.clear();
    m_advanced = nullptr;
    while (QLayoutItem* item = m_box->takeAt(0)) {
        if (QWidget* w = item->widget()) {
            w->hide();
            w->deleteLater();
        }
        delete item;
    }
    QVBoxLayout* folded = nullptr;
    for (const ParamSpec& spec : m_specs) {
        Entry entry;
        QWidget* field = makeField(spec, entry);
        field->setObjectName(QStringLiteral("param.%1").arg(qstr(spec.key)));
        entry.row = new FormRow(qstr(spec.label), field, this);
        entry.row->setHelp(helpOf(spec));
        connect(entry.row, &FormRow::resetRequested, this, [this, key = spec.key, value = spec.defaultValue] { emit edited(key, value); });
        if (spec.advanced && !folded) {
            auto* toggle = new QPushButton(tr("More settings"), this);
            toggle->setProperty("link", true);
            toggle->setIcon(icon("chevron-right", IconTone::Accent));
            toggle->setCheckable(true);
            m_advanced = new QWidget(this);
            m_advanced->hide();
            folded = new QVBoxLayout(m_advanced);
            folded->setContentsMargins(0, 0, 0, 0);
            folded->setSpacing(metrics::rowGap);
            connect(toggle, &QPushButton::toggled, m_advanced, [toggle, advanced = m_advanced](bool on) {
                advanced->setVisible(on);
                toggle->setIcon(icon(on ? "chevron-down" : "chevron-right", IconTone::Accent));
            });
            m_box->addWidget(toggle, 0, Qt::AlignLeft);
        }
        (spec.advanced ? folded : m_box)->addWidget(entry.row);
        m_entries.emplace(spec.key, std::move(entry));
    }
    if (m_advanced) m_box->addWidget(m_advanced);
    setVisible(!m_specs.empty());
}

ParamValue ParamForm::valueOf(const ParamSpec& spec, const Params& params) const {
    const auto it = params.find(spec.key);
    return it == params.end() ? spec.defaultValue : it->second;
}

void ParamForm::setValues(const Params& values) {
    m_values = values;
    const bool typing = m_showing;
    m_showing = true;
    for (const ParamSpec& spec : m_specs) {
        const Entry& entry = m_entries.at(spec.key);
        const ParamValue value = valueOf(spec, values);
        const bool isText = spec.kind == ParamKind::Text || spec.kind == ParamKind::List;
        if (!(typing && isText && entry.row->field()->hasFocus())) entry.show(value);
        entry.row->setResettable(value != spec.defaultValue, qstr(display(spec.defaultValue)));
    }
    m_showing = typing;
}

void ParamForm::setReference(const Params* reference) {
    for (const ParamSpec& spec : m_specs) {
        const ParamValue mine = valueOf(spec, m_values);
        const QString other = reference && valueOf(spec, *reference) != mine ? qstr(display(valueOf(spec, *reference))) : QString();
        m_entries.at(spec.key).row->setDifference(reference && !other.isEmpty() ? other : QString());
    }
}

QWidget* ParamForm::field(const std::string& key) const {
    const auto it = m_entries.find(key);
    return it == m_entries.end() ? nullptr : it->second.row->field();
}

}  // namespace meander::gui
