// Runs under way, as a person handles them: pause, single evaluations, going on, cancelling, the order of the queue;
// and two runs compared.
#include <QListView>

#include "gui/document/run_list_model.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/panels/compare/compare_table.h"
#include "gui/panels/queue/queue_panel.h"
#include "tests/gui/panels/hand_made_run.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestRunning : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;

    Document& document() { return window->document(); }
    RunPtr current() { return document().run(window->selection().currentRun()); }
    int evaluations() {
        const RunPtr r = current();
        return r && r->trajectory ? int(r->trajectory->evaluations.size()) : 0;
    }
    void click(const QString& command) {
        QToolButton* b = toolButton(*window, command);
        QVERIFY2(b && b->isEnabled(), qPrintable(command));
        QTest::mouseClick(b, Qt::LeftButton);
    }
    void start(const Recipe& recipe) {
        const std::size_t before = document().runs().size();
        document().editDraft(recipe, "test");
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan().ok() ? "" : document().draftPlan().error().text.c_str());
        click("run.start");
        QTRY_COMPARE_WITH_TIMEOUT(document().runs().size(), before + 1, 30000);
    }
    void finish(const Recipe& recipe) {
        QSignalSpy finished(&document(), &Document::runFinished);
        start(recipe);
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() > 0, 240000);
    }
    QueueRow* queueRow(const QString& id) {
        for (auto* r : window->findChildren<QueueRow*>())
            if (r->id() == id && !r->isHidden()) return r;
        return nullptr;
    }
    QToolButton* rowButton(const QString& id, const QString& name) {
        if (QueueRow* row = queueRow(id))
            for (auto* b : row->findChildren<QToolButton*>())
                if (b->accessibleName() == name && !b->isHidden()) return b;
        return nullptr;
    }
    void clickRun(const QString& id, Qt::KeyboardModifiers keys = {}) {
        QListView* list = window->runsPanel().list();
        for (int row = 0; row < list->model()->rowCount(); ++row)
            if (const QModelIndex index = list->model()->index(row, 0);
                index.data(RunListModel::IdRole).toString() == id) {
                list->scrollTo(index);
                QTest::mouseClick(list->viewport(), Qt::LeftButton, keys, list->visualRect(index).center());
                return;
            }
        QFAIL("The run is not in the list.");
    }
    void clickSegment(const QString& text) {
        for (auto* b : window->findChild<CanvasPanel*>()->findChildren<QToolButton*>())
            if (b->text() == text && b->isVisible()) {
                QTest::mouseClick(b, Qt::LeftButton);
                return;
            }
        QFAIL(qPrintable("There is no button " + text));
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("running-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(document());
    }
    void cleanup() {
        window.reset();
        forgetEverything();
    }

    void pauseStepResumeCancelByButtons() {
        QVERIFY(!toolButton(*window, "run.pause")->isEnabled());
        start(longRecipe());
        QTRY_VERIFY_WITH_TIMEOUT(evaluations() >= 2, 120000);
        click("run.pause");
        QTRY_COMPARE_WITH_TIMEOUT(current()->status, RunStatus::Paused, 30000);
        QTest::qWait(200);
        const int paused = evaluations();
        QTest::qWait(300);
        QCOMPARE(evaluations(), paused);
        QVERIFY(toolButton(*window, "run.pause")->isChecked());
        click("run.step");
        QTRY_COMPARE_WITH_TIMEOUT(evaluations(), paused + 1, 30000);
        QTest::qWait(200);
        QCOMPARE(evaluations(), paused + 1);
        QCOMPARE(current()->status, RunStatus::Paused);
        click("run.step");
        click("run.step");
        QTRY_COMPARE_WITH_TIMEOUT(evaluations(), paused + 3, 30000);
        click("run.pause");
        QTRY_COMPARE_WITH_TIMEOUT(current()->status, RunStatus::Running, 30000);
        QTRY_VERIFY_WITH_TIMEOUT(evaluations() > paused + 4, 60000);
        click("run.cancel");
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 30000);
        QCOMPARE(current()->status, RunStatus::Cancelled);
        QVERIFY(current()->trajectory->steps.size() > 0);
        QVERIFY(!toolButton(*window, "run.cancel")->isEnabled());
        // What it did is kept and can be gone on from.
        QVERIFY(window->commands().trigger("run.branch"));
        WAIT_FOR_PLAN(document());
        QVERIFY2(document().draftPlan().ok(),
                 document().draftPlan().ok() ? "" : document().draftPlan().error().text.c_str());
    }

    void cursorFollowsARunUntilAStepIsChosen() {
        start(longRecipe());
        QTRY_VERIFY_WITH_TIMEOUT(evaluations() >= 3, 120000);
        QVERIFY(window->selection().followsLive());
        QVERIFY(window->commands().trigger("step.first"));
        QCOMPARE(window->selection().lockedCursor().evaluation, 0);
        const int before = evaluations();
        QTRY_VERIFY_WITH_TIMEOUT(evaluations() > before, 60000);
        QCOMPARE(window->selection().lockedCursor().evaluation, 0);
        QVERIFY(window->commands().trigger("step.last"));
        QVERIFY(window->selection().followsLive());
        click("run.cancel");
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 30000);
    }

    void queueIsReorderedByItsButtons() {
        start(longRecipe(10000));
        const QString first = qstr(document().runs().back()->id);
        QTRY_COMPARE_WITH_TIMEOUT(document().run(first)->status, RunStatus::Running, 60000);
        QStringList waiting;
        for (const char* model : {"analytic:ring8", "analytic:gaussian2", "analytic:two-classes"}) {
            start(ringRecipe(3, model));
            waiting.append(qstr(document().runs().back()->id));
        }
        QCOMPARE(document().queue(), QStringList{first} + waiting);
        window->dock("queue")->raise();
        QTRY_VERIFY(queueRow(waiting[2]) && queueRow(waiting[2])->isVisible());
        QVERIFY(!rowButton(waiting[0], "Earlier")->isEnabled());
        // Columns: the bar of what runs and the words of all rows stand in line, and progress is told in steps.
        QVERIFY(queueRow(first)->findChild<ProgressLine*>()->isVisible());
        QStringList told;
        QSet<int> lefts;
        for (const QString& id : QStringList{first} + waiting)
            for (const QLabel* l : queueRow(id)->findChildren<QLabel*>())
                if (l->text().startsWith("step ") || l->text().startsWith("waiting")) {
                    told.append(l->text());
                    lefts.insert(l->x());
                }
        QCOMPARE(told.size(), 4);
        QVERIFY2(told.front().contains(" of 10000") && !told.front().contains("evaluation"), qPrintable(told.front()));
        QCOMPARE(lefts.size(), 1);
        QVERIFY(!rowButton(waiting[2], "Later")->isEnabled());
        QVERIFY(!rowButton(first, "Earlier"));  // what runs is not in a queue
        QTest::mouseClick(rowButton(waiting[2], "Earlier"), Qt::LeftButton);
        QCOMPARE(document().queue(), (QStringList{first, waiting[0], waiting[2], waiting[1]}));
        QTest::mouseClick(rowButton(waiting[2], "Earlier"), Qt::LeftButton);
        QTest::mouseClick(rowButton(waiting[0], "Later"), Qt::LeftButton);
        const QStringList wanted{waiting[2], waiting[1], waiting[0]};
        QCOMPARE(document().queue(), QStringList{first} + wanted);
        QTRY_VERIFY(queueRow(wanted[0])->y() < queueRow(wanted[1])->y()
                    && queueRow(wanted[1])->y() < queueRow(wanted[2])->y());
        // The engine does them in that order.
        QStringList ended;
        connect(&document(), &Document::runFinished, this, [&](const QString& id) { ended.append(id); });
        QTest::mouseClick(rowButton(first, "Cancel"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 120000);
        ended.removeAll(first);
        QCOMPARE(ended, wanted);
        QTRY_VERIFY(!queueRow(first));
    }

    void waitingRunsCanBeCancelledAndPaused() {
        start(longRecipe(10000));
        const QString first = qstr(document().runs().back()->id);
        QTRY_COMPARE_WITH_TIMEOUT(document().run(first)->status, RunStatus::Running, 60000);
        start(ringRecipe());
        const QString second = qstr(document().runs().back()->id);
        window->dock("queue")->raise();
        QTRY_VERIFY(rowButton(second, "Cancel"));
        QTest::mouseClick(rowButton(second, "Cancel"), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(document().queue(), QStringList{first}, 30000);
        QVERIFY(!document().run(second));  // it never began: nothing to keep
        QTest::mouseClick(rowButton(first, "Pause"), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(document().run(first)->status, RunStatus::Paused, 30000);
        QTRY_VERIFY(rowButton(first, "Resume"));
        QTest::mouseClick(rowButton(first, "Resume"), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(document().run(first)->status, RunStatus::Running, 30000);
        QVERIFY(window->commands().trigger("run.cancelAll"));
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 30000);
    }

    void twoRunsAreComparedByAltClick() {
        finish(longRecipe(3));
        const QString a = qstr(document().runs().back()->id);
        Recipe other = longRecipe(3);
        other.seed = 7;
        finish(other);
        const QString b = qstr(document().runs().back()->id);
        QCOMPARE(window->selection().currentRun(), b);
        ImageStage& stage = window->findChild<CanvasPanel*>()->images();
        QTRY_VERIFY(!stage.imageRect().isEmpty());
        QVERIFY(!stage.isComparing());
        clickRun(a, Qt::AltModifier);
        QCOMPARE(window->selection().comparedRun(), a);
        QCOMPARE(window->selection().currentRun(), b);
        QVERIFY(stage.isComparing() && stage.metrics());
        QVERIFY(stage.metrics()->rms > 0);
        QCOMPARE(stage.compareMode(), CompareMode::SideBySide);
        QVERIFY(!stage.imageRect(0).intersects(stage.imageRect(1)));
        QVERIFY(QRectF(stage.rect()).contains(stage.imageRect(0)) && QRectF(stage.rect()).contains(stage.imageRect(1)));
        const QImage side = stage.grab().toImage();

        clickSegment("Wipe");
        QCOMPARE(stage.compareMode(), CompareMode::Wipe);
        const QRectF t = stage.imageRect();
        const QPoint grip(int(t.left() + stage.wipe() * t.width()), int(t.center().y())),
            to(int(t.left() + 0.2 * t.width()), grip.y());
        QTest::mousePress(&stage, Qt::LeftButton, {}, grip);
        QTest::mouseMove(&stage, to);
        QTest::mouseRelease(&stage, Qt::LeftButton, {}, to);
        QTRY_VERIFY(std::abs(stage.wipe() - 0.2) < 0.02);
        const QImage wipe = stage.grab().toImage();
        QVERIFY(wipe != side);
        // Over a wiped pair the arrows are the line's, not the steps'.
        stage.setFocus();
        const StepCursor step = window->selection().lockedCursor();
        QTest::keyClick(&stage, Qt::Key_Left);
        QVERIFY(stage.wipe() < 0.2);
        QCOMPARE(window->selection().lockedCursor(), step);

        clickSegment("Difference");
        QCOMPARE(stage.compareMode(), CompareMode::Difference);
        const QImage weak = stage.grab().toImage();
        auto* amplification = window->findChild<QComboBox*>("amplification");
        QVERIFY(amplification && amplification->isVisible());
        amplification->setCurrentIndex(amplification->findText("×16"));
        QVERIFY(stage.grab().toImage() != weak);

        for (const auto& [command, scale] : {std::pair("view.actual", 1.0), std::pair("view.double", 2.0)}) {
            QVERIFY(window->commands().trigger(command));
            QCOMPARE(stage.shownScale(), scale);
        }
        QVERIFY(window->commands().trigger("view.fit"));
        QVERIFY(stage.shownScale() > 2);

        clickSegment("Blink");
        QCOMPARE(stage.compareMode(), CompareMode::Blink);
        const QImage still = stage.grab().toImage();
        stage.setFocus();
        QTest::keyClick(&stage, Qt::Key_X);
        QTRY_VERIFY(stage.grab().toImage() != still);
        QTest::keyClick(&stage, Qt::Key_X);

        window->dock("compare")->raise();
        const QString table = window->findChild<CompareTable*>()->text();
        QVERIFY2(table.contains("Seed\t7\t42"), qPrintable(table));
        clickRun(a, Qt::AltModifier);
        QVERIFY(window->selection().comparedRun().isEmpty());
        QVERIFY(!stage.isComparing());
        QVERIFY(window->commands().trigger("run.compare"));
        QCOMPARE(window->selection().comparedRun(), a);
        // Alt-click on the shown run itself compares nothing with itself.
        clickRun(b, Qt::AltModifier);
        QVERIFY(window->selection().comparedRun() != b);
        clickRun(a);
        QCOMPARE(window->selection().currentRun(), a);
        QVERIFY(window->selection().comparedRun().isEmpty());
    }

    void cardsTellNumberDistanceAndWhatWasReached() {
        RunListModel list(document());
        const auto card = [&](const QString& id, int role) { return list.indexOf(id).data(role); };
        document().addRun(meander::test::discRun("a", 1, 4));
        document().addRun(meander::test::discRun("b", 2, 4, 32, 2));
        auto half = meander::test::discRun("half", 3, 4);
        half->status = RunStatus::Interrupted;
        half->images = {};
        half->recipe.seed = 7;
        document().addRun(half);
        document().setPinned("a", true);
        QCOMPARE(card("b", RunListModel::NumberRole).toInt(), 2);
        QVERIFY2(card("b", RunListModel::DeltaRole).toString().startsWith(QStringLiteral("Δ")),
                 qPrintable(card("b", RunListModel::DeltaRole).toString()));
        QVERIFY(card("a", RunListModel::DeltaRole).toString().isEmpty());  // to itself
        QVERIFY(!card("half", RunListModel::ThumbnailRole).value<QImage>().isNull());
        QVERIFY(card("half", RunListModel::NoteRole).toString().contains("after step"));
        QVERIFY(!card("b", RunListModel::NoteRole).toString().contains("seed"));
        auto other = meander::test::discRun("other", 4, 4);
        other->recipe.seed = 8;
        document().addRun(other);
        QVERIFY(card("other", RunListModel::NoteRole).toString().contains("seed 8"));
    }

    void distanceWaitsForABaselineOutOfSight() {
        QTemporaryDir folder;
        document().addRun(meander::test::discRun("a", 1, 4));
        document().addRun(meander::test::discRun("b", 2, 4, 32, 2));
        document().setPinned("a", true);
        const QString path = folder.filePath("two.meander");
        QVERIFY(document().saveAs(path).ok());
        document().newProject();
        Document again;
        QVERIFY(again.open(path).ok());
        RunListModel list(again);
        const auto b = [&] { return list.indexOf("b"); };
        b().data(RunListModel::ThumbnailRole);  // only this card is painted
        QTRY_VERIFY(b().data(RunListModel::DeltaRole).toString().startsWith(QStringLiteral("Δ")));
        QVERIFY(!again.run("b")->trajectory);  // nor was anything shown
    }

    void comparingOutlivesDeletionAndUndo() {
        finish(ringRecipe(4));
        const QString a = qstr(document().runs().back()->id);
        finish(ringRecipe(5));
        clickRun(a, Qt::AltModifier);
        QCOMPARE(window->selection().comparedRun(), a);
        document().removeRun(a);
        QVERIFY(!document().run(a));
        window->grab();
        QVERIFY(window->commands().trigger("edit.undo"));
        QVERIFY(document().run(a));
        QTRY_VERIFY_WITH_TIMEOUT(document().run(a)->trajectory, 30000);
        window->grab();
    }
};

QTEST_MAIN(TestRunning)
#include "tst_running.moc"
