// The queue as a person handles it: pauses of all of it and after a run, a waiting run edited in its place, copies,
// keys, undo; and rows that tell runs apart.
#include <QLabel>
#include <QMenu>

#include "gui/panels/queue/queue_panel.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestQueuePanel : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;

    Document& document() { return window->document(); }
    QString start(const Recipe& recipe) {
        const std::size_t before = document().runs().size();
        document().editDraft(recipe, "test");
        if (!QTest::qWaitFor([&] { return !document().isPlanning() && document().draftModel(); }, 60000)) return {};
        document().runDraft();
        if (!QTest::qWaitFor([&] { return document().runs().size() > before; }, 30000)) return {};
        return qstr(document().runs().back()->id);
    }
    QueueRow* row(const QString& id) {
        for (auto* r : window->findChildren<QueueRow*>())
            if (r->id() == id && !r->isHidden()) return r;
        return nullptr;
    }
    QToolButton* barButton(const QString& text) {
        for (auto* b : window->findChild<QueuePanel*>()->findChildren<QToolButton*>())
            if (b->text() == text && b->isVisible()) return b;
        return nullptr;
    }
    // One in progress and three that wait for it: other models.
    QString m_first;
    QStringList m_waiting;
    void fillQueue() {
        m_first = start(longRecipe(10000));
        QTRY_COMPARE_WITH_TIMEOUT(document().run(m_first)->status, RunStatus::Running, 60000);
        m_waiting.clear();
        for (const char* model : {"analytic:ring8", "analytic:gaussian2", "analytic:two-classes"})
            m_waiting.append(start(ringRecipe(3, model)));
        QCOMPARE(document().queue(), QStringList{m_first} + m_waiting);
        window->dock("queue")->raise();
        QTRY_VERIFY(row(m_waiting[2]) && row(m_waiting[2])->isVisible());
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("queue-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(document());
    }
    void cleanup() {
        document().cancelAll();
        window.reset();
        forgetEverything();
    }

    void theWholeQueueIsPaused() {
        fillQueue();
        QTest::mouseClick(barButton("Pause the queue"), Qt::LeftButton);
        QTRY_VERIFY(document().isQueuePaused());
        const auto done = [&] { return document().run(m_first)->trajectory->evaluations.size(); };
        QTest::qWait(150);
        const std::size_t before = done();
        QTest::qWait(200);
        QCOMPARE(done(), before);
        QVERIFY(window->commands().trigger("queue.pause"));  // the palette's entry goes on
        QTRY_VERIFY(!document().isQueuePaused());
        QTRY_VERIFY_WITH_TIMEOUT(done() > before, 30000);
    }

    void pauseAfterTheRunInProgress() {
        fillQueue();
        QTest::mouseClick(barButton("Pause after the run in progress"), Qt::LeftButton);
        QCOMPARE(document().pausesAfter(), m_first);
        document().cancel(m_first);
        QTRY_VERIFY_WITH_TIMEOUT(document().isQueuePaused(), 30000);
        QTest::qWait(200);
        QCOMPARE(document().queue(), m_waiting);
        for (const QString& id : m_waiting) QVERIFY(document().isWaiting(id));
        QTest::mouseClick(barButton("Resume the queue"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 60000);
        for (const QString& id : m_waiting) QCOMPARE(document().run(id)->status, RunStatus::Finished);
    }

    void aWaitingRunIsEditedInItsPlace() {
        fillQueue();
        const int number = document().run(m_waiting[1])->number;
        row(m_waiting[1])->setFocus();
        QTest::keyClick(row(m_waiting[1]), Qt::Key_Return);
        QTRY_COMPARE_WITH_TIMEOUT(document().editedRun(), m_waiting[1], 30000);
        QCOMPARE(document().draft().model, "analytic:gaussian2");
        QCOMPARE(document().queue(), QStringList{m_first} + m_waiting);
        Recipe changed = document().draft();
        changed.steps = 7;
        document().editDraft(changed, "steps");
        WAIT_FOR_PLAN(document());
        document().runDraft();
        QTRY_VERIFY(document().editedRun().isEmpty());
        QCOMPARE(document().queue(), QStringList{m_first} + m_waiting);
        QCOMPARE(document().run(m_waiting[1])->recipe.steps, 7);
        QCOMPARE(document().run(m_waiting[1])->number, number);
        QCOMPARE(document().runs().size(), 4u);
        // As it was: nothing changes.
        document().editWaiting(m_waiting[0]);
        QTRY_COMPARE_WITH_TIMEOUT(document().editedRun(), m_waiting[0], 30000);
        QVERIFY(window->commands().trigger("queue.stopEditing"));
        QTRY_COMPARE_WITH_TIMEOUT(document().run(m_waiting[0])->status, RunStatus::Queued, 30000);
        QCOMPARE(document().queue(), QStringList{m_first} + m_waiting);
        document().cancel(m_first);
        QTRY_VERIFY_WITH_TIMEOUT(!document().isBusy(), 60000);
        for (const QString& id : m_waiting) QCOMPARE(document().run(id)->status, RunStatus::Finished);
        QCOMPARE(int(document().run(m_waiting[1])->recipe.steps), 7);
    }

    void whatHasBegunIsNotEdited() {
        fillQueue();
        document().editWaiting(m_first);
        QTest::qWait(150);
        QVERIFY(document().editedRun().isEmpty());
        QCOMPARE(document().run(m_first)->status, RunStatus::Running);
    }

    void orderByKeysAndUndo() {
        fillQueue();
        const QStringList before = document().queue();
        row(m_waiting[2])->setFocus();
        QTest::keyClick(row(m_waiting[2]), Qt::Key_Up, Qt::AltModifier);
        QTest::keyClick(row(m_waiting[2]), Qt::Key_Up, Qt::AltModifier);
        QCOMPARE(document().queue(), (QStringList{m_first, m_waiting[2], m_waiting[0], m_waiting[1]}));
        document().undoStack().undo();
        document().undoStack().undo();
        QCOMPARE(document().queue(), before);
        document().undoStack().redo();
        QCOMPARE(document().queue(), (QStringList{m_first, m_waiting[0], m_waiting[2], m_waiting[1]}));
        QTest::keyClick(row(m_waiting[2]), Qt::Key_Delete);
        QTRY_VERIFY_WITH_TIMEOUT(!document().run(m_waiting[2]), 30000);
        document().undoStack().undo();  // about a run that is gone: nothing happens
        QCOMPARE(document().queue(), (QStringList{m_first, m_waiting[0], m_waiting[1]}));
    }

    void duplicateAndRetry() {
        fillQueue();
        window->selection().setCurrentRun(m_waiting[0]);
        QVERIFY(window->commands().trigger("run.duplicate"));
        QTRY_COMPARE_WITH_TIMEOUT(document().runs().size(), 5u, 30000);
        const RunPtr copy = document().runs().back();
        QCOMPARE(copy->recipe, document().run(m_waiting[0])->recipe);
        QVERIFY(document().isWaiting(qstr(copy->id)));
    }

    void rowsTellRunsApart() {
        m_first = start(longRecipe(10000));
        QTRY_COMPARE_WITH_TIMEOUT(document().run(m_first)->status, RunStatus::Running, 60000);
        Recipe other = longRecipe(10000);
        other.seed = 77;
        other.sampler = {"heun", {}};
        const QString second = start(other);
        window->dock("queue")->raise();
        QTRY_VERIFY(row(second));
        QStringList texts;
        for (const QLabel* l : row(second)->findChildren<QLabel*>()) texts << l->text();
        const QString all = texts.join('|');
        QVERIFY2(all.contains("Heun") && all.contains("seed 77") && all.contains("Sprites"), qPrintable(all));
        QVERIFY(row(second)->accessibleName().contains("seed 77"));
    }
};

QTEST_MAIN(TestQueuePanel)
#include "tst_queue_panel.moc"
