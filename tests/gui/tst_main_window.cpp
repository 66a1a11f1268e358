// The window as a person uses it: real widgets, real engine, an exact model.
#include <QAbstractItemView>
#include <QComboBox>
#include <QLabel>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>
#include <QToolButton>

#include "gui/app/main_window.h"
#include "gui/app/settings.h"
#include "gui/app/theme.h"
#include "gui/document/run_text.h"
#include "gui/panels/attention/token_bar.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"

using namespace meander;
using namespace meander::gui;

class TestMainWindow : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    QTemporaryDir folder;

    // Nobody is asked; work that is not saved is given up.
    void open() {
        window = std::make_unique<MainWindow>();
        Questions& q = window->questions();
        q.saveChanges = [](const QString&) { return SaveAnswer::Discard; };
        q.stopRuns = [](int) { return true; };
        q.recover = [](Document&) {};
        window->resize(1440, 900);
        window->show();
        window->document().startEngine();
        QTRY_VERIFY_WITH_TIMEOUT(!window->document().isPlanning() && window->document().draftModel(), 60000);
    }
    void useRing() {
        Recipe r = window->document().draft();
        r.model = "analytic:ring8";
        r.schedule = {"karras", {}};
        r.prompt.clear();
        r.guidance.clear();
        r.steps = 6;
        r.images = 64;
        window->document().editDraft(r, "ring");
        QTRY_VERIFY_WITH_TIMEOUT(!window->document().isPlanning(), 60000);
        QVERIFY2(window->document().draftPlan().ok(), window->document().draftPlan().ok() ? "" : window->document().draftPlan().error().text.c_str());
    }
    void clickRun() {
        auto* run = window->findChild<QToolButton*>("button.run.start");
        QVERIFY(run && run->isEnabled());
        QSignalSpy finished(&window->document(), &Document::runFinished);
        QTest::mouseClick(run, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() > 0, 120000);
    }

private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName("MeanderTest");
        QCoreApplication::setApplicationName(QStringLiteral("window-%1").arg(QCoreApplication::applicationPid()));
        loadFonts();
        applyTheme(ThemeChoice::Dark);
    }
    void init() { open(); }
    void cleanup() {
        window.reset();
        QSettings().clear();
    }

    void everyCommandIsInThePaletteAndKeysAreUnique() {
        window->palette().popUp();
        const QStringList shown = window->palette().shownCommands();
        for (const Command& c : window->commands().commands()) QVERIFY2(shown.contains(c.id), qPrintable(c.id));
        QCOMPARE(window->commands().duplicateShortcuts(), QStringList());
        window->palette().searchField()->setText("dark theme");
        QCOMPARE(window->palette().shownCommands().value(0), QString("view.dark"));
        window->palette().hide();
    }

    void formEditsAreUndoable() {
        Document& d = window->document();
        auto* steps = window->recipePanel().findChild<QSpinBox*>("steps");
        const int before = d.draft().steps;
        steps->setValue(before + 3);
        QCOMPARE(d.draft().steps, before + 3);
        window->commands().trigger("edit.undo");
        QCOMPARE(d.draft().steps, before);
        QCOMPARE(steps->value(), before);
        window->commands().trigger("edit.redo");
        QCOMPARE(d.draft().steps, before + 3);
        auto* seed = window->recipePanel().findChild<QLineEdit*>("seed");
        seed->selectAll();
        QTest::keyClicks(seed, "777");
        QCOMPARE(d.draft().seed, std::uint64_t(777));
        window->commands().trigger("edit.undo");
        QVERIFY(d.draft().seed != 777);
        auto* sampler = window->recipePanel().findChild<ChoiceField*>("sampler");
        const QString old = sampler->choice();
        const int other = sampler->currentIndex() == 0 ? 1 : 0;
        sampler->setCurrentIndex(other);
        emit sampler->activated(other);
        QCOMPARE(qstr(d.draft().sampler.id), sampler->choice());
        window->commands().trigger("edit.undo");
        QCOMPARE(qstr(d.draft().sampler.id), old);
        QCOMPARE(sampler->choice(), old);
    }

    void labelsOfTheRecipeAreNotCut() {
        QTest::qWait(50);
        for (const QLabel* l : window->recipePanel().findChildren<QLabel*>())
            if (l->isVisible() && !l->text().isEmpty() && !l->wordWrap()) QVERIFY2(l->width() >= l->fontMetrics().horizontalAdvance(l->text()), qPrintable(l->text()));
    }

    void runsByClickAndRemembers() {
        useRing();
        clickRun();
        Document& d = window->document();
        QCOMPARE(d.runs().size(), std::size_t(1));
        const RunPtr run = d.runs().front();
        QCOMPARE(run->status, RunStatus::Finished);
        QCOMPARE(window->selection().currentRun(), qstr(run->id));
        QVERIFY(run->trajectory);
        QCOMPARE(run->trajectory->steps.size(), std::size_t(6));
        const QString path = folder.filePath("kept.meander"), id = qstr(run->id);
        window->questions().savePath = [path] { return path; };
        d.renameRun(id, "my ring");
        QVERIFY(window->saveProject());
        QVERIFY(!d.isModified());
        QCOMPARE(d.displayName(), QString("kept.meander"));
        QCOMPARE(settings::recentFiles().value(0), path);
        d.newProject();
        QVERIFY(d.runs().empty());
        QVERIFY(window->openProject(path));
        QCOMPARE(d.runs().size(), std::size_t(1));
        QCOMPARE(runTitle(*d.runs().front()), QString("my ring"));
        QTRY_VERIFY_WITH_TIMEOUT(d.run(id)->trajectory != nullptr, 30000);
        QCOMPARE(d.run(id)->trajectory->steps.size(), std::size_t(6));
        d.removeRun(id);
        QVERIFY(d.runs().empty());
        d.undoStack().undo();
        QCOMPARE(d.runs().size(), std::size_t(1));
        if (qEnvironmentVariableIsSet("MEANDER_SHOT")) {
            QTest::qWait(500);
            window->grab().save(qEnvironmentVariable("MEANDER_SHOT"));
        }
    }

    void missingFileKeepsTheProject() {
        QSignalSpy problem(&window->document(), &Document::problem);
        window->document().undoStack().resetClean();
        QVERIFY(!window->openProject(folder.filePath("nowhere.meander")));
        QCOMPARE(problem.count(), 1);
        QVERIFY(!window->toasts().shown().empty());
    }

    void badDraftDisablesRun() {
        Recipe r = window->document().draft();
        r.sampler = {"no such sampler", {}};
        window->document().editDraft(r, "bad");
        QTRY_VERIFY_WITH_TIMEOUT(!window->document().isPlanning(), 30000);
        QVERIFY(!window->document().draftPlan().ok());
        QVERIFY(!window->findChild<QToolButton*>("button.run.start")->isEnabled());
    }

    void themesSwitch() {
        QVERIFY(window->commands().trigger("view.light"));
        QVERIFY(!theme().dark);
        QVERIFY(window->commands().trigger("view.dark"));
        QVERIFY(theme().dark);
    }

    void escapeClearsTheHeadToo() {
        window->selection().setAttentionSite(1);
        window->selection().setAttentionHead(2);
        QTest::keyClick(window.get(), Qt::Key_Escape);
        QCOMPARE(window->selection().attentionSite(), -1);
        QCOMPARE(window->selection().attentionHead(), -1);
    }

    void escapeInADropDownClosesOnlyThat() {
        window->selection().setWords({1});
        auto* box = window->findChild<TokenBar*>()->findChild<QComboBox*>();
        window->findChild<TokenBar*>()->show();
        box->show();
        box->setFocus();
        box->showPopup();
        QTRY_VERIFY(QApplication::activePopupWidget());
        QTest::keyClick(box->view(), Qt::Key_Escape);
        QTRY_VERIFY(!QApplication::activePopupWidget());
        QCOMPARE(window->selection().words(), QSet<int>{1});
    }

    void stepKeysMoveTheCursor() {
        useRing();
        clickRun();
        QCOMPARE(window->selection().lockedCursor().evaluation, -1);
        window->commands().trigger("step.first");
        QCOMPARE(window->selection().lockedCursor().evaluation, 0);
        window->commands().trigger("step.next");
        QCOMPARE(window->selection().lockedCursor().evaluation, 1);
        window->commands().trigger("step.last");
        QCOMPARE(window->selection().lockedCursor().evaluation, -1);
    }
};

QTEST_MAIN(TestMainWindow)
#include "tst_main_window.moc"
