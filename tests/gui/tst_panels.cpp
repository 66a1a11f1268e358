// The registry of panels: a panel that is one more row of it gets its dock, its tab, its command and its turn at F6,
// and layouts stored with other panels do no harm. The window on small screens.
#include <QAccessible>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>

#include "gui/panels/panel.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

namespace {

PanelInfo dummy(const QString& tabGroup, PanelArea area = PanelArea::Bottom) {
    return {.id = "dummy",
            .title = "Dummy",
            .area = area,
            .tabGroup = tabGroup,
            .create = [](const PanelContext&, QWidget* parent) -> QWidget* {
                auto* panel = new QWidget(parent);
                auto* box = new QVBoxLayout(panel);
                auto* line = new QLineEdit(panel);
                line->setObjectName("dummyLine");
                box->addWidget(line);
                return panel;
            }};
}

std::vector<PanelInfo> withDummy(const PanelInfo& info) {
    std::vector<PanelInfo> list = panels();
    list.push_back(info);
    return list;
}

std::unique_ptr<MainWindow> openWith(const std::vector<PanelInfo>& list, QSize size = {1440, 900}) {
    auto window = std::make_unique<MainWindow>(list);
    UserPrompts& q = window->userPrompts();
    q.saveChanges = [](const QString&) { return SaveAnswer::Discard; };
    q.stopRuns = [](int) { return true; };
    q.recover = [](Document&) {};
    window->resize(size);
    window->show();
    window->document().startEngine();
    return window;
}

// The panel that has the focus, in the centre or in a dock.
QString focused(MainWindow& window, const std::vector<PanelInfo>& list) {
    const QWidget* focus = QApplication::focusWidget();
    for (const PanelInfo& p : list) {
        const QWidget* whole = window.dock(p.id) ? window.dock(p.id) : window.panel(p.id);
        if (focus && (whole == focus || whole->isAncestorOf(focus))) return p.id;
    }
    return {};
}

}  // namespace

class TestPanels : public QObject {
    Q_OBJECT

    void showSteadily(MainWindow& window) {
        window.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&window));
        QTest::qWait(50);
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("panels-%1").arg(QCoreApplication::applicationPid())); }
    void init() { forgetEverything(); }
    void cleanupTestCase() { forgetEverything(); }

    // Ids are unique, titles are there, and every dock has its command in the Window menu.
    void theRegistry() {
        QStringList ids;
        for (const PanelInfo& p : panels()) {
            QVERIFY2(!p.id.isEmpty() && !p.title.isEmpty() && p.create && !ids.contains(p.id), qPrintable(p.id));
            ids << p.id;
        }
        auto window = openWindow();
        for (const PanelInfo& p : panels()) {
            QVERIFY2(window->panel(p.id), qPrintable(p.id));
            QCOMPARE(window->dock(p.id) != nullptr, p.area != PanelArea::Centre);
            QCOMPARE(window->commands().find("dock." + p.id) != nullptr, p.area != PanelArea::Centre);
        }
        QVERIFY(layoutVersionOf(panels()) > 0);
        QVERIFY(layoutVersionOf(withDummy(dummy("analysis"))) != layoutVersionOf(panels()));
        QVERIFY(layoutVersionOf(withDummy(dummy("analysis"))) != layoutVersionOf(withDummy(dummy(""))));
    }

    void onePanelMore_data() {
        QTest::addColumn<QString>("group");
        QTest::addColumn<int>("area");
        QTest::newRow("a tab below") << "analysis" << int(PanelArea::Bottom);
        QTest::newRow("a tab beside the recipe") << "recipe" << int(PanelArea::Left);
        QTest::newRow("a place of its own") << "" << int(PanelArea::Right);
    }
    void onePanelMore() {
        QFETCH(QString, group);
        QFETCH(int, area);
        const auto list = withDummy(dummy(group, PanelArea(area)));
        auto window = openWith(list);
        showSteadily(*window);
        QDockWidget* dock = window->dock("dummy");
        QVERIFY(dock && dock->isVisible());
        // In its place: with its tabs, or beside the others, inside the window and over nobody else.
        const QList<QDockWidget*> tabs = window->tabifiedDockWidgets(dock);
        QCOMPARE(!tabs.isEmpty(), !group.isEmpty());
        dock->raise();
        QTRY_VERIFY(!dock->visibleRegion().isEmpty());
        QVERIFY(window->rect().contains(dock->geometry()));
        for (const PanelInfo& p : panels()) {
            const QDockWidget* other = window->dock(p.id);
            if (!other || other->isHidden() || tabs.contains(const_cast<QDockWidget*>(other))) continue;
            if (other->visibleRegion().isEmpty()) continue;
            QVERIFY2(!other->geometry().intersects(dock->geometry()), qPrintable(p.id));
        }
        QVERIFY(window->commands().trigger("dock.dummy"));
        QVERIFY(dock->isHidden());
        QVERIFY(window->commands().trigger("dock.dummy"));
        QVERIFY(!dock->isHidden());
        QStringList reached;
        for (std::size_t i = 0; i <= list.size(); ++i) {
            QVERIFY(window->commands().trigger("window.next"));
            reached << focused(*window, list);
        }
        QVERIFY2(reached.contains("dummy"), qPrintable(reached.join(' ')));
    }

    // In an empty project too, forwards and backwards, and never stuck.
    void focusReachesEveryPanel() {
        auto window = openWindow();
        Document& d = window->document();
        WAIT_FOR_PLAN(d);
        showSteadily(*window);
        QVERIFY(d.runs().empty());
        const int turns = int(panels().size()) + 2;
        QStringList forwards, backwards;
        for (int i = 0; i < turns; ++i) {
            QVERIFY(window->commands().trigger("window.next"));
            forwards << focused(*window, panels());
        }
        for (int i = 0; i < turns; ++i) {
            QVERIFY(window->commands().trigger("window.previous"));
            backwards << focused(*window, panels());
        }
        for (int i = 1; i < turns; ++i) {
            QVERIFY2(forwards[i] != forwards[i - 1], qPrintable(forwards.join(' ')));
            QVERIFY2(backwards[i] != backwards[i - 1], qPrintable(backwards.join(' ')));
        }
        for (const char* id : {"runs", "recipe", "timeline", "schedule", "guidance", "lab", "log"})
            QVERIFY2(forwards.contains(QLatin1String(id)) && backwards.contains(QLatin1String(id)),
                     qPrintable(QLatin1String(id) + QStringLiteral(": ") + forwards.join(' ')));
    }

    // A layout of other panels: the window comes up with its own, complete.
    // From stop to stop by Tab through the whole window and back to the first: each is seen and has a name, none comes
    // twice, and the rows of a form come from above, those that were built anew too.
    void everyStopIsSeenAndNamed() {
        const auto window = openWindow();
        Document& d = window->document();
        WAIT_FOR_PLAN(d);
        window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(window.get()));
        Recipe r = longRecipe(4);
        r.guidance = {{"cfg", {{"scale", 2.0}}}};
        d.editDraft(r, "edit");
        WAIT_FOR_PLAN(d);
        r.sampler = {"dpmpp_2m_sde", {}};
        r.schedule = {"beta", {}};
        r.guidance = {{"cfg", {{"scale", 2.0}}}, {"apg", {}}};
        d.editDraft(r, "edit");
        WAIT_FOR_PLAN(d);
        QTest::qWait(50);
        window->recipePanel().findChild<QSpinBox*>("steps")->setFocus();
        QWidget* const first = QApplication::focusWidget();
        QVERIFY(first);
        std::vector<QWidget*> stops;
        QStringList nameless, unseen;
        for (int i = 0; i < 400; ++i) {
            QWidget* w = QApplication::focusWidget();
            if (i > 0 && w == first) break;
            QVERIFY2(std::find(stops.begin(), stops.end(), w) == stops.end(), w->metaObject()->className());
            stops.push_back(w);
            const QString what =
                QStringLiteral("%1 %2 in %3")
                    .arg(w->metaObject()->className(), w->objectName(), w->parentWidget()->metaObject()->className());
            QAccessibleInterface* face = QAccessible::queryAccessibleInterface(w);
            if (!face || face->text(QAccessible::Name).trimmed().isEmpty()) nameless << what;
            // Further down in a scroll area it would be scrolled to.
            bool isBehind = false;
            for (QWidget* p = w; p; p = p->parentWidget())
                if (qobject_cast<QDockWidget*>(p)) isBehind = p->visibleRegion().isEmpty();
            if (!w->isVisible() || isBehind) unseen << what;
            QTest::keyClick(w, Qt::Key_Tab);
        }
        QVERIFY2(nameless.isEmpty(), qPrintable("without a name: " + nameless.join("; ")));
        QVERIFY2(unseen.isEmpty(), qPrintable("not seen: " + unseen.join("; ")));
        QVERIFY2(stops.size() > 40, qPrintable(QString::number(stops.size())));
        std::vector<int> heights;
        for (QWidget* w : stops)
            if (window->recipePanel().isAncestorOf(w))
                heights.push_back(w->mapTo(&window->recipePanel(), QPoint(0, w->height() / 2)).y());
        // The walk began in the middle of the form, and may have scrolled it: once round, from the first row.
        QVERIFY(heights.size() > 12);
        constexpr int oneRow = 60;  // within which buttons may stand beside their field
        int falls = 0;
        for (std::size_t i = 1; i < heights.size(); ++i) falls += heights[i] < heights[i - 1] - oneRow;
        QVERIFY2(falls <= 1, qPrintable(QString::number(falls)));
    }

    void layoutsOfOtherPanels() {
        for (const int version : {4, layoutVersionOf(withDummy(dummy("analysis")))}) {
            forgetEverything();
            {
                auto window = openWith(withDummy(dummy("analysis")));
                window->dock("attention")->hide();
                window->addDockWidget(Qt::LeftDockWidgetArea, window->dock("step"));
                QTest::qWait(20);
                QSettings s;
                s.setValue("window/layout", window->saveState(version));
                s.setValue("window/layoutByHand", true);
            }
            auto window = openWindow();
            showSteadily(*window);
            QVERIFY(!window->dock("attention")->isHidden());
            QCOMPARE(window->dockWidgetArea(window->dock("step")), Qt::RightDockWidgetArea);
            for (const PanelInfo& p : panels())
                if (const QDockWidget* dock = window->dock(p.id); dock && p.isShownAtFirst)
                    QVERIFY2(!dock->isHidden() && !dock->isFloating(), qPrintable(p.id));
        }
    }

    // From 1280 × 720 on, with the frame and the bar of a desktop around it, nothing is cut.
    void smallScreens() {
        auto window = openWindow({1280, 660});
        WAIT_FOR_PLAN(window->document());
        showSteadily(*window);
        const QSize least = window->minimumSizeHint();
        QVERIFY2(least.width() <= 1280 && least.height() <= 660,
                 qPrintable(QStringLiteral("%1 × %2").arg(least.width()).arg(least.height())));
        QCOMPARE(window->size(), QSize(1280, 660));
        // Whatever is in front.
        for (const PanelInfo& p : panels())
            if (QDockWidget* dock = window->dock(p.id); dock && !dock->isHidden()) {
                dock->raise();
                QTest::qWait(50);
                const QSize now = window->minimumSizeHint();
                QVERIFY2(now.width() <= 1280 && now.height() <= 660,
                         qPrintable(QStringLiteral("%1: %2 × %3").arg(p.id).arg(now.width()).arg(now.height())));
                QCOMPARE(window->size(), QSize(1280, 660));
            }
        window->dock("trajectory")->raise();
        QTest::qWait(50);
        for (const PanelInfo& p : panels())
            if (const QDockWidget* dock = window->dock(p.id); dock && !dock->visibleRegion().isEmpty())
                QVERIFY2(window->rect().contains(dock->geometry()), qPrintable(p.id));
        // A new window opens within its screen.
        window.reset();
        forgetEverything();
        MainWindow fresh;
        const QSize room = QGuiApplication::primaryScreen()->availableSize();
        QVERIFY2(fresh.width() <= std::max(room.width(), fresh.minimumSizeHint().width())
                     && fresh.height() <= std::max(room.height(), fresh.minimumSizeHint().height()),
                 qPrintable(QStringLiteral("%1 × %2").arg(fresh.width()).arg(fresh.height())));
    }
};

QTEST_MAIN(TestPanels)
#include "tst_panels.moc"
