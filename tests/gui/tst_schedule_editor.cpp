// The schedule editor in the real window: what hands and keys do to the curve, that each deed is one undo step, that
// text and table are the same levels, and that a run visits what was drawn. MEANDER_EDITOR_DRAGS: number of random
// drags.
#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QElapsedTimer>
#include <random>

#include "engine/schedule/level_text.h"
#include "engine/schedule/schedule.h"
#include "gui/forms/operation_dialog.h"
#include "gui/panels/schedule/schedule_panel.h"
#include "tests/gui/editor_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;
using List = std::vector<double>;

class TestScheduleEditor : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> m_window;
    SchedulePanel* m_panel = nullptr;
    CurveEditor* m_editor = nullptr;

    Document& document() { return m_window->document(); }
    void use(const Recipe& r) {
        document().editDraft(r, "edit");
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan() ? "" : document().draftPlan().error().text.c_str());
        QVERIFY(!m_panel->levels().empty());
    }
    List drawn() { return std::get<List>(document().draft().schedule.params.at("values")); }
    int undoSteps() { return document().undoStack().index(); }

private slots:
    void initTestCase() {
        prepareApplication(QStringLiteral("schedule-%1").arg(QCoreApplication::applicationPid()));
        forgetEverything();
        m_window = openWindow();
        m_panel = qobject_cast<SchedulePanel*>(m_window->panel("schedule"));
        QVERIFY(m_panel);
        m_editor = m_panel->editor();
    }
    // One window for all: opening it takes longer than most tests.
    void init() {
        m_window->document().newProject();
        raisePanel(*m_window, "schedule");
        m_panel->setMode(SchedulePanel::Mode::Points);
        m_panel->setReading(levels::Reading::Sigma);
        m_panel->setSnap(SchedulePanel::Snap::Off);
        m_panel->setLocked(true);
        m_panel->setGhost("exponential", false);
        m_panel->setGhost("karras", false);
        m_panel->setTableShown(false);
        m_editor->setProportional(false);
        m_editor->setSelection({});
        use(ringRecipe(12));
    }
    void cleanupTestCase() {
        m_window.reset();
        forgetEverything();
    }

    void showsTheDraft() {
        QCOMPARE(m_panel->levels(), document().draftPlan()->levels);
        QCOMPARE(m_editor->points().size(), std::size_t(12));  // the last of 13 levels is 0
        QVERIFY(!m_editor->accessibleName().isEmpty());
        for (const auto& p : m_editor->points()) QVERIFY(p.text.contains(QStringLiteral("σ")));
    }

    // A drag is one undo step; its level stays between its neighbours however far the hand goes; undo brings all back.
    void aDragIsOneUndoStep() {
        const List before = m_panel->levels();
        const Recipe recipe = document().draft();
        const int steps = undoSteps();
        dragBy(m_editor, m_editor->pageOfPoint(5), {0, -12}, {}, [&] {
            QVERIFY(m_panel->levels()[5] > before[5]);
            QCOMPARE(document().draft(), recipe);  // nothing is the draft's before the hand lets go
        });
        QCOMPARE(undoSteps(), steps + 1);
        QCOMPARE(document().draft().schedule.id, std::string("custom"));
        QCOMPARE(document().draft().steps, 12);
        QCOMPARE(drawn(), m_panel->levels());
        QVERIFY(drawn()[5] > before[5] && drawn()[5] < before[4]);
        for (std::size_t i = 0; i < before.size(); ++i)
            if (i != 5) QCOMPARE(drawn()[i], before[i]);
        dragBy(m_editor, m_editor->pageOfPoint(5), {0, 4000});
        QVERIFY(drawn()[5] > drawn()[6] && levels::isFalling(drawn()));
        document().undoStack().undo();
        document().undoStack().undo();
        QCOMPARE(document().draft(), recipe);
        QCOMPARE(m_panel->levels(), before);
        document().undoStack().redo();
        QVERIFY(m_panel->levels()[5] > before[5]);
        // Escape in the middle of a drag: as if nothing had been.
        const int now = undoSteps();
        const List held = m_panel->levels();
        dragBy(m_editor, m_editor->pageOfPoint(3), {0, 15}, {}, [&] { QTest::keyClick(m_editor, Qt::Key_Escape); });
        QCOMPARE(undoSteps(), now);
        QCOMPARE(m_panel->levels(), held);
    }

    void precisionAndNeighbours() {
        const List before = m_panel->levels();
        dragBy(m_editor, m_editor->pageOfPoint(6), {0, -3});
        const double coarse = std::log(drawn()[6] / before[6]);
        document().undoStack().undo();
        dragBy(m_editor, m_editor->pageOfPoint(6), {0, -3}, Qt::ShiftModifier);
        const double fine = std::log(drawn()[6] / before[6]);
        QVERIFY2(std::abs(fine / coarse - 0.1) < 0.02, qPrintable(QString::number(fine / coarse)));
        document().undoStack().undo();
        // Ctrl takes the neighbours along, O does so for good; locked ends stay.
        for (const bool byKey : {false, true}) {
            if (byKey) QTest::keyClick(m_editor, Qt::Key_O);
            QCOMPARE(m_editor->isProportional(), byKey);
            dragBy(m_editor, m_editor->pageOfPoint(6), {0, -8}, byKey ? Qt::NoModifier : Qt::ControlModifier);
            QVERIFY(drawn()[5] > before[5] && drawn()[7] > before[7]);
            QVERIFY(drawn()[6] / before[6] > drawn()[7] / before[7]);
            QCOMPARE(drawn()[0], before[0]);
            QCOMPARE(drawn()[11], before[11]);
            document().undoStack().undo();
        }
        // The ends stay until they are unlocked.
        QTest::keyClick(m_editor, Qt::Key_O);
        const int steps = undoSteps();
        dragBy(m_editor, m_editor->pageOfPoint(11), {0, 20});
        QCOMPARE(undoSteps(), steps);
        QTest::keyClick(m_editor, Qt::Key_L);
        dragBy(m_editor, m_editor->pageOfPoint(11), {0, 8});
        QVERIFY(drawn()[11] < before[11]);
        QCOMPARE(drawn().back(), 0.0);
    }

    void severalPoints() {
        const List before = m_panel->levels();
        clickAt(m_editor, m_editor->pageOfPoint(4));
        clickAt(m_editor, m_editor->pageOfPoint(7), Qt::ShiftModifier);
        QCOMPARE(m_editor->selection().size(), 4);
        clickAt(m_editor, m_editor->pageOfPoint(5), Qt::ControlModifier);
        QCOMPARE(m_editor->selection().size(), 3);
        dragBy(m_editor, m_editor->pageOfPoint(6), {0, 5});
        for (const std::size_t i : {4, 6, 7})
            QVERIFY(std::abs(drawn()[i] / before[i] - drawn()[6] / before[6]) < 1e-9 && drawn()[i] < before[i]);
        QCOMPARE(drawn()[5], before[5]);
        // A rubber band over everything.
        const QRectF area = m_editor->plotArea();
        dragBy(m_editor, area.bottomLeft() + QPointF(-2, 2), QPointF(area.width() + 4, -area.height() - 4));
        QCOMPARE(m_editor->selection().size(), 12);
        QTest::keyClick(m_editor, Qt::Key_Escape);
        QVERIFY(m_editor->selection().isEmpty());
        QTest::keySequence(m_editor, QKeySequence::SelectAll);
        QCOMPARE(m_editor->selection().size(), 12);
    }

    // Everything without a mouse; keys that follow each other on one point are one undo step.
    void keyboardOnly() {
        m_editor->setFocus();
        QVERIFY(m_editor->hasFocus());
        const List before = m_panel->levels();
        const int steps = undoSteps();
        QTest::keyClick(m_editor, Qt::Key_Home);
        QCOMPARE(m_editor->anchor(), 0);
        for (int i = 0; i < 3; ++i) QTest::keyClick(m_editor, Qt::Key_Tab);
        QCOMPARE(m_editor->anchor(), 3);
        QTest::keyClick(m_editor, Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(m_editor->anchor(), 4);
        QVERIFY(m_editor->accessibleDescription().contains("step 4"));
        for (int i = 0; i < 5; ++i) QTest::keyClick(m_editor, Qt::Key_Up);
        const double five = drawn()[4];
        QVERIFY(five > before[4]);
        QTest::keyClick(m_editor, Qt::Key_Down, Qt::ShiftModifier);
        QVERIFY(drawn()[4] < five && drawn()[4] > before[4]);
        QCOMPARE(undoSteps(), steps + 1);
        document().undoStack().undo();
        QCOMPARE(m_panel->levels(), before);
        // Another step after this one, then without it.
        QTest::keyClick(m_editor, Qt::Key_Insert);
        QCOMPARE(drawn().size(), before.size() + 1);
        QCOMPARE(document().draft().steps, 13);
        QCOMPARE(m_editor->anchor(), 5);
        QVERIFY(drawn()[5] < before[4] && drawn()[5] > before[5]);
        QTest::keyClick(m_editor, Qt::Key_Delete);
        QCOMPARE(drawn(), before);
        // No key takes the schedule below one step.
        QTest::keySequence(m_editor, QKeySequence::SelectAll);
        QTest::keyClick(m_editor, Qt::Key_L);
        QTest::keyClick(m_editor, Qt::Key_Delete);
        QCOMPARE(drawn().size(), std::size_t(2));
        QVERIFY(levels::isFalling(drawn()));
        // Tab leaves the last point for what follows.
        QTest::keyClick(m_editor, Qt::Key_End);
        QTest::keyClick(m_editor, Qt::Key_Tab);
        QVERIFY(!m_editor->hasFocus());
    }

    void controlCurve() {
        m_panel->setMode(SchedulePanel::Mode::Curve);
        const List before = m_panel->levels();
        const std::size_t points = m_editor->points().size();
        QVERIFY(points >= 3 && points <= 6);
        const int steps = undoSteps();
        const QPointF at = m_editor->points()[1].at;
        dragBy(m_editor, m_editor->pageOfPoint(1), {18, -14});
        QCOMPARE(undoSteps(), steps + 1);
        QCOMPARE(drawn().size(), before.size());
        QVERIFY(drawn() != before && levels::isFalling(drawn()));
        QCOMPARE(drawn().front(), before.front());
        QCOMPARE(drawn()[11], before[11]);
        const QPointF moved = m_editor->points()[1].at;
        QVERIFY(moved.x() > at.x());
        QTest::mouseDClick(m_editor, Qt::LeftButton, {},
                           ((m_editor->pageOfPoint(1) + m_editor->pageOfPoint(2)) / 2 + QPointF(0, 30)).toPoint());
        QCOMPARE(m_editor->points().size(), points + 1);
        document().undoStack().undo();
        QCOMPARE(m_panel->levels(), before);
        document().undoStack().redo();
        QCOMPARE(m_editor->points()[1].at, moved);  // the control points as they were drawn
    }

    // The table is the same levels, both ways.
    void table() {
        m_panel->setTableShown(true);
        QTest::qWait(20);
        CurveTable* table = m_panel->table();
        QVERIFY(table->isVisible());
        QCOMPARE(table->rows()->rowCount(), 13);
        QAbstractItemModelTester tester(table->rows(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        const List before = m_panel->levels();
        const int steps = undoSteps();
        QVERIFY(table->rows()->setData(table->rows()->index(4, 1), "3.25", Qt::EditRole));
        if (before[3] > 3.25 && before[5] < 3.25) QCOMPARE(drawn()[4], 3.25);
        QCOMPARE(undoSteps(), steps + 1);
        QVERIFY(table->rows()->setData(table->rows()->index(4, 1), "1e9", Qt::EditRole));
        QVERIFY(drawn()[4] < drawn()[3]);
        QVERIFY(!table->rows()->setData(table->rows()->index(12, 1), "3", Qt::EditRole));  // the 0
        const int now = undoSteps();
        table->rows()->setData(table->rows()->index(4, 1), "much", Qt::EditRole);
        table->rows()->setData(table->rows()->index(0, 1), "3", Qt::EditRole);  // locked
        QCOMPARE(undoSteps(), now);
        clickAt(m_editor, m_editor->pageOfPoint(6));
        QCOMPARE(table->currentIndex().row(), 6);
        table->selectRow(3);
        QCOMPARE(m_editor->anchor(), 3);
        QTest::keyClick(m_editor, Qt::Key_Return);  // types the value of the chosen point
        QTRY_VERIFY(table->findChild<QLineEdit*>());
    }

    void textRoundTrip() {
        dragBy(m_editor, m_editor->pageOfPoint(5), {0, -9});
        const List mine = drawn();
        for (const int form : {0, 1, 2, 4}) {  // of levels::TextForm, without training steps
            m_panel->copyAs(form);
            const QString text = QApplication::clipboard()->text();
            use(ringRecipe(5));
            m_editor->setFocus();
            QTest::keySequence(m_editor, QKeySequence::Paste);
            QVERIFY2(drawn() == mine, qPrintable(text));
            QCOMPARE(document().draft().steps, 12);
        }
        // A schedule from elsewhere, badly sorted: repaired and said so.
        QSignalSpy said(&document(), &Document::message), wrong(&document(), &Document::problem);
        QApplication::clipboard()->setText("sigmas: 8, 2, 4, 1");
        m_panel->paste();
        QCOMPARE(drawn(), (List{8, 4, 2, 1, 0}));
        QVERIFY(!said.isEmpty() && said.last().at(0).toString().contains("sorted"));
        QApplication::clipboard()->setText("a red circle");
        const int steps = undoSteps();
        m_panel->paste();
        QCOMPARE(undoSteps(), steps);
        QCOMPARE(wrong.size(), 1);
        // A schedule that stops above clean.
        QApplication::clipboard()->setText("8, 4, 2, 1");
        m_panel->paste();
        WAIT_FOR_PLAN(document());
        QCOMPARE(document().draftPlan()->levels, (List{8, 4, 2, 1}));
        QCOMPARE(m_panel->levels(), (List{8, 4, 2, 1}));
        entry(m_panel->editMenu(), "clean")->trigger();
        QCOMPARE(m_panel->levels(), (List{8, 4, 2, 1, 0}));
    }

    // A dragged point is caught by what is shown, with a mark; Alt lets it pass.
    void snapping() {
        Recipe sharper = ringRecipe(12);
        sharper.schedule.params["rho"] = 5.5;
        use(sharper);
        m_panel->setGhost("karras", true);
        m_panel->setSnap(SchedulePanel::Snap::Ghosts);
        const List before = m_panel->levels(),
                   ghost = *makeSchedule("karras", document().draftPlan()->model.process, 12, {});
        const double from = m_editor->pageOfPoint(8).y(), to = m_editor->pageOf({8, ghost[8]}).y();
        QVERIFY(ghost[8] < before[7] && ghost[8] > before[9] && std::abs(to - from) > 3);
        dragBy(m_editor, m_editor->pageOfPoint(8), {0, to - from + 3}, {}, [&] {
            QVERIFY(m_editor->snapMark());
            QCOMPARE(m_editor->snapMark()->text, QStringLiteral("Karras"));
        });
        QCOMPARE(drawn()[8], ghost[8]);
        QVERIFY(!m_editor->snapMark());
        document().undoStack().undo();
        dragBy(m_editor, m_editor->pageOfPoint(8), {0, to - from + 3}, Qt::AltModifier,
               [&] { QVERIFY(!m_editor->snapMark()); });
        QVERIFY(drawn()[8] != ghost[8]);
        // The model's own training steps.
        Recipe vp = ringRecipe(8, "analytic:gaussian?d=4&process=sd15");
        use(vp);
        m_panel->setSnap(SchedulePanel::Snap::OwnSteps);
        m_panel->setReading(levels::Reading::Time);
        dragBy(m_editor, m_editor->pageOfPoint(3), {0, 7});
        const double step = document().draftPlan()->model.process.networkTime(drawn()[3]);
        QCOMPARE(step, std::round(step));
        QTest::keyClick(m_editor, Qt::Key_S);
        dragBy(m_editor, m_editor->pageOfPoint(3), {0, 5}, {}, [&] { QVERIFY(!m_editor->snapMark()); });
    }

    // Every operation of the menu makes a schedule that the recipe takes, or says why not.
    void operations() {
        QSignalSpy wrong(&document(), &Document::problem);
        for (const auto& o : scheduleOperators()) {
            if (o.id == "reverse" || o.id == "to_clean") continue;
            use(ringRecipe(12));
            QAction* action = entry(m_panel->editMenu(), "operator." + qstr(o.id));
            QVERIFY2(action && action->isEnabled(), o.id.c_str());
            const int steps = undoSteps();
            const qsizetype problems = wrong.size();
            action->trigger();
            if (auto* dialog = m_panel->findChild<OperationDialog*>()) {
                QVERIFY(!o.params.empty());
                QCOMPARE(undoSteps(), steps);  // tried out, not done
                auto* apply = buttonCalled(dialog, "Apply");
                QVERIFY(apply);
                if (apply->isEnabled()) QTest::mouseClick(apply, Qt::LeftButton);
                else dialog->reject();
                QTRY_VERIFY(!m_panel->findChild<OperationDialog*>());
            }
            QVERIFY(levels::isFalling(m_panel->levels()));
            QVERIFY2(undoSteps() == steps || undoSteps() == steps + 1, o.id.c_str());
            QVERIFY(wrong.size() - problems <= 1);
        }
        // Cancel leaves everything.
        use(ringRecipe(12));
        const List before = m_panel->levels();
        entry(m_panel->editMenu(), "operator.smooth")->trigger();
        auto* dialog = m_panel->findChild<OperationDialog*>();
        QVERIFY(dialog);
        emit dialog->form()->edited("strength", 1.0);
        QVERIFY(m_panel->levels() != before);
        dialog->reject();
        QCOMPARE(m_panel->levels(), before);
        // Levels of a preset.
        entry(m_panel->editMenu(), "take.exponential")->trigger();
        QCOMPARE(m_panel->levels(), *makeSchedule("exponential", document().draftPlan()->model.process, 12, {}));
    }

    // The run visits what was drawn, bit by bit, and its measured error stands behind the curve.
    void aRunVisitsWhatWasDrawn() {
        dragBy(m_editor, m_editor->pageOfPoint(4), {0, -10});
        dragBy(m_editor, m_editor->pageOfPoint(8), {0, 10}, Qt::ControlModifier);
        const List mine = drawn();
        WAIT_FOR_PLAN(document());
        QVERIFY(m_window->commands().trigger("run.start"));
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        const RunPtr run = document().runs().front();
        QCOMPARE(run->status, RunStatus::Finished);
        QCOMPARE(run->trajectory->levels, mine);
        // Heun measures its local error: bars, and a share at each point.
        QTRY_VERIFY(m_editor->plot().title.contains("share of the error"));
        clickAt(m_editor, m_editor->pageOfPoint(3));
        QVERIFY2(m_editor->points()[3].text.contains("% of the error"), qPrintable(m_editor->points()[3].text));
        QVERIFY(m_editor->plot().table().rows.size() > 12);
        // Equal shares puts the steps where the error was.
        QVERIFY(m_window->commands().trigger("schedule.equalise"));
        auto* dialog = m_panel->findChild<OperationDialog*>();
        QVERIFY(dialog);
        QTest::mouseClick(buttonCalled(dialog, "Apply"), Qt::LeftButton);
        QVERIFY(drawn() != mine && levels::isFalling(drawn()));
        QCOMPARE(drawn().size(), mine.size());
        QCOMPARE(drawn().front(), mine.front());
        // The run is a ghost now, and its levels can be taken back.
        QTRY_VERIFY(m_editor->plot().title.contains("dashed: run 1"));
        entry(m_panel->editMenu(), "take.run")->trigger();
        QCOMPARE(drawn(), mine);
    }

    // Random hands on three kinds of model: after each deed a falling schedule that the recipe can run.
    void randomDrags_data() {
        QTest::addColumn<QString>("model");
        for (const char* m :
             {"analytic:ring8", "analytic:gaussian?d=4&process=sd15", "analytic:gaussian?d=4&process=flow"})
            QTest::newRow(m) << m;
    }
    void randomDrags() {
        QFETCH(QString, model);
        const int drags = qEnvironmentVariableIntValue("MEANDER_EDITOR_DRAGS") > 0
                              ? qEnvironmentVariableIntValue("MEANDER_EDITOR_DRAGS")
                              : 60;
        use(ringRecipe(10, model.toStdString()));
        std::mt19937 random(11);
        const auto below = [&](int n) { return int(random() % unsigned(n)); };
        for (int i = 0; i < drags; ++i) {
            const List before = m_panel->levels();
            const int steps = undoSteps();
            if (below(9) == 0) m_panel->setMode(SchedulePanel::Mode(below(2)));
            if (below(9) == 0) m_panel->setReading(levels::Reading(below(3)));
            if (below(12) == 0) m_panel->setLocked(below(2));
            if (below(12) == 0) m_panel->setSnap(SchedulePanel::Snap(below(4)));
            const int point = below(int(m_editor->points().size()));
            switch (below(6)) {
            case 0: QTest::keyClick(m_editor, below(2) ? Qt::Key_Insert : Qt::Key_Delete); break;
            case 1: QTest::keyClick(m_editor, below(2) ? Qt::Key_Up : Qt::Key_Down); break;
            default:
                dragBy(m_editor, m_editor->pageOfPoint(point), QPointF(below(200) - 100, below(300) - 150),
                       below(3) == 0   ? Qt::ControlModifier
                       : below(3) == 0 ? Qt::ShiftModifier
                                       : Qt::NoModifier,
                       {}, 3);
            }
            const List now = m_panel->levels();
            QVERIFY2(levels::isFalling(now), qPrintable(QStringLiteral("drag %1").arg(i)));
            QCOMPARE(levels::endsClean(now), levels::endsClean(before));
            QVERIFY(undoSteps() <= steps + 1);
            if (now != before) QCOMPARE(drawn(), now);
        }
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan() ? "" : document().draftPlan().error().text.c_str());
        QCOMPARE(document().draftPlan()->levels, m_panel->levels());
        while (document().undoStack().canUndo()) document().undoStack().undo();
        while (document().undoStack().canRedo()) document().undoStack().redo();
        QCOMPARE(drawn(), m_panel->levels());
    }

    // A frame of a drag with 50 points, ghosts and the table: the quickest of many, so that other programs do not
    // count.
    void aFrameIsQuick() {
        use(ringRecipe(50));
        m_panel->setGhost("exponential", true);
        m_panel->setTableShown(true);
        double best = 1e9;
        dragBy(
            m_editor, m_editor->pageOfPoint(20), {0, 1}, {},
            [&] {
                for (int i = 0; i < 30; ++i) {
                    QElapsedTimer timer;
                    timer.start();
                    mouse(m_editor, QEvent::MouseMove, m_editor->pageOfPoint(20) + QPointF(0, i % 2 ? 3 : -3));
                    m_editor->repaint();
                    best = std::min(best, double(timer.nsecsElapsed()) / 1e6);
                }
            },
            4);
        qInfo("a frame of a drag takes %.1f ms", best);
        QVERIFY2(best <= 16, qPrintable(QString::number(best)));
    }

    void commandsOpenIt() {
        m_window->dock("schedule")->hide();
        QVERIFY(m_window->commands().trigger("schedule.edit"));
        QVERIFY(m_window->dock("schedule")->isVisible());
        QTRY_VERIFY(m_editor->hasFocus());
        QVERIFY(m_window->commands().trigger("schedule.copy"));
        QVERIFY(!QApplication::clipboard()->text().isEmpty());
        const List before = m_panel->levels();
        use(ringRecipe(4));
        QVERIFY(m_window->commands().trigger("schedule.paste"));
        QCOMPARE(m_panel->levels(), before);
        QVERIFY(m_window->commands().duplicateShortcuts().isEmpty());
        // The small curve of the recipe opens it too.
        m_window->dock("schedule")->hide();
        auto* preview = m_window->findChild<PlotView*>("schedulePreview");
        QVERIFY(preview);
        QTest::mouseDClick(preview, Qt::LeftButton, {}, preview->rect().center());
        QVERIFY(m_window->dock("schedule")->isVisible());
    }

    // A flow begins at t = 1, where σ has no number: its axis is t at first, and every axis edits it.
    void flows() {
        use(ringRecipe(10, "analytic:gaussian?d=4&process=flow"));
        for (const auto reading : {levels::Reading::Time, levels::Reading::Sigma, levels::Reading::HalfLogSnr}) {
            const List before = m_panel->levels();
            m_panel->setReading(reading);
            dragBy(m_editor, m_editor->pageOfPoint(4), {0, -3});
            QVERIFY(drawn()[4] > before[4] && drawn()[4] < before[3]);
            QCOMPARE(drawn().front(), before.front());
            m_panel->setMode(SchedulePanel::Mode::Curve);
            dragBy(m_editor, m_editor->pageOfPoint(1), {3, 4});
            QVERIFY(levels::isFalling(drawn()) && drawn() != before);
            QCOMPARE(drawn().front(), before.front());
            m_panel->setMode(SchedulePanel::Mode::Points);
        }
        WAIT_FOR_PLAN(document());
        QCOMPARE(document().draftPlan()->levels, m_panel->levels());
    }

    // Without a model there is a sentence, and no key or command does harm.
    void withoutAModel() {
        Recipe r = ringRecipe(5);
        r.model = "no/such/model.safetensors";
        document().editDraft(r, "edit");
        QTRY_VERIFY_WITH_TIMEOUT(!document().isPlanning() && !document().draftPlan().ok(), 60000);
        QTRY_VERIFY(m_panel->levels().empty());
        QVERIFY(!m_editor->plot().empty.isEmpty());
        for (const auto key : {Qt::Key_Insert, Qt::Key_Delete, Qt::Key_Up, Qt::Key_Home, Qt::Key_Return, Qt::Key_Tab})
            QTest::keyClick(m_editor, key);
        QTest::keySequence(m_editor, QKeySequence::Copy);
        QTest::keySequence(m_editor, QKeySequence::Paste);
        m_panel->equaliseError();
        entry(m_panel->editMenu(), "insert");
        document().undoStack().undo();
        QTRY_VERIFY(!m_panel->levels().empty());
    }

    void screenshots() {
        if (qEnvironmentVariable("MEANDER_SHOTS").isEmpty()) QSKIP("MEANDER_SHOTS is not set");
        Recipe sprites = longRecipe(12);
        sprites.sampler = {"dpmpp_2m", {}};
        sprites.guidance = {{"cfg", {{"scale", 3.0}}}};
        use(sprites);
        document().runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(document().runs().size() == 1 && !document().isBusy(), 60000);
        m_panel->setGhost("exponential", true);
        dragBy(m_editor, m_editor->pageOfPoint(5), {0, -14}, Qt::ControlModifier);
        saveShots(*m_window, "schedule", [&] {
            m_panel->setTableShown(m_window->width() > 1500);
            clickAt(m_editor, m_editor->pageOfPoint(5));
        });
    }
};

QTEST_MAIN(TestScheduleEditor)
#include "tst_schedule_editor.moc"
