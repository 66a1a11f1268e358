#include "gui/panels/sweep/axis_row.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QMenu>
#include <QStyle>

#include "engine/recipe/recipe_fields.h"
#include "engine/run/recipe_settings.h"
#include "gui/look/icons.h"
#include "gui/look/text.h"
#include "gui/look/theme.h"
#include "gui/widgets/small_button.h"

namespace meander::gui {
namespace {

const QString together = QStringLiteral(";");  // in the place of a key: several settings

bool isSwept(const RecipeField& f) { return f.key != "branch" && f.key != "device"; }

QString labelOf(const std::string& key) { return qstr(settingLabel(key)); }

// The parameters of the rows that the recipe has chosen for a field, as keys of settings.
std::vector<std::pair<std::string, const ParamSpec*>> parametersOf(const RecipeField& f, const Recipe& r) {
    std::vector<std::pair<std::string, const ParamSpec*>> all;
    const auto add = [&](const Choice& c, const std::string& prefix) {
        if (const ChoiceRow* row = choiceTable(f.key)->find(c.id))
            for (const ParamSpec& s : *row->params) all.emplace_back(prefix + s.key, &s);
    };
    if (const auto* one = std::get_if<Choice Recipe::*>(&f.member)) add(r.**one, f.key + ".");
    if (const auto* list = std::get_if<std::vector<Choice> Recipe::*>(&f.member))
        for (std::size_t i = 0; i < (r.**list).size(); ++i)
            add((r.**list)[i],
                f.key + (i == 0 && f.key == "guidance" ? std::string(".") : "." + std::to_string(i) + "."));
    return all;
}

// Values to begin with, around the one that the recipe has.
QString around(double now, bool isWhole) {
    const double values[] = {now / 2, now, now * 2};
    QStringList texts;
    for (const double v : values) {
        const QString text = isWhole ? QString::number(std::max(1, qRound(v))) : QString::number(v, 'g', 4);
        if (!texts.contains(text)) texts.append(text);
    }
    return texts.join(',');
}

QString firstValues(const RecipeField& f, const std::string& key, const Recipe& r) {
    if (key == "seed") return QStringLiteral("%1:%2").arg(r.seed).arg(r.seed + 3);
    if (key == "prompt") return qstr(textOfValues({r.prompt}));
    if (const auto* number = std::get_if<int Recipe::*>(&f.member); number && key == f.key)
        return around(r.**number, true);
    for (const auto& [own, spec] : parametersOf(f, r)) {
        if (own != key) continue;
        Params given;
        if (const auto* one = std::get_if<Choice Recipe::*>(&f.member)) given = (r.**one).params;
        else if (const auto* list = std::get_if<std::vector<Choice> Recipe::*>(&f.member); list && !(r.**list).empty())
            given = (r.**list).front().params;
        const auto it = given.find(spec->key);
        const ParamValue value = it == given.end() ? spec->defaultValue : it->second;
        if (const auto* real = std::get_if<double>(&value)) return around(*real, false);
        if (const auto* whole = std::get_if<std::int64_t>(&value)) return around(double(*whole), true);
        return qstr(display(value));
    }
    const std::string text = display(f, r);
    return text == "–" ? QString() : qstr(textOfValues({text}));
}

}  // namespace

AxisRow::AxisRow(const Recipe& draft, int number, QWidget* parent)
    : QWidget(parent),
      m_draft(draft),
      m_key(new ChoiceField(this)),
      m_values(new QLineEdit(this)),
      m_more(smallButton("more", tr("Values to choose from"), this)) {
    m_key->setObjectName(QStringLiteral("axisKey%1").arg(number));
    m_key->setAccessibleName(tr("Setting on axis %1").arg(number));
    m_values->setObjectName(QStringLiteral("axisValues%1").arg(number));
    m_values->setAccessibleName(tr("Values on axis %1").arg(number));
    m_values->setToolTip(tr("Values with commas between: 1,2,4. From, to and by: 4:20:4. A file with one value a line: "
                            "@prompts.txt. A comma in a value is written \\,"));
    m_values->setEnabled(false);
    m_more->setEnabled(false);
    m_values->setPlaceholderText(tr("values: 1,2,4 or 4:20:4"));
    m_more->setPopupMode(QToolButton::InstantPopup);
    m_more->setMenu(new QMenu(m_more));
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(metrics::grid);
    box->addWidget(m_key, 4);
    box->addWidget(m_values, 5);
    box->addWidget(m_more);
    connect(m_key, &ChoiceField::chosen, this, &AxisRow::choose);
    connect(m_values, &QLineEdit::textChanged, this, &AxisRow::changed);
    connect(m_more->menu(), &QMenu::aboutToShow, this, &AxisRow::fillMenu);
}

void AxisRow::setRecipe(const Recipe& draft) {
    m_draft = draft;
    std::vector<std::pair<std::string, std::string>> offered;  // key, help
    for (const RecipeField& f : recipeFields()) {
        if (!isSwept(f)) continue;
        offered.emplace_back(f.key, f.help);
        for (const auto& [own, spec] : parametersOf(f, draft)) offered.emplace_back(own, spec->help);
    }
    if (offered == m_offered) return;
    m_offered = offered;
    const QString chosen = key();
    const QSignalBlocker quiet(m_key);
    m_key->clear();
    m_key->addChoice({}, tr("none"));
    for (const auto& [own, help] : offered) m_key->addChoice(qstr(own), labelOf(own), qstr(help));
    m_key->addChoice(together, tr("several together"),
                     tr("Settings that change together: sampler=heun,euler;steps=10,20"));
    m_key->setChoice(chosen);
    m_values->setEnabled(isUsed());
    m_more->setEnabled(isUsed());
}

void AxisRow::set(const QString& key, const QString& values) {
    {
        const QSignalBlocker quiet(m_key), quieter(m_values);
        m_key->setChoice(key);
        m_values->setText(values);
    }
    m_values->setEnabled(isUsed());
    m_more->setEnabled(isUsed());
    emit changed();
}

void AxisRow::choose(const QString& chosen) {
    const std::string key = chosen.toStdString();
    QString values;
    if (const RecipeField* f = findRecipeField(key.substr(0, key.find('.')))) values = firstValues(*f, key, m_draft);
    if (chosen == together)
        values = QStringLiteral("sampler=%1;steps=%2").arg(qstr(m_draft.sampler.id)).arg(m_draft.steps);
    set(chosen, values);
}

std::optional<SweepAxis> AxisRow::axis() const {
    if (!isUsed()) return {};
    const std::string values = m_values->text().trimmed().toStdString();
    if (key() == together) return sweepAxis(values);
    SweepAxis axis{{key().toStdString()}, {}};
    for (auto& v : sweepValues(values)) axis.values.push_back({std::move(v)});
    return axis;
}

void AxisRow::setInvalid(bool on) {
    if (m_values->property("invalid").toBool() == on) return;
    m_values->setProperty("invalid", on);
    m_values->style()->unpolish(m_values);
    m_values->style()->polish(m_values);
}

// The rows of a table or the choices of a field, ticked where they are among the values.
void AxisRow::fillMenu() {
    QMenu* menu = m_more->menu();
    menu->clear();
    const std::string own = key().toStdString();
    std::vector<std::pair<std::string, std::string>> offered;  // value, label
    if (const ChoiceTable* table = choiceTable(own))
        for (const ChoiceRow& row : table->rows) offered.emplace_back(row.id, row.label);
    else if (const RecipeField* f = findRecipeField(own))
        for (const FieldChoice& c : f->choices) offered.emplace_back(c.id, c.label);
    std::vector<std::string> values;
    try {
        values = sweepValues(m_values->text().toStdString());
    } catch (const Failure&) {}
    std::erase(values, std::string());
    for (const auto& [value, label] : offered) {
        QAction* a = menu->addAction(qstr(label));
        a->setCheckable(true);
        a->setChecked(std::find(values.begin(), values.end(), value) != values.end());
        connect(a, &QAction::triggered, this, [this, values, value = value](bool on) mutable {
            std::erase(values, value);
            if (on) values.push_back(value);
            m_values->setText(qstr(textOfValues(values)));
        });
    }
    if (!offered.empty()) menu->addSeparator();
    menu->addAction(tr("One value a line of a file …"), this, [this] {
        const QString path = QFileDialog::getOpenFileName(this, tr("Values of an axis"), {}, tr("Text (*.txt)"));
        if (!path.isEmpty()) m_values->setText('@' + path);
    });
}

}  // namespace meander::gui
