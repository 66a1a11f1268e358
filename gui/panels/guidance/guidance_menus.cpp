// The bar of the guidance editor, its menus, shapes and intervals to begin with, and curves as text.
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <cmath>

#include "engine/core/param_specs.h"
#include "gui/document/run_text.h"
#include "gui/forms/operation_dialog.h"
#include "gui/look/theme.h"
#include "gui/panels/guidance/guidance_panel.h"
#include "gui/widgets/tool_menu.h"

namespace meander::gui {

QWidget* GuidancePanel::buildBar() {
    auto* bar = new QWidget(this);
    m_curveField = new ChoiceField(bar);
    m_curveField->setObjectName("guidanceCurve");
    m_curveField->setAccessibleName(tr("Curve that is drawn"));
    m_curveField->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_curveField->setMinimumContentsLength(14);
    m_curveField->setMinimumWidth(130);
    m_curveField->setMaximumWidth(300);
    m_add = new QPushButton(tr("Add classifier-free guidance"), bar);
    m_add->setObjectName("addGuidance");
    m_modeField = new Segmented({tr("Points"), tr("Curve")},
                                {tr("A value for each step"), tr("Few control points, a curve through them")}, bar);
    m_acrossField = new Segmented(
        {tr("step"), QStringLiteral("σ"), QStringLiteral("λ")},
        {tr("Over the steps"), tr("Over the noise level σ, logarithmic"), tr("Over λ, half the log-SNR")}, bar);
    m_modeField->setCurrent(0);
    m_acrossField->setCurrent(0);
    m_evidenceMenu = new QMenu(bar);
    m_editMenu = new QMenu(bar);
    m_snapButton = toggleIcon("snap", tr("Catch values at multiples of 0.5 (S; Alt while dragging: not)"), bar);
    m_proportionalButton = toggleIcon(
        "proportional", tr("Take neighbours along (O, or Ctrl while dragging; the wheel changes how many)"), bar);
    m_tableButton = toggleIcon("table", tr("The values as a table"), bar);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(metrics::panelPadding, 4, metrics::panelPadding, 0);
    row->setSpacing(6);
    row->addWidget(m_curveField, 1);
    row->addWidget(m_add);
    row->addWidget(m_modeField);
    row->addWidget(m_acrossField);
    row->addWidget(
        menuButton(tr("Evidence"), tr("What a run measured, as bars behind the curve"), m_evidenceMenu, bar));
    row->addStretch(1);
    for (QWidget* w : QList<QWidget*>{m_snapButton, m_proportionalButton, m_tableButton}) row->addWidget(w);
    row->addWidget(menuButton(tr("Edit"), tr("Operations on the curve, text"), m_editMenu, bar));
    connect(m_curveField, &ChoiceField::chosen, this, [this](const QString& key) {
        m_chosenCurve = key;
        m_editor->setSelection({});
        refresh();
    });
    connect(m_add, &QPushButton::clicked, this, &GuidancePanel::addRule);
    connect(m_modeField, &Segmented::chosen, this, [this](int i) { setMode(Mode(i)); });
    connect(m_acrossField, &Segmented::chosen, this, [this](int i) { setAcross(Across(i)); });
    connect(m_proportionalButton, &QToolButton::toggled, this, [this](bool on) { m_editor->setProportional(on); });
    connect(m_snapButton, &QToolButton::toggled, this, &GuidancePanel::setSnap);
    connect(m_tableButton, &QToolButton::toggled, this, &GuidancePanel::setTableShown);
    connect(m_evidenceMenu, &QMenu::aboutToShow, this, &GuidancePanel::fillEvidence);
    connect(m_editMenu, &QMenu::aboutToShow, this, &GuidancePanel::fillEdit);
    return bar;
}

void GuidancePanel::setMode(Mode mode) {
    m_mode = mode;
    m_modeField->setCurrent(int(mode));
    m_editor->setSelection({});
    draw();
}

void GuidancePanel::setAcross(Across across) {
    m_across = across;
    m_acrossField->setCurrent(int(across));
    draw();
}

void GuidancePanel::setEvidence(const QString& diagnostic) {
    m_evidence = diagnostic;
    draw();
}

void GuidancePanel::setTableShown(bool on) {
    m_tableButton->setChecked(on);
    m_table->setVisible(on);
    draw();
}

void GuidancePanel::setSnap(bool on) {
    m_snaps = on;
    m_snapButton->setChecked(on);
}

void GuidancePanel::tell(const QString& sentence) { emit m_document.message(sentence); }

void GuidancePanel::addRule() {
    Recipe next = m_document.draft();
    next.guidance.insert(next.guidance.begin(), Choice{"cfg", {}});
    m_document.editDraft(next, tr("guidance"));
}

void GuidancePanel::fillEvidence() {
    clearMenu(m_evidenceMenu);
    auto* group = new QActionGroup(m_evidenceMenu);
    const auto add = [&](const QString& label, const QString& id, const QString& help) {
        QAction* a = m_evidenceMenu->addAction(label);
        a->setToolTip(help);
        a->setCheckable(true);
        a->setChecked(m_evidence == id);
        group->addAction(a);
        connect(a, &QAction::triggered, this, [this, id] { setEvidence(id); });
    };
    add(tr("None"), {}, {});
    const RunEvidence& e = m_source->evidence();
    if (!e.run) m_evidenceMenu->addAction(tr("Run once to measure"))->setEnabled(false);
    for (const Diagnostic& d : e.diagnostics)
        add(qstr(d.label) + (d.unit.empty() ? QString() : QStringLiteral(" · ") + qstr(d.unit)), qstr(d.id),
            qstr(d.formula + "\n" + d.reading));
}

void GuidancePanel::shape(const weights::Shape& shape) {
    if (!m_curve || m_values.empty()) return;
    const double neutral = m_curve->param.neutral, most = *std::max_element(m_values.begin(), m_values.end());
    const std::vector<ParamSpec> specs{
        realParam("low", "Lowest value", neutral, m_curve->minimum, m_curve->maximum, "Where the shape is 0.", 0.25),
        realParam("high", "Highest value", most, m_curve->minimum, m_curve->maximum, "Where the shape is 1.", 0.25)};
    const auto made = [this, &shape](const Params& p) {
        return weights::shaped(shape, int(m_values.size()), real(p, "low"), real(p, "high"));
    };
    auto* dialog = new OperationDialog(
        qstr(shape.label), qstr(shape.source + "."), specs,
        {{"low", std::min(neutral, most)}, {"high", most > neutral ? most : std::min(neutral + 3, m_curve->maximum)}},
        [this, made](const Params& p) {
            m_values = made(p);
            draw();
            return QString();
        },
        this);
    connect(dialog, &QDialog::finished, this, [this, dialog, made, label = qstr(shape.label)](int result) {
        const std::vector<double> values = made(dialog->values());
        if (result == QDialog::Accepted) commit(values, label.toLower());
        else read();
    });
    dialog->open();
}

void GuidancePanel::fillShapes(QMenu* menu) {
    for (const weights::Shape& s : weights::shapes()) {
        QAction* a = menu->addAction(qstr(s.label) + QStringLiteral(" …"), this, [this, &s] { shape(s); });
        a->setObjectName("shape." + qstr(s.id));
        a->setToolTip(qstr(s.source));
        a->setEnabled(m_curve && !m_values.empty());
    }
}

void GuidancePanel::fillIntervals(QMenu* menu) {
    const bool has = m_curve && m_curve->hasInterval && m_process;
    QAction* all = menu->addAction(tr("In every step"), this, [this] {
        m_dragInterval = m_interval;
        commitInterval({-0.5, double(m_levels.size()) - 1.5}, tr("guidance interval"));
    });
    all->setObjectName("interval.all");
    all->setEnabled(has);
    for (const weights::IntervalPreset& i : weights::intervalPresets()) {
        QAction* a = menu->addAction(tr("Interval %1").arg(qstr(i.label)), this, [this, i] {
            Params next = params();
            next["from"] = 0.0;
            next["to"] = 1.0;
            next["sigma_low"] = i.low;
            next["sigma_high"] = i.high;
            commitParams(next, tr("guidance interval"));
        });
        a->setObjectName(QStringLiteral("interval.%1").arg(i.high));
        a->setToolTip(qstr(i.source));
        a->setEnabled(has);
    }
}

void GuidancePanel::fillEdit() {
    clearMenu(m_editMenu);
    const bool has = m_curve && !m_values.empty();
    const auto add = [&](QMenu* menu, const QString& label, const QString& name, auto run) {
        QAction* a = menu->addAction(label, this, run);
        a->setObjectName(name);
        a->setEnabled(has);
        return a;
    };
    add(m_editMenu,
        m_mode == Mode::Points ? tr("Chosen points to the neutral value\tDel") : tr("Take out control points\tDel"),
        "remove", [this] { remove(); });
    add(m_editMenu, tr("Smooth"), "smooth", [this] {
        std::vector<double> next = m_values;
        for (std::size_t k = 1; k + 1 < next.size(); ++k)
            next[k] = (m_values[k - 1] + 2 * m_values[k] + m_values[k + 1]) / 4;
        commit(next, tr("smooth"));
    });
    add(m_editMenu, tr("Mirror in time"), "mirror", [this] {
        commit({m_values.rbegin(), m_values.rend()}, tr("mirror"));
    });
    add(m_editMenu, tr("The mean throughout"), "mean", [this] {
        double sum = 0;
        for (const double v : m_values) sum += v;
        commit(std::vector<double>(m_values.size(), sum / double(m_values.size())), tr("mean"));
    });
    m_editMenu->addSeparator();
    fillShapes(m_editMenu->addMenu(tr("Shape")));
    fillIntervals(m_editMenu->addMenu(tr("Interval")));
    QMenu* copy = m_editMenu->addMenu(tr("Copy as"));
    for (const auto& [label, form] :
         {std::pair(tr("Numbers"), weights::TextForm::List), std::pair(tr("JSON list"), weights::TextForm::Json),
          std::pair(tr("stable-diffusion.cpp guidance_schedule"), weights::TextForm::SdCpp)})
        add(copy, label, QStringLiteral("copy.%1").arg(int(form)), [this, f = int(form)] { copyAs(f); });
    add(m_editMenu, tr("Paste values\tCtrl+V"), "paste", [this] { paste(); });
}

void GuidancePanel::copyAs(int form) {
    if (!m_curve || m_values.empty()) return tell(tr("There is no curve to copy."));
    QApplication::clipboard()->setText(qstr(weights::textOf(m_values, weights::TextForm(form))));
    tell(tr("%1 values were copied").arg(m_values.size()));
}

void GuidancePanel::paste() {
    if (!m_curve || m_values.empty()) return;
    const auto read = weights::valuesFromText(QApplication::clipboard()->text().toStdString(), int(m_values.size()),
                                              m_values.front());
    if (!read) return emit m_document.problem(tr("The text is no curve. %1").arg(qstr(read.error().text)), {});
    for (const double v : *read)
        if (!(v >= m_curve->minimum && v <= m_curve->maximum))
            return emit m_document.problem(
                tr("%1 is not from %2 to %3.")
                    .arg(numberText(v), numberText(m_curve->minimum), numberText(m_curve->maximum)),
                {});
    commit(weights::perStep(*read, int(m_values.size())), tr("paste values"));
    tell(tr("%1 values were pasted").arg(read->size()));
}

}  // namespace meander::gui
