// Editing attention and replaying, as a person does it in the real window: a head muted, heard alone and scaled, a word
// scaled, by mouse and by keys, each one step of undo; then a branch with it, compared with the untouched run.
#include <QInputDialog>
#include <QMenu>
#include <QSlider>

#include "gui/document/intervention_drafts.h"
#include "gui/panels/attention/attention_panel.h"
#include "gui/panels/attention/token_bar.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestEditAttention : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;

    Document& document() { return window->document(); }
    const Recipe& draft() { return document().draft(); }
    QString carryOut() {
        waitForPlan();
        QSignalSpy finished(&document(), &Document::runFinished);
        window->commands().trigger("run.start");
        for (int i = 0; i < 12000 && finished.isEmpty(); ++i) QTest::qWait(5);
        return finished.isEmpty() ? QString() : finished.back().front().toString();
    }
    void waitForPlan() {
        [&] { WAIT_FOR_PLAN(document()); }();
    }
    // The menu of a chip, opened by `open`, and one of its actions.
    bool chooseInMenu(TokenBar& bar, const std::function<void()>& open, const QString& text) {
        open();
        auto* menu = bar.findChild<QMenu*>();
        if (!menu) return false;
        bool isDone = false;
        for (QAction* a : menu->actions())
            if (a->text() == text && a->isEnabled()) {
                a->trigger();
                isDone = true;
            }
        menu->close();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        return isDone;
    }

private slots:
    void initTestCase() {
        prepareApplication(QStringLiteral("edit-attention-%1").arg(QCoreApplication::applicationPid()));
    }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(document());
        Recipe r = longRecipe(6);
        r.prompt = "a red circle above a red square on a white background";
        r.attention = AttentionLevel::Full;
        document().editDraft(r, "test");
        QVERIFY(!carryOut().isEmpty());
    }
    void cleanup() {
        window.reset();
        forgetEverything();
    }

    void headsAreEditedInTheDraft() {
        auto* panel = window->findChild<AttentionPanel*>();
        QVERIFY(panel);
        HeadGrid& grid = panel->heads();
        HeadEdit& edit = panel->headEdit();
        QTRY_VERIFY(grid.sites() > 1);
        QTRY_COMPARE(window->selection().currentRun(), QString::fromStdString(document().runs().back()->id));
        QVERIFY(!edit.mute().isEnabled() && !edit.slider().isEnabled());  // no head is chosen
        QTest::mouseClick(&grid, Qt::LeftButton, {}, grid.cellRect(1, 2).center().toPoint());
        QVERIFY(edit.mute().isEnabled());
        const Recipe before = draft();
        const int undo = document().undoStack().index();
        // M, and M again.
        QTest::keyClick(&grid, Qt::Key_M);
        QCOMPARE(headScale(draft(), {1, 2}), 0.0);
        QCOMPARE(draft().guidance.size(), before.guidance.size() + 1);
        QVERIFY(edit.mute().isChecked());
        QCOMPARE(document().undoStack().index(), undo + 1);
        waitForPlan();
        QVERIFY(document().draftPlan().ok());
        document().undoStack().undo();
        QCOMPARE(draft(), before);
        QVERIFY(!edit.mute().isChecked());
        QTest::keyClick(&grid, Qt::Key_M);
        QTest::keyClick(&grid, Qt::Key_M);
        QCOMPARE(draft(), before);
        // A double click: all others of the layer.
        QTest::mouseDClick(&grid, Qt::LeftButton, {}, grid.cellRect(0, 1).center().toPoint());
        QCOMPARE(window->selection().attentionHead(), 1);
        QCOMPARE(headScale(draft(), {0, 1, true}), 0.0);
        QVERIFY(edit.solo().isChecked() && !edit.mute().isChecked());
        QCOMPARE(edit.scaleAt(0, 1), 1.0);
        QCOMPARE(edit.scaleAt(0, 0), 0.0);
        QCOMPARE(edit.scaleAt(1, 0), 1.0);
        QTest::mouseClick(&edit.solo(), Qt::LeftButton);
        QCOMPARE(draft(), before);
        // The slider: however far it is moved, one step of undo.
        edit.slider().setFocus();
        const int atSlider = document().undoStack().index();
        for (int i = 0; i < 4; ++i) QTest::keyClick(&edit.slider(), Qt::Key_Right);
        QVERIFY(std::abs(headScale(draft(), {0, 1}) - 1.2) < 1e-9);
        QCOMPARE(document().undoStack().index(), atSlider + 1);
        document().undoStack().undo();
        QCOMPARE(draft(), before);
        QCOMPARE(edit.slider().value(), 100);
        // A rule that leaves its defaults unsaid, as recipes from elsewhere do, is that of the head.
        Recipe terse = before;
        terse.guidance.push_back({"mute_head",
                                  {{"layers", std::string("0")},
                                   {"attention", std::string("cross")},
                                   {"head", std::int64_t(1)},
                                   {"scale", 0.0}}});
        document().editDraft(terse, "test");
        QVERIFY(edit.mute().isChecked());
        QTest::mouseClick(&edit.mute(), Qt::LeftButton);
        QCOMPARE(draft(), before);
        // With another model in the draft there is nothing to edit.
        Recipe other = before;
        other.model = "builtin:sprites-dit";
        document().editDraft(other, "test");
        QVERIFY(!edit.mute().isEnabled());
        QVERIFY(edit.mute().toolTip().contains("another model"));
        QTest::keyClick(&grid, Qt::Key_M);
        QCOMPARE(draft(), other);
    }

    void wordIsScaledFromItsChip() {
        auto* bar = window->findChild<TokenBar*>();
        QTRY_VERIFY(bar && bar->chipCount() == 11);
        const Recipe before = draft();
        const QString scale = QStringLiteral("Scale this word's attention…");
        const auto byMouse = [&](int chip) {
            return [bar, chip] {
                const QPoint at = bar->chipRect(chip).center().toPoint();
                QContextMenuEvent e(QContextMenuEvent::Mouse, at, bar->mapToGlobal(at));
                QApplication::sendEvent(bar, &e);
            };
        };
        // The second "red".
        QVERIFY(chooseInMenu(*bar, byMouse(5), scale));
        auto* dialog = bar->findChild<QInputDialog*>("scaleWord");
        QVERIFY(dialog);
        dialog->setDoubleValue(0.5);
        dialog->accept();
        QCOMPARE(wordScale(draft(), {"red", 2}), 0.5);
        QCOMPARE(wordScale(draft(), {"red", 1}), 1.0);
        waitForPlan();
        QVERIFY(document().draftPlan().ok());
        QVERIFY(chooseInMenu(*bar, byMouse(5), QStringLiteral("Leave its attention as it is")));
        QCOMPARE(draft(), before);
        // By keys: the third chip, the Menu key, the number, Enter.
        bar->setFocus();
        for (int i = 0; i < 2; ++i) QTest::keyClick(bar, Qt::Key_Right);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        QVERIFY(chooseInMenu(
            *bar,
            [&] {
                QContextMenuEvent e(QContextMenuEvent::Keyboard, QPoint());
                QApplication::sendEvent(bar, &e);
            },
            scale));
        QTRY_VERIFY((dialog = bar->findChild<QInputDialog*>("scaleWord")));
        QVERIFY(dialog->labelText().contains("circle"));
        dialog->setDoubleValue(3);
        QTest::keyClick(dialog, Qt::Key_Return);
        QTRY_COMPARE(wordScale(draft(), {"circle", 1}), 3.0);
        document().undoStack().undo();
        QCOMPARE(draft(), before);
    }

    // Branch, mute, run, compare: the steps before are the untouched run's.
    void replayAndCompare() {
        const RunPtr untouched = document().runs().back();
        QVERIFY(window->commands().trigger("step.first"));
        for (int i = 0; i < 3; ++i) QVERIFY(window->commands().trigger("step.next"));
        QVERIFY(window->commands().trigger("run.branch"));
        QCOMPARE(draft().branch->step, 3);
        auto* panel = window->findChild<AttentionPanel*>();
        QTRY_VERIFY(panel->heads().sites() > 1);
        QTest::mouseClick(&panel->heads(), Qt::LeftButton, {}, panel->heads().cellRect(0, 0).center().toPoint());
        QTest::keyClick(&panel->heads(), Qt::Key_M);
        QVERIFY(draft().branch);
        const QString child = carryOut();
        QVERIFY(!child.isEmpty());
        const RunPtr a = document().run(QString::fromStdString(untouched->id)), b = document().run(child);
        QCOMPARE(b->status, RunStatus::Finished);
        QCOMPARE(b->recipe.guidance.back().id, std::string("mute_head"));
        for (int k = 0; k < 3; ++k) QVERIFY(a->trajectory->stateAt(k + 1).sameBits(b->trajectory->stateAt(k + 1)));
        QVERIFY(!a->trajectory->last().sameBits(b->trajectory->last()));
        window->selection().setCurrentRun(child);
        QVERIFY(window->commands().trigger("run.compare"));
        QCOMPARE(window->selection().comparedRun(), QString::fromStdString(untouched->id));
    }
};

QTEST_MAIN(TestEditAttention)
#include "tst_edit_attention.moc"
