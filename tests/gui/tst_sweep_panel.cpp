// A sweep as a person does it: axes, what they cost, cells that fill, one of them shown, compared, cancelled, run
// again, the axes swapped, the steps scrubbed, files written, the project opened again.
#include <QComboBox>
#include <QLabel>
#include <QPushButton>

#include "engine/recipe/recipe_fields.h"
#include "gui/panels/sweep/sweep_panel.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestSweepPanel : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    QTemporaryDir m_folder;

    Document& document() { return window->document(); }
    SweepPanel& panel() { return *window->findChild<SweepPanel*>("sweepPanel"); }
    SweepGrid& grid() { return *panel().grid(); }
    QPushButton* button(const char* name) { return panel().findChild<QPushButton*>(name); }
    // Types values as a person does, after the setting was chosen.
    void setAxis(int i, const QString& key, const QString& values) {
        panel().axisRow(i)->set(key, {});
        auto* field = panel().findChild<QLineEdit*>(QStringLiteral("axisValues%1").arg(i + 1));
        field->clear();
        QTest::keyClicks(field, values);
    }
    void waitForPlan(const QString& text) {
        QTRY_VERIFY2_WITH_TIMEOUT(panel().planText().contains(text), qPrintable(panel().planText()), 30000);
    }
    RunPtr runOf(std::size_t cell) {
        return document().run(qstr(document().sweep(panel().shownSweep())->cells[cell].run));
    }
    void clickCell(std::size_t cell, Qt::KeyboardModifiers keys = {}) {
        QTest::mouseClick(grid().viewport(), Qt::LeftButton, keys, grid().rectOf(cell).center());
    }
    void runSmallSweep() {
        setAxis(0, "sampler", "euler,heun");
        setAxis(1, "guidance.scale", "1,3");
        setAxis(2, "steps", "2:4");
        waitForPlan("12 cells");
        QTest::mouseClick(button("sweepRun"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 240000);
        QCOMPARE(document().sweeps().size(), 1u);
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("sweep-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(document());
        Recipe r = longRecipe(4);
        r.guidance = {{"cfg", {{"scale", 3.0}}}};
        document().editDraft(r, "test");
        WAIT_FOR_PLAN(document());
        window->dock("sweep")->raise();
        QTRY_VERIFY(panel().isVisible());
    }
    void cleanup() {
        window.reset();
        forgetEverything();
    }

    void costBeforeAnythingRuns() {
        QVERIFY(!button("sweepRun")->isEnabled());
        setAxis(0, "steps", "2,4,4");
        waitForPlan("3 cells · 2 runs");
        QVERIFY(panel().planText().contains("equal to others"));
        QVERIFY(button("sweepRun")->isEnabled());
        setAxis(1, "sampler", "euler,nonsense");
        waitForPlan("3 cells are refused");
        QVERIFY(panel().planText().contains("nonsense"));
        setAxis(0, "steps", "5:1:1");
        waitForPlan("The range 5:1:1");
        QVERIFY(!button("sweepRun")->isEnabled());
        QVERIFY(panel().findChild<QLineEdit*>("axisValues1")->property("invalid").toBool());
        QCOMPARE(document().runs().size(), 0u);
    }

    // Every setting of the table can be an axis, and the parameters of what the draft has chosen.
    void everySettingIsOffered() {
        auto* keys = panel().findChild<QComboBox*>("axisKey1");
        for (const RecipeField& f : recipeFields())
            if (f.key != "branch" && f.key != "device") QVERIFY2(keys->findData(qstr(f.key)) >= 0, f.key.c_str());
        QVERIFY(keys->findData("guidance.scale") >= 0);
        QVERIFY(keys->findData("schedule.rho") >= 0);
        QVERIFY(keys->findData("branch") < 0);
    }

    void cellsFillAndAreShown() {
        runSmallSweep();
        const Sweep s = *document().sweep(panel().shownSweep());
        for (std::size_t i = 0; i < 12; ++i) {
            QVERIFY(runOf(i));
            QCOMPARE(runOf(i)->status, RunStatus::Finished);
            QTRY_VERIFY(!grid().imageOfCell(i).isNull());
        }
        QCOMPARE(grid().across(), 2);
        QCOMPARE(grid().down(), 1);
        const std::size_t cell = s.cellAt({0, 1, 2});
        clickCell(cell);
        QCOMPARE(window->selection().currentRun(), qstr(s.cells[cell].run));
        const std::size_t other = s.cellAt({0, 0, 0});
        clickCell(other, Qt::ControlModifier);
        QCOMPARE(window->selection().comparedRun(), qstr(s.cells[other].run));
        // Keys.
        grid().setFocus();
        QTest::keyClick(&grid(), Qt::Key_Right);
        QTest::keyClick(&grid(), Qt::Key_Return);
        QCOMPARE(window->selection().currentRun(), qstr(s.cells[s.cellAt({0, 0, 1})].run));
        // The axis that is neither across nor down.
        grid().setPlace(0, 1);
        QVERIFY(grid().rectOf(cell).isEmpty());
        QVERIFY(!grid().rectOf(s.cellAt({1, 1, 2})).isEmpty());
        // Swapped.
        const QRect before = grid().rectOf(s.cellAt({1, 1, 2}));
        QTest::mouseClick(panel().findChild<QToolButton*>("sweepSwap"), Qt::LeftButton);
        QCOMPARE(grid().across(), 1);
        QVERIFY(grid().rectOf(s.cellAt({1, 1, 2})) != before);
        // Records of finished cells are not kept in memory, and come when the steps are scrubbed.
        const QImage finished = grid().imageOfCell(s.cellAt({1, 1, 2}));
        panel().findChild<QSlider*>("sweepScrub")->setValue(0);
        QTRY_VERIFY_WITH_TIMEOUT(!grid().imageOfCell(s.cellAt({1, 1, 2})).isNull(), 30000);
        QVERIFY(grid().imageOfCell(s.cellAt({1, 1, 2})) != finished);
        // One zoom for all cells.
        const QPointF middle = grid().viewport()->rect().center();
        QWheelEvent wheel(middle, grid().viewport()->mapToGlobal(middle), {}, {0, 480}, Qt::NoButton,
                          Qt::ControlModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(grid().viewport(), &wheel);
        QVERIFY(grid().zoom() > 1.5);
        // Quality.
        QTRY_COMPARE_WITH_TIMEOUT(int(panel().plot()->results().size()), 12, 30000);
        QTRY_VERIFY_WITH_TIMEOUT(panel().plot()->plot().hasData(), 30000);
        for (const char* ending : {"png", "pdf", "csv"}) {
            const QString path = m_folder.filePath(QStringLiteral("sweep.") + ending);
            QVERIFY(panel().exportTo(path));
            QVERIFY(QFileInfo(path).size() > 100);
        }
        QVERIFY(!panel().exportTo("/nowhere/at/all/x.csv"));
    }

    // For a critic's eye: MEANDER_SHOTS names a folder.
    void images() {
        if (!qEnvironmentVariableIsSet("MEANDER_SHOTS")) QSKIP("MEANDER_SHOTS is not set");
        runSmallSweep();
        for (const QSize size : {QSize(1280, 720), QSize(1920, 1080)})
            for (const ThemeChoice choice : {ThemeChoice::Dark, ThemeChoice::Light}) {
                applyTheme(choice);
                window->resize(size);
                for (const int view : {0, 1}) {
                    panel().findChild<QStackedWidget*>()->setCurrentIndex(view);
                    QTest::qWait(600);
                    window->grab().save(QStringLiteral("%1/sweep-%2-%3-%4.png")
                                            .arg(qEnvironmentVariable("MEANDER_SHOTS"))
                                            .arg(size.width())
                                            .arg(choice == ThemeChoice::Dark ? "dark" : "light")
                                            .arg(view));
                }
            }
        applyTheme(ThemeChoice::Dark);
        window->dock("queue")->raise();
        Recipe r = longRecipe(10000);
        for (int seed = 0; seed < 4; ++seed) {
            r.seed = std::uint64_t(seed);
            document().editDraft(r, "seed");
            WAIT_FOR_PLAN(document());
            document().runDraft();
        }
        QTest::qWait(1500);
        window->grab().save(qEnvironmentVariable("MEANDER_SHOTS") + "/queue.png");
        document().cancelAll();
    }

    void oneCellIsCancelledAndRunAgain() {
        Recipe r = longRecipe(3000);
        document().editDraft(r, "test");
        WAIT_FOR_PLAN(document());
        setAxis(0, "seed", "1:3");
        waitForPlan("3 cells");
        QTest::mouseClick(button("sweepRun"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(runOf(1) && runOf(1)->status == RunStatus::Running && runOf(1)->trajectory
                                     && !runOf(1)->trajectory->evaluations.empty(),
                                 60000);
        grid().setFocus();
        grid().setCurrent(1);
        const QString old = qstr(runOf(1)->id);
        QTest::keyClick(&grid(), Qt::Key_Delete);
        QTRY_COMPARE_WITH_TIMEOUT(document().run(old)->status, RunStatus::Cancelled, 30000);
        QCOMPARE(runOf(0)->status, RunStatus::Running);
        QTest::keyClick(&grid(), Qt::Key_R);
        QTRY_VERIFY_WITH_TIMEOUT(qstr(document().sweep(panel().shownSweep())->cells[1].run) != old, 30000);
        QTRY_VERIFY_WITH_TIMEOUT(runOf(1) && runOf(1)->status == RunStatus::Running, 30000);
        // An ordinary run does not wait for the cells.
        document().editDraft(ringRecipe(), "test");
        WAIT_FOR_PLAN(document());
        QSignalSpy finished(&document(), &Document::runFinished);
        document().runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() > 0, 30000);
        QCOMPARE(runOf(0)->status, RunStatus::Running);
        QTest::mouseClick(button("sweepStop"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 30000);
    }

    void aSweepIsInTheProject() {
        runSmallSweep();
        const Sweep s = document().sweeps().front();
        const QString path = m_folder.filePath("sweep.meander");
        QVERIFY(document().saveAs(path).ok());
        document().newProject();
        QCOMPARE(document().sweeps().size(), 0u);
        QVERIFY(window->openProject(path));
        QCOMPARE(document().sweeps().size(), 1u);
        QCOMPARE(document().sweeps().front(), s);
        QCOMPARE(panel().shownSweep(), qstr(s.id));
        QTRY_VERIFY_WITH_TIMEOUT(!grid().imageOfCell(5).isNull(), 30000);
    }
};

QTEST_MAIN(TestSweepPanel)
#include "tst_sweep_panel.moc"
