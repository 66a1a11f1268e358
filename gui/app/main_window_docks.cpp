// Where things stand: the centre, the docks, their heads, and remembering all of it.
#include <QApplication>
#include <QGuiApplication>
#include <QMouseEvent>
#include <QScreen>
#include <QTabBar>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/app/analysis_panels.h"
#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/panels/log/log_panel.h"
#include "gui/panels/model/model_panel.h"
#include "gui/panels/queue/queue_panel.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "gui/selection/step_link.h"

namespace meander::gui {
namespace {

// Of the room between bars and status line, what the docks get where nobody has chosen; the canvas gets the rest.
struct DockShares {
    static int side(int width, double share, int least, int most) {
        return std::clamp(int(width * share), least, most);
    }
    static int left(int width) { return side(width, 0.218, 284, 336); }
    static int right(int width) { return side(width, 0.212, 268, 332); }
    static int timeline(int height) { return std::clamp(int(height * 0.155), 112, 168); }
    static int tabs(int height) { return std::clamp(int(height * 0.285), 158, 330); }
};
constexpr double canvasShare = 0.42;  // of the height, at least, also after sizes were chosen by hand

}  // namespace

void MainWindow::buildCentre() {
    auto* centre = new QWidget(this);
    centre->setObjectName("centre");
    centre->setMinimumSize(320, 270);
    auto* box = new QVBoxLayout(centre);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    m_hint = new HintBar(centre);
    m_canvas = makeCanvas(m_document, m_selection, centre);
    box->addWidget(m_hint);
    box->addWidget(m_canvas, 1);
    box->addWidget(makeTokenBar(m_document, m_selection, centre));
    setCentralWidget(centre);
}

MainWindow::DockInfo& MainWindow::addDock(const QString& id, const QString& title, QWidget* content,
                                          Qt::DockWidgetArea area, bool isShownAtFirst) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName("dock." + id);
    dock->setAccessibleName(title);
    dock->setWidget(content);
    DockInfo info{id, dock, new DockTitle(dock), isShownAtFirst};
    dock->setTitleBarWidget(info.title);
    addDockWidget(area, dock);
    const auto later = [this] { QTimer::singleShot(0, this, &MainWindow::updateDockTitles); };
    connect(dock, &QDockWidget::topLevelChanged, this, later);
    connect(dock, &QDockWidget::dockLocationChanged, this, later);
    connect(dock, &QDockWidget::visibilityChanged, this, later);
    return m_docks.emplace(id, info).first->second;
}

void MainWindow::buildDocks() {
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    for (auto area : {Qt::LeftDockWidgetArea, Qt::RightDockWidgetArea, Qt::BottomDockWidgetArea})
        setTabPosition(area, QTabWidget::North);
    m_runs = new RunsPanel(m_document, m_selection);
    m_recipe = new RecipePanel(m_document, m_selection);
    m_model = new ModelPanel(m_document);
    m_timeline = makeTimeline(m_document, m_selection, nullptr);
    addDock("runs", tr("Runs"), m_runs, Qt::LeftDockWidgetArea);
    addDock("recipe", tr("Recipe"), m_recipe, Qt::LeftDockWidgetArea);
    addDock("model", tr("Model"), m_model, Qt::LeftDockWidgetArea, false);
    addDock("timeline", tr("Timeline"), m_timeline, Qt::BottomDockWidgetArea)
        .title->setControls(static_cast<TimelinePanel*>(m_timeline)->takeControls());
    addDock("trajectory", tr("Trajectory"), makeTrajectory(m_document, m_selection, nullptr), Qt::BottomDockWidgetArea);
    addDock("compare", tr("Compare"), makeCompareTable(m_document, m_selection, nullptr), Qt::BottomDockWidgetArea);
    m_lab = makeLab(m_document, nullptr);
    addDock("lab", tr("Lab"), m_lab, Qt::BottomDockWidgetArea);
    addDock("queue", tr("Queue"), new QueuePanel(m_document), Qt::BottomDockWidgetArea);
    addDock("log", tr("Log"), new LogPanel(programLog()), Qt::BottomDockWidgetArea);
    addDock("step", tr("Step"), makeStepCards(m_document, m_selection, nullptr), Qt::RightDockWidgetArea);
    addDock("attention", tr("Attention"), makeAttention(m_document, m_selection, nullptr), Qt::RightDockWidgetArea);
    connect(m_runs, &RunsPanel::runRequested, this, [this] { m_commands.trigger("run.start"); });
    connect(m_recipe, &RecipePanel::openModelRequested, m_model, &ModelPanel::openFile);
    connect(m_recipe, &RecipePanel::modelCardRequested, this, [this] {
        dock("model")->show();
        dock("model")->raise();
    });
    arrangeDocks();
}

QDockWidget* MainWindow::dock(const QString& id) const {
    const auto it = m_docks.find(id);
    return it == m_docks.end() ? nullptr : it->second.dock;
}

void MainWindow::arrangeDocks() {
    for (auto& [id, info] : m_docks) {
        info.dock->setFloating(false);
        removeDockWidget(info.dock);
    }
    const auto put = [this](const char* id, Qt::DockWidgetArea area) { addDockWidget(area, dock(id), Qt::Vertical); };
    put("runs", Qt::LeftDockWidgetArea);
    put("recipe", Qt::LeftDockWidgetArea);
    put("model", Qt::LeftDockWidgetArea);
    tabifyDockWidget(dock("recipe"), dock("model"));
    // One above the other inside an area that goes across: in one that goes up, Qt takes the line above it for an
    // upright one.
    addDockWidget(Qt::BottomDockWidgetArea, dock("timeline"), Qt::Horizontal);
    splitDockWidget(dock("timeline"), dock("trajectory"), Qt::Vertical);
    tabifyDockWidget(dock("trajectory"), dock("compare"));
    tabifyDockWidget(dock("compare"), dock("lab"));
    tabifyDockWidget(dock("lab"), dock("queue"));
    tabifyDockWidget(dock("queue"), dock("log"));
    put("step", Qt::RightDockWidgetArea);
    put("attention", Qt::RightDockWidgetArea);
    for (auto& [id, info] : m_docks) info.dock->setVisible(info.isShownAtFirst);
    dock("trajectory")->raise();
    dock("recipe")->raise();
    QTimer::singleShot(0, this, [this] {
        updateDockTitles();
        fitDocks();
    });
}

QList<QDockWidget*> MainWindow::bottomDocks() const {
    QList<QDockWidget*> docks;
    for (const auto& [id, info] : m_docks) {
        QDockWidget* d = info.dock;
        // Of docks in tabs only the one in front lies inside the window.
        if (dockWidgetArea(d) == Qt::BottomDockWidgetArea && !d->isFloating() && d->isVisible()
            && rect().intersects(d->geometry()) && d->height() > 0)
            docks.append(d);
    }
    return docks;
}

void MainWindow::fitDocks() {
    if (!isVisible() || m_docks.empty()) return;
    if (m_isLayoutByHand) return keepCanvas();
    int height = centralWidget()->height();
    for (const QDockWidget* d : bottomDocks()) height += d->height() + 1;
    resizeDocks({dock("runs"), dock("step")}, {DockShares::left(width()), DockShares::right(width())}, Qt::Horizontal);
    resizeDocks({dock("runs"), dock("recipe")}, {int(height * 0.31), int(height * 0.69)}, Qt::Vertical);
    resizeDocks({dock("step"), dock("attention")}, {int(height * 0.47), int(height * 0.53)}, Qt::Vertical);
    QList<QDockWidget*> below = bottomDocks();
    QList<int> heights;
    for (const QDockWidget* d : below)
        heights.append(d == dock("timeline") ? DockShares::timeline(height) : DockShares::tabs(height));
    if (!below.isEmpty()) resizeDocks(below, heights, Qt::Vertical);
}

void MainWindow::keepCanvas() {
    const QList<QDockWidget*> below = bottomDocks();
    int taken = 0;
    for (const QDockWidget* d : below) taken += d->height() + 1;
    const int height = centralWidget()->height() + taken, room = height - int(height * canvasShare);
    if (taken <= room || below.isEmpty()) return;
    QList<int> heights;
    for (const QDockWidget* d : below) heights.append(d->height() * room / taken);
    resizeDocks(below, heights, Qt::Vertical);
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    fitDocks();
}

void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    fitDocks();
    QTimer::singleShot(300, this,
                       qOverload<>(&QWidget::update));  // for 150 ms Qt goes back and forth between a restored layout
                                                        // and the fitted one; its first image has separators of both
}

bool MainWindow::event(QEvent* event) {
    // Only separators are parts of the window that no child covers.
    if (event->type() == QEvent::MouseButtonPress) {
        const auto* press = static_cast<QMouseEvent*>(event);
        if (press->button() == Qt::LeftButton && !childAt(press->position().toPoint())) m_isLayoutByHand = true;
    }
    return QMainWindow::event(event);
}

void MainWindow::updateDockTitles() {
    for (auto& [id, info] : m_docks) {
        bool isTabbed = false;
        for (const QDockWidget* other : tabifiedDockWidgets(info.dock)) isTabbed |= !other->isHidden();
        info.title->setCollapsed(isTabbed && !info.dock->isFloating());
    }
    for (QTabBar* bar : findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly)) {
        bar->setDrawBase(false);
        bar->setExpanding(false);
        bar->setDocumentMode(true);
        bar->setElideMode(Qt::ElideNone);
        bar->setFocusPolicy(Qt::TabFocus);
    }
}

void MainWindow::resetLayout() {
    m_isLayoutByHand = false;
    arrangeDocks();
    QSettings().remove("window/layout");
}

void MainWindow::restoreLayout() {
    const QSettings s;
    resize(1440, 900);
    if (s.contains("window/geometry")) restoreGeometry(s.value("window/geometry").toByteArray());
    // A screen that is gone must not hide the window.
    bool isVisible = false;
    for (const QScreen* screen : QGuiApplication::screens())
        isVisible |= screen->availableGeometry().intersected(geometry()).width() > 120;
    if (!isVisible && !QGuiApplication::screens().isEmpty())
        move(QGuiApplication::primaryScreen()->availableGeometry().topLeft());
    if (s.contains("window/layout")) {
        m_isLayoutByHand = s.value("window/layoutByHand", false).toBool();
        if (!restoreState(s.value("window/layout").toByteArray(), layoutVersion)) resetLayout();
    }
    QTimer::singleShot(0, this, &MainWindow::updateDockTitles);
}

void MainWindow::showRemarks() {
    const auto badge = [this](const char* id, const QString& text, bool isWarning = false) {
        m_docks.at(id).title->setRemark(text, isWarning);
    };
    badge("runs", QString::number(m_document.runs().size()));
    const int n = m_recipe->differenceCount();
    badge("recipe",
          n > 0                    ? tr("draft differs in %1").arg(n)
          : n == 0 && currentRun() ? tr("as the shown run")
                                   : QString(),
          n > 0);
    const RunPtr run = currentRun();
    const StepCursor c = m_selection.cursor();
    QString title = tr("Step"), level;
    if (run && run->trajectory && c.run == qstr(run->id) && c.evaluation >= 0
        && c.evaluation < int(run->trajectory->evaluations.size())) {
        const Evaluation& e = *run->trajectory->evaluations[std::size_t(c.evaluation)];
        const auto step = std::size_t(e.step);
        title = tr("Step %1").arg(e.step);
        const bool isPredictor = run->trajectory->evaluationOf(e.step) == &e;
        level = isPredictor ? tr("predictor") : tr("corrector");
        if (step + 1 < run->trajectory->levels.size()) {
            const auto sigma = [&](std::size_t i) {
                return numberText(run->model.process.sigma(run->trajectory->levels[i]), 3);
            };
            level += QStringLiteral(" · σ %1 → %2").arg(sigma(step), sigma(step + 1));
        }
    } else if (run && run->trajectory) {
        level = endText(*run);
    }
    dock("step")->setWindowTitle(title);
    badge("step", level);
}

}  // namespace meander::gui
