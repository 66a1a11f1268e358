#include "gui/app/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QPointer>
#include <QRegularExpression>
#include <QStatusBar>
#include <QStyle>
#include <cmath>
#include <limits>

#include "gui/app/dialogs.h"
#include "gui/document/run_list_model.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/theme.h"
#include "gui/panels/log/log_model.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"
#include "gui/selection/step_link.h"
#include "gui/widgets/drop_hint.h"
#include "gui/widgets/elided_label.h"

namespace meander::gui {

static constexpr int messageMs = 15'000;

MainWindow::MainWindow(const std::vector<PanelInfo>& panels, QWidget* parent)
    : QMainWindow(parent), m_commands(this), m_userPrompts(defaultUserPrompts(this)) {
    setObjectName("mainWindow");
    setAcceptDrops(true);
    setDockOptions(QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks | QMainWindow::GroupedDragging);
    connect(&m_restyling, &Restyling::finished, &m_commands, &CommandRegistry::refresh);
    m_toasts = new Toasts(this);
    m_dropHint = new DropHint(this);
    for (const PanelInfo& info : panels) m_places.push_back({info});
    m_layoutVersion = layoutVersionOf(panels);
    buildCentre();
    buildDocks();
    connectPanels();
    addFileCommands();
    addEditCommands();
    addRunCommands();
    addStepCommands();
    addViewCommands();
    addLabCommands();
    addEditorCommands();
    addWindowCommands();
    addHelpCommands();
    m_palette = new CommandPalette(m_commands, this);
    m_palette->setSettings([this] { return recipeEntries(); });
    buildMenus();
    buildToolBar();
    buildStatusBar();
    connectDocument();
    restoreLayout();
    qApp->installEventFilter(this);
    showTitle();
    showEngine();
    m_commands.refresh();
}

MainWindow::~MainWindow() { qApp->removeEventFilter(this); }

RunPtr MainWindow::currentRun() const { return m_document.run(m_selection.currentRun()); }

void MainWindow::connectDocument() {
    connect(&m_document, &Document::problem, this, [this](const QString& sentence, const QString& detail) {
        programLog().add(LogLevel::Problem, sentence, detail);
        m_toasts->showProblem(sentence, detail);
    });
    connect(&m_document, &Document::message, this, [this](const QString& sentence) {
        programLog().add(LogLevel::Info, sentence);
        m_lastMessage->setText(sentence);
        // What was said may not be true for long; the log keeps it.
        QTimer::singleShot(messageMs, m_lastMessage, [this, sentence] {
            if (m_lastMessage->text() == sentence) m_lastMessage->clear();
        });
    });
    connect(&m_document, &Document::settingsKept, this, &MainWindow::offerModelSettings);
    connect(&m_document, &Document::projectChanged, this, &MainWindow::showTitle);
    connect(&m_document, &Document::deviceChanged, this, &MainWindow::showEngine);
    connect(&m_document, &Document::planChanged, this, &MainWindow::showEngine);
    connect(&m_document, &Document::runsChanged, this, [this] {
        if (!currentRun()) showFirstRun();
        showEngine();
        showRemarks();
    });
    // What can be done with a run depends on its record, which comes from the disk only when the run is shown.
    connect(&m_document, &Document::trajectoryLoaded, this, [this] {
        showEngine();
        showRemarks();
        m_commands.refresh();
    });
    connect(&m_document, &Document::runChanged, this, &MainWindow::showEngine);
    connect(&m_document, &Document::runQueued, this, [this](const QString& id) {
        m_hint->hide();
        m_selection.setCurrentRun(id);
        m_selection.setFollowsLive(true);
        m_selection.lockStep({id, -1, std::numeric_limits<double>::infinity()});
    });
    connect(&m_document, &Document::runFinished, this, [this](const QString& id) {
        const RunPtr r = m_document.run(id);
        if (r && r->status == RunStatus::Finished && !isActiveWindow() && r->seconds > 10) QApplication::alert(this);
    });
    connect(&m_selection, &SelectionModel::runChanged, this, [this] {
        m_document.requestTrajectory(m_selection.currentRun());
        m_document.requestTrajectory(m_selection.comparedRun());
        keepComparable();
        showRemarks();
        m_commands.refresh();
    });
    connect(&m_selection, &SelectionModel::cursorChanged, this, &MainWindow::showRemarks);
    connect(m_recipe, &RecipePanel::differencesChanged, this, &MainWindow::showRemarks);
    for (auto signal :
         {&Document::draftChanged, &Document::planChanged, &Document::runsChanged, &Document::projectChanged})
        connect(&m_document, signal, &m_commands, &CommandRegistry::refresh);
    connect(&m_document, &Document::runChanged, &m_commands, &CommandRegistry::refresh);
    connect(&m_document.undoStack(), &QUndoStack::indexChanged, &m_commands, &CommandRegistry::refresh);
}

void MainWindow::showFirstRun() {
    // The baseline if there is one: it is what the others are measured against.
    const auto runs = m_document.runs();
    showRun(m_document.baseline() ? m_document.baseline() : runs.empty() ? nullptr : runs.back());
}

void MainWindow::showRun(const RunPtr& run) {
    m_selection.setCurrentRun(run ? qstr(run->id) : QString());
    if (run) m_selection.lockStep({qstr(run->id), -1, std::numeric_limits<double>::infinity()});
}

void MainWindow::buildStatusBar() {
    m_engineDot = new QLabel(this);
    m_engineDot->setFixedSize(8, 8);
    m_engineState = new ElidedLabel(this);
    m_lastMessage = new ElidedLabel(this);
    m_lastMessage->setObjectName("lastMessage");
    m_load = new ElidedLabel(this);
    for (QLabel* l : {m_engineState, m_lastMessage, m_load}) {
        l->setFont(interfaceFont(8.9));
        l->setProperty("muted", true);
    }
    m_load->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_lastMessage->setAlignment(Qt::AlignCenter);
    auto* row = new QWidget(this);
    auto* box = new QHBoxLayout(row);
    box->setContentsMargins(10, 0, 10, 0);
    box->setSpacing(7);
    box->addWidget(m_engineDot);
    box->addWidget(m_engineState, 3);
    box->addWidget(m_lastMessage, 2);
    box->addWidget(m_load, 2);
    statusBar()->addWidget(row, 1);
    statusBar()->setSizeGripEnabled(false);
}

void MainWindow::showTitle() {
    setWindowTitle(QStringLiteral("%1[*] — Meander").arg(m_document.displayName()));
    setWindowFilePath(m_document.path());
    setWindowModified(m_document.isModified());
}

void MainWindow::showEngine() {
    const QStringList queue = m_document.queue();
    int running = 0, paused = 0;
    for (const QString& id : queue) {
        const LiveRun* l = m_document.live(id);
        running += l && l->run->status == RunStatus::Running;
        paused += l && l->run->status == RunStatus::Paused;
    }
    const std::string device = m_document.deviceDescription(), note = m_document.deviceNote();
    const QString state = running > 0      ? tr("Engine running")
                          : paused > 0     ? tr("Engine paused")
                          : device.empty() ? tr("Engine starting")
                                           : tr("Engine idle");
    QString text = state;
    if (!device.empty()) text += QStringLiteral(" · ") + qstr(device);
    m_engineState->setToolTip(note.empty() ? text : text + '\n' + qstr(note));
    if (!note.empty())
        text += QStringLiteral(" · ") + qstr(note).section(QRegularExpression(QStringLiteral("[.;]")), 0, 0);
    m_engineState->setText(text);
    const QString dot = running > 0 ? "busy" : device.empty() ? "idle" : "ready";
    if (m_engineDot->property("dot").toString() != dot) {
        m_engineDot->setProperty("dot", dot);
        m_engineDot->style()->unpolish(m_engineDot);
        m_engineDot->style()->polish(m_engineDot);
    }
    QStringList load{tr("queue %1").arg(queue.size())};
    if (const RunPtr r = currentRun(); r && r->peakBytes > 0) load.append(tr("peak %1").arg(bytesText(r->peakBytes)));
    if (const auto& plan = m_document.draftPlan(); plan)
        load.append(tr("draft needs %1").arg(bytesText(plan.value().bytes)));
    m_load->setText(load.join(QStringLiteral(" · ")));
}

void MainWindow::moveStep(int delta) {
    const RunPtr run = currentRun();
    if (!run || !run->trajectory) return;
    const int count = int(run->trajectory->evaluations.size());
    const StepCursor now = m_selection.lockedCursor();
    const int from = now.run == qstr(run->id) && now.evaluation >= 0 ? std::min(now.evaluation, count) : count;
    const int to = std::clamp(from + delta, 0, count);
    m_selection.setFollowsLive(to == count);
    if (to == count) m_selection.lockStep({qstr(run->id), -1, std::numeric_limits<double>::infinity()});
    else m_selection.lockStep(cursorFor(*run, to));
}

void MainWindow::branchHere() {
    const RunPtr run = currentRun();
    if (!run || !run->trajectory || run->trajectory->steps.empty()) return;
    const StepCursor c = m_selection.lockedCursor();
    const auto& evaluations = run->trajectory->evaluations;
    const bool isInside = c.run == qstr(run->id) && c.evaluation >= 0 && c.evaluation < int(evaluations.size());
    const int step = isInside ? evaluations[std::size_t(c.evaluation)]->step : int(run->trajectory->steps.size()) / 2;
    m_document.setBranchPoint(qstr(run->id), step);
    m_recipe->focusPrompt();
    emit m_document.message(
        tr("The draft now continues run %1 from step %2. Change what should be different, then run it.")
            .arg(run->number)
            .arg(step));
}

void MainWindow::toggleCompare() {
    if (!m_selection.comparedRun().isEmpty()) {
        m_selection.setComparedRun({});
        return;
    }
    const RunPtr run = currentRun();
    if (!run) return;
    // A run that was broken off has steps to compare too.
    const auto fits = [&](const RunPtr& r) {
        return r && r->id != run->id && !m_document.live(qstr(r->id)) && r->evaluations > 0 && areComparable(*r, *run);
    };
    RunPtr other;
    for (const RunPtr& r : m_document.runs())
        if (fits(r)) other = r;
    if (run->recipe.branch)
        if (const RunPtr parent = m_document.run(qstr(run->recipe.branch->run)); fits(parent)) other = parent;
    if (fits(m_document.baseline())) other = m_document.baseline();
    if (other) return m_runs->compareWith(qstr(other->id));
    const QString sentence =
        tr("There is nothing to compare run %1 with: no other run has images or points of its kind "
           "and size yet.")
            .arg(run->number);
    m_toasts->showMessage(sentence);
    emit m_document.message(sentence);
}

void MainWindow::keepComparable() {
    const RunPtr run = currentRun(), other = m_document.run(m_selection.comparedRun());
    if (run && other && !areComparable(*run, *other)) {
        m_selection.setComparedRun({});
        emit m_document.message(tr("The comparison ended: run %1 is of another kind or size than run %2")
                                    .arg(run->number)
                                    .arg(other->number));
        return;
    }
    const bool wasComparing = std::exchange(m_isComparing, other != nullptr);
    if (m_isComparing && !wasComparing && !dock("compare")->isHidden()) dock("compare")->raise();
}

void MainWindow::commitField() {
    QWidget* focus = QApplication::focusWidget();
    if (!focus || focus->window() != this || !(focus->inherits("QLineEdit") || focus->inherits("QAbstractSpinBox")))
        return;
    focus->clearFocus();
    focus->setFocus();
}

void MainWindow::offerModelSettings(const QString& sentence) {
    m_hint->say(sentence, {{tr("Use its settings"),
                            tr("Sampler, steps, schedule, guidance and noise as the model recommends; can be undone."),
                            [this] { m_document.useModelSettings(); }},
                           {tr("Keep the recipe"), {}, [] {}}});
}

void MainWindow::changeAppearance(ThemeChoice choice, double scale) {
    const double before = settings::fontScale();
    settings::setThemeChoice(choice);
    settings::setFontScale(std::clamp(scale, 0.8, 2.0));
    m_restyling.start(choice, settings::fontScale(), settings::fontScale() / before);
}

// A dock behind another tab counts as visible, but nothing of it is: its widgets are passed over.
bool MainWindow::focusNextPrevChild(bool next) {
    const auto isBehindTab = [](QWidget* w) {
        for (QWidget* p = w; p; p = p->parentWidget())
            if (qobject_cast<QDockWidget*>(p)) return p->visibleRegion().isEmpty();
        return false;
    };
    const auto isStop = [&](QWidget* w) {
        return (w->focusPolicy() & Qt::TabFocus) == Qt::TabFocus && !w->focusProxy() && w->isEnabled() && w->isVisible()
               && w->window() == this && !isBehindTab(w);
    };
    QWidget* const from = focusWidget() ? focusWidget() : this;
    for (QWidget* w = from;;) {
        w = next ? w->nextInFocusChain() : w->previousInFocusChain();
        if (w == from) return false;
        if (!isStop(w)) continue;
        w->setFocus(next ? Qt::TabFocusReason : Qt::BacktabFocusReason);
        return true;
    }
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
    // A separator that moves would leave its image where it was.
    if ((event->type() == QEvent::Move || event->type() == QEvent::Resize) && qobject_cast<QDockWidget*>(watched))
        update();
    if (event->type() == QEvent::DragEnter || event->type() == QEvent::DragMove || event->type() == QEvent::Drop)
        return takeDrop(watched, event) || QMainWindow::eventFilter(watched, event);
    if (event->type() == QEvent::DragLeave) m_dropHint->leave();
    if (event->type() != QEvent::ShortcutOverride) return QMainWindow::eventFilter(watched, event);
    // Keys belong to an open drop-down; it may close at this very event, and then the shortcut of the window would
    // follow.
    if (QApplication::activePopupWidget()) event->accept();
    auto* key = static_cast<QKeyEvent*>(event);
    const QWidget* focus = QApplication::focusWidget();
    if (!focus || key->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier))
        return QMainWindow::eventFilter(watched, event);
    const int k = key->key();
    const bool isArrow = k == Qt::Key_Left || k == Qt::Key_Right || k == Qt::Key_Home || k == Qt::Key_End;
    // Keys that a control needs itself are not the window's while that control has the focus.
    const bool isControl =
        focus->inherits("QAbstractSlider") || focus->inherits("QTabBar") || focus->property("ownsKeys").toBool();
    const bool isList = focus->inherits("QAbstractItemView");
    const bool isButton = focus->inherits("QAbstractButton") || focus->inherits("QComboBox");
    if ((isControl && (isArrow || k == Qt::Key_Space)) || (isList && (k == Qt::Key_Home || k == Qt::Key_End))
        || (isButton && k == Qt::Key_Space))
        event->accept();
    return QMainWindow::eventFilter(watched, event);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    const int live = int(m_document.queue().size());
    if ((live > 0 && !m_userPrompts.stopRuns(live)) || !mayLeaveProject()) {
        event->ignore();
        return;
    }
    saveLayout();
    QSettings().setValue("files/last", m_document.path());
    event->accept();
}

}  // namespace meander::gui
