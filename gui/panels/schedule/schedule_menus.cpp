// The bar of the schedule editor, its menus, the operations, and levels as text.
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <cmath>

#include "engine/core/param_specs.h"
#include "engine/schedule/level_text.h"
#include "engine/schedule/redistribute.h"
#include "engine/schedule/schedule.h"
#include "gui/document/run_text.h"
#include "gui/forms/operation_dialog.h"
#include "gui/look/theme.h"
#include "gui/panels/schedule/schedule_fit_dialog.h"
#include "gui/panels/schedule/schedule_panel.h"
#include "gui/widgets/small_button.h"
#include "gui/widgets/tool_menu.h"

namespace meander::gui {

using namespace levels;

namespace {

const QString equalise = QStringLiteral("equalise");

}  // namespace

QWidget* SchedulePanel::buildBar() {
    auto* bar = new QWidget(this);
    m_modeField =
        new Segmented({tr("Points"), tr("Curve")},
                      {tr("Every level is a point"), tr("Few control points, a monotone curve through them")}, bar);
    m_readingField = new Segmented({QStringLiteral("σ"), QStringLiteral("λ"), QStringLiteral("t")},
                                   {tr("Noise level σ, logarithmic"), tr("λ, half the log-SNR"),
                                    tr("The network's time: training step, or t of a flow")},
                                   bar);
    m_modeField->setCurrent(0);
    m_readingField->setCurrent(0);
    m_evidenceMenu = new QMenu(bar);
    m_ghostMenu = new QMenu(bar);
    m_editMenu = new QMenu(bar);
    m_snapMenu = new QMenu(bar);
    m_snapButton =
        menuIcon("snap", tr("What a dragged point is caught by (S; Alt while dragging: nothing)"), m_snapMenu, bar);
    m_proportionalButton = toggleIcon(
        "proportional", tr("Take neighbours along (O, or Ctrl while dragging; the wheel changes how many)"), bar);
    m_lockButton = toggleIcon("lock", tr("Keep the first level and the last above 0 (L)"), bar);
    m_lockButton->setChecked(m_isLocked);
    m_tableButton = toggleIcon("table", tr("The levels as a table"), bar);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(metrics::panelPadding, 4, metrics::panelPadding, 0);
    row->setSpacing(6);
    row->addWidget(m_modeField);
    row->addWidget(m_readingField);
    row->addWidget(
        menuButton(tr("Evidence"), tr("What a run measured, as bars behind the curve"), m_evidenceMenu, bar));
    row->addWidget(menuButton(tr("Ghosts"), tr("Other schedules and the shown run, dashed"), m_ghostMenu, bar));
    row->addStretch(1);
    for (QWidget* w : QList<QWidget*>{m_snapButton, m_proportionalButton, m_lockButton, m_tableButton})
        row->addWidget(w);
    row->addWidget(menuButton(tr("Edit"), tr("Operations on the levels, text, presets"), m_editMenu, bar));
    connect(m_modeField, &Segmented::chosen, this, [this](int i) { setMode(Mode(i)); });
    connect(m_readingField, &Segmented::chosen, this, [this](int i) { setReading(Reading(i)); });
    connect(m_proportionalButton, &QToolButton::toggled, this, [this](bool on) { m_editor->setProportional(on); });
    connect(m_lockButton, &QToolButton::toggled, this, &SchedulePanel::setLocked);
    connect(m_tableButton, &QToolButton::toggled, this, &SchedulePanel::setTableShown);
    connect(m_ghostMenu, &QMenu::aboutToShow, this, &SchedulePanel::fillGhosts);
    connect(m_editMenu, &QMenu::aboutToShow, this, &SchedulePanel::fillEdit);
    connect(m_snapMenu, &QMenu::aboutToShow, this, &SchedulePanel::fillSnap);
    connect(m_evidenceMenu, &QMenu::aboutToShow, this, &SchedulePanel::fillEvidence);
    return bar;
}

void SchedulePanel::setMode(Mode mode) {
    m_mode = mode;
    m_modeField->setCurrent(int(mode));
    m_editor->setSelection({});
    draw();
}

void SchedulePanel::setReading(Reading reading) {
    m_reading = reading;
    m_isReadingChosen = true;
    m_readingField->setCurrent(int(reading));
    draw();
}

void SchedulePanel::setSnap(Snap snap) {
    m_snap = snap;
    if (snap != Snap::Off) m_lastSnap = snap;
    m_snapButton->setChecked(snap != Snap::Off);
}

void SchedulePanel::setLocked(bool on) {
    m_isLocked = on;
    m_lockButton->setChecked(on);
    draw();
}

void SchedulePanel::setGhost(const QString& id, bool on) {
    if (on) m_ghosts.insert(id);
    else m_ghosts.remove(id);
    draw();
}

void SchedulePanel::setEvidence(const QString& diagnostic) {
    m_evidence = diagnostic;
    draw();
}

void SchedulePanel::setTableShown(bool on) {
    m_tableButton->setChecked(on);
    m_table->setVisible(on);
    draw();
}

void SchedulePanel::tell(const QString& sentence) { emit m_document.message(sentence); }

void SchedulePanel::fillGhosts() {
    clearMenu(m_ghostMenu);
    const auto add = [this](QMenu* menu, const QString& label, const QString& id, const QString& help) {
        QAction* a = menu->addAction(label);
        a->setToolTip(help);
        a->setCheckable(true);
        a->setChecked(m_ghosts.contains(id));
        connect(a, &QAction::toggled, this, [this, id](bool on) { setGhost(id, on); });
    };
    add(m_ghostMenu, tr("The shown run"), QStringLiteral("run"), {});
    m_ghostMenu->addSeparator();
    QMap<QString, QMenu*> groups;
    for (const ScheduleInfo& s : schedules()) {
        if (s.id == "custom" || presetLevels(s.id, m_draft, std::max(1, int(m_levels.size()) - 1)).empty()) continue;
        const QString group = qstr(s.group);
        if (!groups.contains(group)) (groups[group] = m_ghostMenu->addMenu(group))->setToolTipsVisible(true);
        add(groups[group], qstr(s.label), qstr(s.id), qstr(s.summary + (s.source.empty() ? "" : "\n" + s.source)));
    }
}

void SchedulePanel::fillEvidence() {
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

void SchedulePanel::fillSnap() {
    clearMenu(m_snapMenu);
    auto* group = new QActionGroup(m_snapMenu);
    const bool hasSteps = m_draft.process && nearestOwnLevel(m_draft.process->maximum(), *m_draft.process);
    for (const auto& [snap, label, isPossible] :
         {std::tuple(Snap::Off, tr("Nothing"), true),
          std::tuple(Snap::Ghosts, tr("The ghosts, at the same step"), true),
          std::tuple(Snap::OwnSteps, tr("The model's own training steps"), hasSteps),
          std::tuple(Snap::ShownRun, tr("All levels of the shown run"), m_source->evidence().run != nullptr)}) {
        QAction* a = m_snapMenu->addAction(label);
        a->setCheckable(true);
        a->setChecked(m_snap == snap);
        a->setEnabled(isPossible);
        group->addAction(a);
        connect(a, &QAction::triggered, this, [this, s = snap] { setSnap(s); });
    }
}

std::vector<SchedulePanel::SnapTarget> SchedulePanel::snapTargets(int level, double tau) const {
    std::vector<SnapTarget> targets;
    if (m_snap == Snap::OwnSteps)
        if (const auto own = nearestOwnLevel(tau, *m_draft.process))
            targets.push_back({*own, tr("training step %1").arg(std::lround(m_draft.process->networkTime(*own)))});
    if (m_snap == Snap::Ghosts)
        for (const auto& [name, list] : ghostLevels()) {
            const double at = double(level) * double(list.size() - 1) / std::max(1.0, double(m_levels.size()) - 1);
            const auto k = std::min(std::size_t(at), list.size() - 1);
            const double w = at - double(k);
            if (list[k] <= 0 || (w > 1e-9 && (k + 1 >= list.size() || list[k + 1] <= 0))) continue;
            targets.push_back({w > 1e-9 ? std::pow(list[k], 1 - w) * std::pow(list[k + 1], w) : list[k], name});
        }
    if (const RunPtr run = m_source->evidence().run; m_snap == Snap::ShownRun && run)
        for (std::size_t k = 0; k < run->trajectory->levels.size(); ++k)
            if (const double own = run->trajectory->levels[k]; own > 0)
                targets.push_back({m_draft.process->tauOfSigma(run->model.process.sigma(own)),
                                   tr("run %1, step %2").arg(run->number).arg(k)});
    return targets;
}

void SchedulePanel::fillEdit() {
    clearMenu(m_editMenu);
    const bool has = !m_levels.empty() && m_draft.process;
    const auto add = [&](QMenu* menu, const QString& label, const QString& name, auto run) {
        QAction* a = menu->addAction(label, this, run);
        a->setObjectName(name);
        a->setEnabled(has);
        return a;
    };
    add(m_editMenu, tr("Insert a step\tIns"), "insert", [this] { insert(std::nullopt); });
    add(m_editMenu, tr("Take out the chosen steps\tDel"), "remove", [this] { remove(); });
    QAction* clean = add(m_editMenu, tr("End at 0, clean"), "clean",
                         [this] { commit(withClean(m_levels, !endsClean(m_levels)), tr("last level")); });
    clean->setCheckable(true);
    clean->setChecked(endsClean(m_levels));
    m_editMenu->addSeparator();
    addOperators(m_editMenu);
    m_editMenu->addSeparator();
    QMenu* take = m_editMenu->addMenu(tr("Take the levels of"));
    take->setEnabled(has);
    if (const RunPtr run = m_source->evidence().run)
        add(take, tr("Run %1").arg(run->number), "take.run", [this, run] {
            commit(ofDraft(run->trajectory->levels, run->model.process), tr("levels of run %1").arg(run->number));
        });
    for (const ScheduleInfo& s : schedules())
        if (const auto list = presetLevels(s.id, m_draft, std::max(1, int(m_levels.size()) - 1)); !list.empty())
            add(take, qstr(s.label), "take." + qstr(s.id), [this, list, label = qstr(s.label)] {
                commit(list, label);
            })->setToolTip(qstr(s.source));
    QMenu* copy = m_editMenu->addMenu(tr("Copy as"));
    for (const auto& [label, form] :
         {std::pair(tr("ComfyUI sigmas"), TextForm::ComfyUi), std::pair(tr("JSON list"), TextForm::Json),
          std::pair(tr("diffusers sigmas"), TextForm::DiffusersSigmas),
          std::pair(tr("diffusers timesteps"), TextForm::DiffusersTimesteps),
          std::pair(tr("stable-diffusion.cpp --sigmas"), TextForm::SdCpp)})
        add(copy, label, QStringLiteral("copy.%1").arg(int(form)), [this, f = int(form)] { copyAs(f); });
    add(m_editMenu, tr("Paste levels\tCtrl+V"), "paste", [this] { paste(); });
}

void SchedulePanel::addOperators(QMenu* menu) {
    for (const ScheduleOperatorInfo& o : scheduleOperators()) {
        if (o.id == "reverse" || o.id == "to_clean") continue;  // rising levels are not edited; clean has its own entry
        QAction* a = menu->addAction(qstr(o.label) + (o.params.empty() ? QString() : QStringLiteral(" …")), this,
                                     [this, id = o.id] { operate(id); });
        a->setObjectName("operator." + qstr(o.id));
        a->setToolTip(qstr(o.summary + (o.source.empty() ? "" : "\n" + o.source)));
        a->setEnabled(!m_levels.empty());
    }
    QAction* equal = menu->addAction(tr("Equal shares of the error …"), this, &SchedulePanel::equaliseError);
    equal->setObjectName("operator.equalise");
    equal->setToolTip(tr("Steps of equal local error, as far as the shown run measured it"));
    equal->setEnabled(!m_levels.empty() && m_source->evidence().run && m_source->evidence().find("E5"));
    QAction* fit = menu->addAction(tr("Fit schedule from this run …"), this, &SchedulePanel::fitSchedule);
    fit->setObjectName("operator.fit");
    fit->setToolTip(tr("Levels at which few steps come nearest to a fine run of the shown run's recipe"));
    fit->setEnabled(!m_levels.empty() && m_source->evidence().run);
}

std::vector<double> SchedulePanel::ofDraft(const std::vector<double>& taus, const Process& process) const {
    if (process.name() == m_draft.process->name()) return taus;
    std::vector<double> own;
    for (const double tau : taus) own.push_back(tau > 0 ? m_draft.process->tauOfSigma(process.sigma(tau)) : 0);
    return own;
}

// Shows what an operation would make; the draft stays.
bool SchedulePanel::tryOut(const std::vector<double>& levels) {
    const bool isGood = isFalling(levels);
    m_preview = isGood ? levels : m_draft.levels;
    m_levels = m_preview;
    draw();
    return isGood;
}

void SchedulePanel::operate(const std::string& id) {
    const ScheduleOperatorInfo* rule = findScheduleOperator(id);
    if (!rule || m_levels.empty()) return;
    const auto made = [this, rule](const Params& params) -> Result<std::vector<double>> {
        try {
            const auto resolved = resolveParams(rule->params, params, rule->label);
            if (!resolved) return resolved.error();
            auto levels = rule->apply({*m_draft.process, m_draft.levels, *resolved, m_draft.imageTokens});
            levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
            if (!isFalling(levels)) return Error{"The levels would not fall."};
            return levels;
        } catch (const std::exception& e) {
            return Error{e.what()};
        }
    };
    if (rule->params.empty()) {
        const auto levels = made({});
        if (levels) commit(*levels, qstr(rule->label).toLower());
        else emit m_document.problem(qstr(levels.error().text), {});
        return;
    }
    Params first;
    for (const ParamSpec& s : rule->params)
        if (s.key == "steps") first["steps"] = std::int64_t(m_levels.size() - 1);
    auto* dialog = new OperationDialog(
        qstr(rule->label), qstr(rule->summary + "."), rule->params, first,
        [this, made](const Params& p) {
            const auto levels = made(p);
            tryOut(levels ? *levels : std::vector<double>());
            return levels ? QString() : qstr(levels.error().text);
        },
        this);
    connect(dialog, &QDialog::finished, this, [this, dialog, made, label = qstr(rule->label)](int result) {
        m_preview.clear();
        m_levels = m_draft.levels;
        const auto levels = made(dialog->values());
        if (result == QDialog::Accepted && levels) commit(*levels, label.toLower());
        else draw();
    });
    dialog->open();
}

void SchedulePanel::equaliseError() {
    const RunEvidence& e = m_source->evidence();
    const Diagnostic* d = e.run ? e.find(QStringLiteral("E5")) : nullptr;
    if (!d || m_levels.empty())
        return tell(tr("No local error was measured: run once with a sampler of order 2 or more that adds no noise."));
    const std::vector<double> measured = ofDraft(e.run->trajectory->levels, e.run->model.process);
    const auto made = [this, measured, shares = d->values](const Params& p) -> std::vector<double> {
        try {
            return equalised(m_draft.levels, int(integer(p, "steps")), measured, shares, real(p, "strength"),
                             *m_draft.process);
        } catch (const std::exception&) {
            return {};
        }
    };
    const std::vector<ParamSpec> specs{
        integerParam("steps", "Steps", std::int64_t(m_levels.size()) - 1, 2, 10000, "Number of intervals afterwards."),
        realParam("strength", "Strength", 1, 0, 1, "0 keeps the curve, 1 makes all shares equal.", 0.05)};
    Params first{{"steps", std::int64_t(m_levels.size()) - 1}, {"strength", 1.0}};
    auto* dialog = new OperationDialog(
        tr("Equal shares of the error"),
        tr("Puts steps where run %1 measured its local error. A prediction: compare the next run with it.")
            .arg(e.run->number),
        specs, first,
        [this, made](const Params& p) { return tryOut(made(p)) ? QString() : tr("These settings make no schedule."); },
        this);
    connect(dialog, &QDialog::finished, this, [this, dialog, made](int result) {
        m_preview.clear();
        m_levels = m_draft.levels;
        if (result == QDialog::Accepted) commit(made(dialog->values()), tr("equal shares of the error"));
        else draw();
    });
    dialog->open();
}

void SchedulePanel::fitSchedule() {
    const RunPtr run = m_source->evidence().run;
    if (!run || m_levels.empty()) return tell(tr("Show a finished run first: the schedule is fitted to its recipe."));
    auto* dialog = new ScheduleFitDialog(run, int(m_levels.size()) - 1, m_fitting, this);
    connect(dialog, &ScheduleFitDialog::levelsChanged, this, [this, dialog, run] {
        m_fitted = ofDraft(dialog->levels(), run->model.process);
        draw();
    });
    connect(dialog, &QDialog::finished, this, [this](int result) {
        const std::vector<double> levels = std::exchange(m_fitted, {});
        if (result == QDialog::Accepted && m_draft.process) commit(levels, tr("fitted schedule"));
        else draw();
    });
    dialog->open();
}

void SchedulePanel::copyAs(int form) {
    if (m_levels.empty()) return tell(tr("There are no levels to copy."));
    const auto text = textOf(m_levels, TextForm(form), *m_draft.process);
    if (!text) return emit m_document.problem(qstr(text.error().text), {});
    QApplication::clipboard()->setText(qstr(*text));
    tell(tr("%1 levels were copied").arg(m_levels.size()));
}

void SchedulePanel::paste() {
    if (!m_draft.process) return;
    const auto read = levelsFromText(QApplication::clipboard()->text().toStdString(), *m_draft.process);
    if (!read) return emit m_document.problem(tr("The text is no schedule. %1").arg(qstr(read.error().text)), {});
    commit(read->levels, tr("paste levels"));
    QStringList notes{tr("%1 levels were pasted.").arg(read->levels.size())};
    for (const std::string& n : read->notes) notes << qstr(n);
    tell(notes.join(' '));
}

}  // namespace meander::gui
