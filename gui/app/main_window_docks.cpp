// The centre and the docks, made from the registry of panels; their heads, tabs and order of focus.
#include <QApplication>
#include <QTabBar>
#include <QTimer>
#include <QVBoxLayout>
#include <map>
#include <utility>

#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/lab/lab_panel.h"
#include "gui/panels/model/model_panel.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "gui/selection/step_link.h"
#include "gui/widgets/front_panel.h"

namespace meander::gui {

namespace {

constexpr int leastCentre = 200;  // pixels of the canvas with the bars around it

Qt::DockWidgetArea areaOf(PanelArea area) {
    return area == PanelArea::Left    ? Qt::LeftDockWidgetArea
           : area == PanelArea::Right ? Qt::RightDockWidgetArea
                                      : Qt::BottomDockWidgetArea;
}

// The panel itself or the first of its widgets that the Tab key reaches.
QWidget* firstStopIn(QWidget* panel) {
    const auto isStop = [panel](const QWidget* w) {
        return (w->focusPolicy() & Qt::TabFocus) && w->isEnabled() && (w == panel || w->isVisibleTo(panel));
    };
    if (isStop(panel)) return panel;
    for (QWidget* w : panel->findChildren<QWidget*>())
        if (isStop(w)) return w;
    return nullptr;
}

}  // namespace

void MainWindow::buildCentre() {
    auto* centre = new QWidget(this);
    centre->setObjectName("centre");
    centre->setMinimumSize(320, leastCentre);
    auto* box = new QVBoxLayout(centre);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    m_hint = new HintBar(centre);
    box->addWidget(m_hint);
    for (Place& p : m_places) {
        if (p.info.area != PanelArea::Centre) continue;
        p.panel = p.info.create({m_document, m_selection}, centre);
        box->addWidget(p.panel, box->count() == 1 ? 1 : 0);  // the first gets the room
    }
    setCentralWidget(centre);
}

void MainWindow::buildDocks() {
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    for (auto area : {Qt::LeftDockWidgetArea, Qt::RightDockWidgetArea, Qt::BottomDockWidgetArea})
        setTabPosition(area, QTabWidget::North);
    for (Place& p : m_places)
        if (p.info.area != PanelArea::Centre) addDock(p);
    arrangeDocks();
}

void MainWindow::addDock(Place& place) {
    auto* dock = place.dock = new QDockWidget(place.info.title, this);
    place.panel = place.info.create({m_document, m_selection}, dock);  // in place: a new parent styles all anew
    dock->setObjectName("dock." + place.info.id);
    dock->setAccessibleName(place.info.title);
    dock->setWidget(place.panel);
    place.title = new DockTitle(dock);
    dock->setTitleBarWidget(place.title);
    if (place.info.takeTitleControls) place.title->setControls(place.info.takeTitleControls(place.panel));
    addDockWidget(areaOf(place.info.area), dock);
    const auto later = [this] { QTimer::singleShot(0, this, &MainWindow::updateDockTitles); };
    connect(dock, &QDockWidget::topLevelChanged, this, later);
    connect(dock, &QDockWidget::dockLocationChanged, this, later);
    connect(dock, &QDockWidget::visibilityChanged, this, later);
}

// The panels whose commands and signals the window uses by name.
void MainWindow::connectPanels() {
    m_canvas = qobject_cast<CanvasPanel*>(panel("canvas"));
    m_timeline = qobject_cast<TimelinePanel*>(panel("timeline"));
    m_lab = qobject_cast<LabPanel*>(panel("lab"));
    m_runs = qobject_cast<RunsPanel*>(panel("runs"));
    m_recipe = qobject_cast<RecipePanel*>(panel("recipe"));
    m_model = qobject_cast<ModelPanel*>(panel("model"));
    connect(m_runs, &RunsPanel::runRequested, this, [this] { m_commands.trigger("run.start"); });
    connect(m_recipe, &RecipePanel::openModelRequested, m_model, &ModelPanel::openFile);
    connect(m_recipe, &RecipePanel::scheduleEditorRequested, this, [this] { m_commands.trigger("schedule.edit"); });
    connect(m_recipe, &RecipePanel::modelCardRequested, this, [this] {
        dock("model")->show();
        dock("model")->raise();
    });
}

const MainWindow::Place* MainWindow::place(const QString& id) const {
    for (const Place& p : m_places)
        if (p.info.id == id) return &p;
    return nullptr;
}

QDockWidget* MainWindow::dock(const QString& id) const {
    const Place* p = place(id);
    return p ? p->dock : nullptr;
}

QWidget* MainWindow::panel(const QString& id) const {
    const Place* p = place(id);
    return p ? p->panel : nullptr;
}

void MainWindow::arrangeDocks() {
    for (const Place& p : m_places) {
        if (!p.dock) continue;
        p.dock->setFloating(false);
        removeDockWidget(p.dock);
    }
    std::map<QString, QDockWidget*> groups;         // the last dock of each tab group
    std::map<PanelArea, QDockWidget*> placeBefore;  // the first dock of the place above
    for (const Place& p : m_places) {
        if (!p.dock) continue;
        const PanelArea area = p.info.area;
        QDockWidget*& tabs = groups[p.info.tabGroup];
        if (!p.info.tabGroup.isEmpty() && tabs) {
            tabifyDockWidget(std::exchange(tabs, p.dock), p.dock);
            continue;
        }
        tabs = p.dock;
        // One above the other inside an area that goes across: in one that goes up, Qt takes the line above it for an
        // upright one.
        QDockWidget*& above = placeBefore[area];
        if (area != PanelArea::Bottom) addDockWidget(areaOf(area), p.dock, Qt::Vertical);
        else if (above) splitDockWidget(above, p.dock, Qt::Vertical);
        else addDockWidget(Qt::BottomDockWidgetArea, p.dock, Qt::Horizontal);
        above = p.dock;
    }
    for (const Place& p : m_places)
        if (p.dock) p.dock->setVisible(p.info.isShownAtFirst);
    for (const Place& p : m_places)
        if (p.dock && p.info.isInFront) p.dock->raise();
    QTimer::singleShot(0, this, [this] {
        updateDockTitles();
        fitDocks();
    });
}

void MainWindow::updateDockTitles() {
    for (const Place& p : m_places) {
        if (!p.dock) continue;
        bool isTabbed = false;
        for (const QDockWidget* other : tabifiedDockWidgets(p.dock)) isTabbed |= !other->isHidden();
        p.title->setCollapsed(isTabbed && !p.dock->isFloating());
    }
    for (QTabBar* bar : findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly)) {
        bar->setDrawBase(false);
        bar->setExpanding(false);
        bar->setDocumentMode(true);
        bar->setElideMode(Qt::ElideNone);
        bar->setFocusPolicy(Qt::TabFocus);
    }
}

// Goes round the panels that are not closed, those behind a tab too; one without anything to focus is passed over.
void MainWindow::focusNextPanel(int direction) {
    std::vector<const Place*> stops;
    for (const Place& p : m_places)
        if (p.dock ? !p.dock->isHidden() : p.panel->isVisible()) stops.push_back(&p);
    const QWidget* focus = QApplication::focusWidget();
    const int count = int(stops.size());
    int at = direction > 0 ? -1 : 0;
    for (int i = 0; i < count; ++i) {
        const QWidget* whole = stops[std::size_t(i)]->dock ? stops[std::size_t(i)]->dock : stops[std::size_t(i)]->panel;
        if (focus && (whole == focus || whole->isAncestorOf(focus))) at = i;
    }
    for (int k = 1; k <= count; ++k) {
        const Place& next = *stops[std::size_t(((at + direction * k) % count + count) % count)];
        if (auto* waiting = qobject_cast<FrontPanel*>(next.panel)) waiting->layOut();
        QWidget* target = firstStopIn(next.panel);
        if (!target) continue;
        if (next.dock) next.dock->raise();
        target->setFocus(Qt::TabFocusReason);
        return;
    }
}

void MainWindow::showRemarks() {
    const auto badge = [this](const char* id, const QString& text, bool isWarning = false) {
        place(id)->title->setRemark(text, isWarning);
    };
    badge("runs", QString::number(m_document.runs().size()));
    const auto n = m_recipe->differenceCount();
    badge("recipe",
          n && *n > 0                    ? tr("draft differs in %1").arg(*n)
          : n && *n == 0 && currentRun() ? tr("as the shown run")
                                         : QString(),
          n.value_or(0) > 0);
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
