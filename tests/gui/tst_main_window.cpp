// The window as a person uses it: real widgets, real engine, an exact model.
#include <QAbstractItemView>
#include <QComboBox>
#include <QLabel>
#include <QScrollBar>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/theme.h"
#include "gui/panels/attention/token_bar.h"
#include "gui/panels/log/log_model.h"
#include "gui/panels/log/log_panel.h"
#include "gui/panels/recipe/recipe_panel.h"
#include "gui/panels/runs/runs_panel.h"
#include "gui/widgets/choice_popup.h"
#include "gui/widgets/fields.h"
#include "tests/gui/panels/hand_made_run.h"

using namespace meander;
using namespace meander::gui;

class TestMainWindow : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    QTemporaryDir folder;

    QString lastMessage() { return window->findChild<QLabel*>("lastMessage")->text(); }
    QToolButton* hintButton(const QString& text) {
        for (auto* b : window->findChild<QWidget*>("hint")->findChildren<QToolButton*>())
            if (b->text() == text && b->isVisible()) return b;
        return nullptr;
    }

    // Nobody is asked; work that is not saved is given up.
    void open() {
        window = std::make_unique<MainWindow>();
        UserPrompts& q = window->userPrompts();
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
        QVERIFY2(window->document().draftPlan().ok(),
                 window->document().draftPlan().ok() ? "" : window->document().draftPlan().error().text.c_str());
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
        QVERIFY(d.draft().seed != 777);  // half typed
        QTest::keyClick(seed, Qt::Key_Return);
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
            if (l->isVisible() && !l->text().isEmpty() && !l->wordWrap())
                QVERIFY2(l->width() >= l->fontMetrics().horizontalAdvance(l->text()), qPrintable(l->text()));
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
        window->userPrompts().savePath = [path] { return path; };
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

    void paletteFindsTheRecipe() {
        Document& d = window->document();
        const std::string before = d.draft().sampler.id;
        const auto choose = [&](const QString& words) {
            window->palette().popUp();
            QTest::keyClicks(window->palette().searchField(), words);
            QVERIFY2(!window->palette().shownCommands().isEmpty(), qPrintable(words));
            QTest::keyClick(window->palette().searchField(), Qt::Key_Return);
        };
        choose("sampler heun");
        QCOMPARE(d.draft().sampler.id, std::string("heun"));
        QVERIFY(window->commands().action("edit.undo")->text().contains("sampler"));
        QVERIFY(window->commands().trigger("edit.undo"));
        QCOMPARE(d.draft().sampler.id, before);
        QCOMPARE(window->commands().action("edit.undo")->text(), QString("Undo"));
        QVERIFY(window->commands().action("edit.redo")->text().contains("sampler"));
        choose("schedule karras");
        QCOMPARE(d.draft().schedule.id, std::string("karras"));
        const std::size_t rules = d.draft().guidance.size();
        choose("add guidance");
        QCOMPARE(d.draft().guidance.size(), rules + 1);
        window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(window.get()));
        choose("steps");
        QTRY_COMPARE(window->recipePanel().findChild<QSpinBox*>("steps"), QApplication::focusWidget());
        choose("sampler");
        QTRY_COMPARE(window->recipePanel().findChild<QComboBox*>("sampler"), QApplication::focusWidget());
    }

    void comparesWhatFitsTogether() {
        Document& d = window->document();
        d.addRun(meander::test::discRun("a", 1, 4));
        d.addRun(meander::test::ringRun("p", 2, 4));
        SelectionModel& selection = window->selection();
        selection.setCurrentRun("a");
        // Points beside an image say nothing.
        QVERIFY(window->commands().trigger("run.compare"));
        QVERIFY(selection.comparedRun().isEmpty());
        QVERIFY2(lastMessage().contains("kind and size"), qPrintable(lastMessage()));
        window->runsPanel().compareWith("p");
        QVERIFY(selection.comparedRun().isEmpty());
        QVERIFY2(lastMessage().contains("1 and 2"), qPrintable(lastMessage()));
        d.addRun(meander::test::discRun("b", 3, 6));
        d.addRun(meander::test::discRun("c", 4, 8));
        d.addRun(meander::test::discRun("large", 5, 4, 64));
        QVERIFY(window->commands().trigger("run.compare"));
        QCOMPARE(selection.comparedRun(), QString("c"));
        QTRY_VERIFY(!window->dock("compare")->visibleRegion().isEmpty());  // the settings that differ come to the front
        d.setPinned("b", true);
        QVERIFY(window->commands().trigger("run.compare"));
        QVERIFY(selection.comparedRun().isEmpty());
        QVERIFY(window->commands().trigger("run.compare"));
        QCOMPARE(selection.comparedRun(), QString("b"));
        // Another kind of run ends it, in words.
        selection.setCurrentRun("p");
        QVERIFY(selection.comparedRun().isEmpty());
        QVERIFY2(lastMessage().contains("ended"), qPrintable(lastMessage()));
    }

    void aStartWithNothingOffersSomething() {
        window->begin({});  // the very first: the sample, with its hint
        QVERIFY(!window->document().runs().empty());
        QTest::mouseClick(hintButton("Got it"), Qt::LeftButton);
        QVERIFY(window->findChild<QWidget*>("hint")->isHidden());
        window->close();
        open();
        window->begin({});
        QVERIFY(window->document().runs().empty());
        QVERIFY(hintButton("Open …"));
        QTest::mouseClick(hintButton("Open the sample"), Qt::LeftButton);
        QVERIFY(!window->document().runs().empty());
        QVERIFY(window->findChild<QWidget*>("hint")->isHidden());  // it was answered once
        const QString path = folder.filePath("offered.meander");
        QVERIFY(window->document().saveAs(path).ok());
        settings::addRecentFile(path);
        settings::setOpensLastProject(false);
        window->close();
        open();
        window->begin({});
        QTest::mouseClick(hintButton("offered.meander"), Qt::LeftButton);
        QCOMPARE(QFileInfo(window->document().path()), QFileInfo(path));
        QVERIFY2(lastMessage().contains("Opened offered.meander"), qPrintable(lastMessage()));
        QVERIFY(window->commands().trigger("file.new"));
        QCOMPARE(lastMessage(), QString());
        QVERIFY(window->findChild<QWidget*>("hint")->isHidden());
    }

    void commandsFollowARecordFromTheDisk() {
        const QString path = folder.filePath("record.meander");
        Document& d = window->document();
        d.addRun(meander::test::ringRun("kept", 1, 4));
        QVERIFY(d.saveAs(path).ok());
        QVERIFY(window->commands().trigger("file.new"));
        QVERIFY(!window->findChild<QToolButton*>("button.run.branch")->isEnabled());
        QVERIFY(window->openProject(path));
        QTRY_VERIFY(d.run("kept")->trajectory);
        QVERIFY(window->findChild<QToolButton*>("button.run.branch")->isEnabled());
        const QList<QLabel*> head = window->dock("step")->titleBarWidget()->findChildren<QLabel*>();
        QVERIFY(std::any_of(head.begin(), head.end(), [](const QLabel* l) { return l->text().contains("finished"); }));
        // Letters stay commands in the list of runs.
        QTest::keyClick(window->runsPanel().list(), Qt::Key_K);
        QCOMPARE(window->selection().currentRun(), QString("kept"));
    }

    void noticesCanBeClosedTogether() {
        emit window->document().problem("one", {});
        QVERIFY(window->toasts().closeAll()->isHidden());
        emit window->document().problem("two", "why");
        emit window->document().problem("one", {});
        QCOMPARE(window->toasts().shown().size(), std::size_t(2));
        QVERIFY(window->toasts().closeAll()->isVisible());
        QTest::mouseClick(window->toasts().closeAll(), Qt::LeftButton);
        QVERIFY(window->toasts().shown().empty());
        QVERIFY(window->toasts().closeAll()->isHidden());
    }

    void emptyLogSaysWhatItIsFor() {
        LogModel log;
        LogPanel panel(log);
        panel.resize(500, 200);
        panel.show();
        const auto hint = [&] {
            QString said;
            for (const QLabel* l : panel.findChildren<QLabel*>())
                if (l->isVisible()) said += l->text();
            return said;
        };
        QTRY_VERIFY(hint().contains("every problem"));
        log.add(LogLevel::Info, "a line");
        QVERIFY(hint().isEmpty());
        panel.findChild<QLineEdit*>()->setText("nowhere");
        QVERIFY(hint().contains("filter"));
    }
    void logStaysAtItsEndUntilItIsScrolled() {
        LogModel log;
        LogPanel panel(log);
        panel.resize(500, 200);
        for (int i = 0; i < 100; ++i) log.add(LogLevel::Info, QString("line %1").arg(i));
        panel.show();  // lines that came while it was not there too
        const auto* list = panel.findChild<QListView*>();
        const auto shows = [&](int row) {
            const QRect r = list->visualRect(list->model()->index(row, 0));
            return list->isVisible() && list->viewport()->rect().contains(r);
        };
        QTRY_VERIFY(shows(99));
        log.add(LogLevel::Info, "one more");
        QTRY_VERIFY(shows(100));
        list->verticalScrollBar()->setValue(0);
        log.add(LogLevel::Info, "another");
        QTest::qWait(50);
        QVERIFY(shows(0) && !shows(101));
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
