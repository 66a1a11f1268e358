// Files as people bring them: left over from a crash, dropped on the window, images with a recipe in them; and undo
// across all of it.
#include <QLabel>
#include <QProcess>
#include <QPushButton>
#include <cstdlib>

#include "engine/core/resources.h"
#include "engine/exchange/recipe_exchange.h"
#include "gui/app/dialogs.h"
#include "gui/widgets/fields.h"
#include "gui/widgets/path_field.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

namespace {

// "application name|project|waiting": what the doomed program is to do; with the last word it ends with one run in
// progress and two that wait for it.
constexpr const char* crashVariable = "MEANDER_TEST_CRASH";

Image smallImage() { return Image(8, 8, {200, 30, 30}); }

QString writtenImage(const QTemporaryDir& folder, const QString& name, const PngTexts& texts) {
    const QString path = folder.filePath(name);
    return writePng(path.toStdString(), smallImage(), texts).ok() ? path : QString();
}

void waitUntil(const std::function<bool()>& isDone) {
    QElapsedTimer since;
    since.start();
    while (!isDone() && since.elapsed() < 120000) QTest::qWait(10);
}

// A program that edits, runs, and ends without a word: no destructor is called, nothing is closed.
int crash(const QString& what) {
    prepareApplication(what.section('|', 0, 0));
    auto window = openWindow();
    Document& d = window->document();
    if (const QString project = what.section('|', 1, 1); !project.isEmpty() && !window->openProject(project)) return 4;
    waitUntil([&] { return !d.isPlanning() && d.draftModel(); });
    const auto runRecipe = [&](const Recipe& r) {
        d.editDraft(r, "recipe");
        waitUntil([&] { return !d.isPlanning(); });
        d.runDraft();
    };
    if (what.section('|', 2) == "waiting") {
        Recipe endless = ringRecipe(10000);
        endless.images = 20000;
        runRecipe(endless);
        // Runs of another model wait.
        runRecipe(ringRecipe(7, "analytic:gaussian2"));
        runRecipe(ringRecipe(8, "analytic:gaussian2"));
        waitUntil([&] {
            const RunPtr r = d.runs().front();
            return r->trajectory && r->trajectory->evaluations.size() > 5;
        });
        d.moveInQueue(d.queue().back(), 0);
        QTest::qWait(500);
        std::_Exit(3);
    }
    d.editDraft(ringRecipe(9), "ring");
    waitUntil([&] { return !d.isPlanning(); });
    QSignalSpy finished(&d, &Document::runFinished);
    d.runDraft();
    waitUntil([&] { return finished.count() > 0; });
    QTest::qWait(500);  // writing goes on behind
    std::_Exit(3);
}

}  // namespace

class TestFiles : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    QTemporaryDir folder;

    int runAndCrash(const QString& project = {}, const QString& how = {}) {
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(crashVariable, QCoreApplication::applicationName() + '|' + project + '|' + how);
        process.setProcessEnvironment(environment);
        process.setProcessChannelMode(QProcess::ForwardedChannels);
        process.start(QCoreApplication::applicationFilePath(), {});
        return process.waitForFinished(120000) ? process.exitCode() : -1;
    }
    void saveRing(const QString& path) {
        Document& d = window->document();
        d.editDraft(ringRecipe(5), "ring");
        WAIT_FOR_PLAN(d);
        QVERIFY(d.saveAs(path).ok());
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("files-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(window->document());
    }
    void cleanup() {
        window.reset();
        forgetEverything();
    }

    void leftOverWorkIsRestored() {
        QCOMPARE(runAndCrash(), 3);
        Document& d = window->document();
        const auto entries = d.recoverable();
        QCOMPARE(entries.size(), std::size_t(1));
        QVERIFY(entries.front().projectPath.isEmpty());
        QString told;
        inDialog("recovery", [&](QDialog* dialog) {
            for (const QLabel* l : dialog->findChildren<QLabel*>()) told += l->text() + '\n';
            QTest::mouseClick(buttonCalled(dialog, "Restore"), Qt::LeftButton);
        });
        QSignalSpy said(&d, &Document::message);
        askForRecovery(window.get(), d);
        QVERIFY(std::any_of(said.begin(), said.end(),
                            [](const QList<QVariant>& m) { return m.front().toString().startsWith("Restored"); }));
        QVERIFY2(told.contains("1 run ") && !told.contains("1 runs"), qPrintable(told));
        QCOMPARE(d.runs().size(), std::size_t(1));
        QCOMPARE(d.runs().front()->status, RunStatus::Finished);
        QCOMPARE(d.draft().steps, 9);
        QCOMPARE(d.draft().model, std::string("analytic:ring8"));
        QVERIFY(d.isModified());
        const QString id = qstr(d.runs().front()->id);
        d.requestTrajectory(id);
        QTRY_VERIFY_WITH_TIMEOUT(d.run(id)->trajectory, 30000);
        QCOMPARE(d.run(id)->trajectory->steps.size(), std::size_t(9));
        // A second crash before it is saved must find it again: the snapshot stays.
        QVERIFY(!QDir(ProjectFile::recoveryFolder()).entryList({"*.json"}, QDir::Files).isEmpty());
        const QString path = folder.filePath("restored.meander");
        QVERIFY(d.saveAs(path).ok());
        window.reset();
        QVERIFY(QDir(ProjectFile::recoveryFolder()).entryList({"*.json"}, QDir::Files).isEmpty());
        window = openWindow();
        QVERIFY(window->openProject(path));
        QCOMPARE(window->document().runs().size(), std::size_t(1));
        QCOMPARE(window->document().draft().steps, 9);
    }

    // Runs that waited come back in their order, paused; the one in progress is marked, and goes on when asked.
    void waitingRunsComeBackPaused() {
        QCOMPARE(runAndCrash({}, "waiting"), 3);
        Document& d = window->document();
        inDialog("recovery",
                 [](QDialog* dialog) { QTest::mouseClick(buttonCalled(dialog, "Restore"), Qt::LeftButton); });
        askForRecovery(window.get(), d);
        QCOMPARE(d.runs().size(), std::size_t(3));
        QCOMPARE(d.runs()[0]->status, RunStatus::Interrupted);
        const QString interrupted = qstr(d.runs()[0]->id), second = qstr(d.runs()[1]->id),
                      third = qstr(d.runs()[2]->id);
        QCOMPARE(d.queue(), (QStringList{third, second}));
        for (const QString& id : d.queue()) QCOMPARE(d.run(id)->status, RunStatus::Paused);
        QTest::qWait(300);
        QCOMPARE(d.queue().size(), 2);  // nothing starts by itself
        QSignalSpy finished(&d, &Document::runFinished);
        d.resume(third);
        QTRY_COMPARE_WITH_TIMEOUT(d.run(third)->status, RunStatus::Finished, 60000);
        QCOMPARE(d.run(third)->trajectory->steps.size(), std::size_t(8));
        QCOMPARE(d.queue(), QStringList{second});
        d.cancel(second);
        QVERIFY(!d.run(second) && d.queue().isEmpty());
        // The interrupted one goes on behind what it had.
        QVERIFY(d.canGoOn(interrupted));
        d.goOn(interrupted);
        QTRY_VERIFY_WITH_TIMEOUT(d.live(interrupted) && d.run(interrupted)->trajectory
                                     && d.run(interrupted)->trajectory->evaluations.size() > 10,
                                 60000);
        d.cancel(interrupted);
        QTRY_COMPARE_WITH_TIMEOUT(d.run(interrupted)->status, RunStatus::Cancelled, 60000);
        QCOMPARE(d.runs().size(), std::size_t(2));
        // Once more from the beginning, as another run.
        d.retry(third);
        QTRY_COMPARE_WITH_TIMEOUT(d.runs().size(), std::size_t(3), 60000);
        QTRY_COMPARE_WITH_TIMEOUT(d.runs().back()->status, RunStatus::Finished, 60000);
    }

    void leftOverWorkOfASavedProjectComesBackAsAnEdit() {
        const QString path = folder.filePath("saved.meander");
        saveRing(path);
        window.reset();
        QCOMPARE(runAndCrash(path), 3);
        window = openWindow();
        Document& d = window->document();
        QCOMPARE(d.recoverable().size(), std::size_t(1));
        QCOMPARE(QFileInfo(d.recoverable().front().projectPath), QFileInfo(path));
        inDialog("recovery",
                 [](QDialog* dialog) { QTest::mouseClick(buttonCalled(dialog, "Restore"), Qt::LeftButton); });
        askForRecovery(window.get(), d);
        QCOMPARE(d.path(), QFileInfo(path).absoluteFilePath());
        QCOMPARE(d.draft().steps, 9);
        QCOMPARE(d.runs().size(), std::size_t(1));
        QVERIFY(window->commands().trigger("edit.undo"));
        QCOMPARE(d.draft().steps, 5);  // as it was saved
    }

    void leftOverWorkWaitsOrGoes() {
        QCOMPARE(runAndCrash(), 3);
        Document& d = window->document();
        inDialog("recovery", [](QDialog* dialog) { QTest::mouseClick(buttonCalled(dialog, "Later"), Qt::LeftButton); });
        askForRecovery(window.get(), d);
        QCOMPARE(d.recoverable().size(), std::size_t(1));
        QVERIFY(d.runs().empty());
        inDialog("recovery",
                 [](QDialog* dialog) { QTest::mouseClick(buttonCalled(dialog, "Discard"), Qt::LeftButton); });
        askForRecovery(window.get(), d);  // closes itself: nothing is left
        QVERIFY(d.recoverable().empty());
        QVERIFY(QDir(ProjectFile::recoveryFolder()).entryList({"*.json"}, QDir::Files).isEmpty());
    }

    void anotherOpenWindowIsNoCrash() {
        Document& d = window->document();
        d.editDraft(ringRecipe(), "ring");
        WAIT_FOR_PLAN(d);
        QSignalSpy finished(&d, &Document::runFinished);
        d.runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(finished.count() > 0, 60000);
        Document other;
        QVERIFY(other.recoverable().empty());
    }

    void lookingAtAProjectDoesNotWriteIt() {
        const QString path = folder.filePath("looked.meander");
        saveRing(path);
        window.reset();
        const auto bytes = [&] {
            QFile file(path);
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        window = openWindow();
        QVERIFY(window->openProject(path));  // the first opening may bring the file up to date
        window.reset();
        const QByteArray before = bytes();
        window = openWindow();
        QVERIFY(window->openProject(path));
        QTest::qWait(50);
        window.reset();
        const QByteArray after = bytes();
        QVERIFY(!before.isEmpty());
        // SQLite counts openings for writing in its header (bytes 24 to 27, 92 to 99); all content is the same.
        QCOMPARE(after.size(), before.size());
        QVERIFY(after.mid(100) == before.mid(100));
    }

    void droppedProjectIsOpened() {
        const QString path = folder.filePath("dropped.meander");
        saveRing(path);
        window->document().newProject();
        WAIT_FOR_PLAN(window->document());
        QVERIFY(dropFiles(window.get(), {path}));
        QTRY_COMPARE(window->document().displayName(), QString("dropped.meander"));
        QCOMPARE(window->document().draft().steps, 5);
    }

    void droppedImageGivesItsRecipe_data() {
        QTest::addColumn<bool>("onPrompt");
        QTest::newRow("on the window") << false;
        QTest::newRow("on the prompt field, which takes text itself") << true;
    }
    void droppedImageGivesItsRecipe() {
        QFETCH(bool, onPrompt);
        Document& d = window->document();
        Run run;
        run.recipe = ringRecipe(11);
        run.recipe.seed = 4711;
        const QString path = writtenImage(folder, "ours.png", textsOf(run, 0));
        QVERIFY(!path.isEmpty());
        const Recipe before = d.draft();
        auto* prompt = window->recipePanel().findChild<PromptField*>("prompt");
        const QString textBefore = prompt->toPlainText();
        bool wasAsked = false;
        inDialog("useRecipe", [&](QDialog* dialog) {
            wasAsked = true;
            QTest::mouseClick(buttonCalled(dialog, "Use as draft"), Qt::LeftButton);
        });
        window->userPrompts().useRecipe = defaultUserPrompts(window.get()).useRecipe;
        QVERIFY(dropFiles(onPrompt ? static_cast<QWidget*>(prompt->viewport()) : window.get(), {path}));
        QTRY_VERIFY(wasAsked);
        QTRY_COMPARE(d.draft().steps, 11);
        QCOMPARE(d.draft().seed, std::uint64_t(4711));
        QCOMPARE(d.draft().model, std::string("analytic:ring8"));
        QVERIFY(window->commands().trigger("edit.undo"));
        QVERIFY(d.draft() == before);
        QCOMPARE(prompt->toPlainText(), textBefore);
        QVERIFY(window->commands().trigger("edit.redo"));
        QCOMPARE(d.draft().steps, 11);
    }

    void droppedImageOfOthersKeepsTheModel() {
        Document& d = window->document();
        const std::string model = d.draft().model;
        const QString path =
            writtenImage(folder, "theirs.png",
                         {{"parameters", "a lighthouse\nNegative prompt: fog\nSteps: 12, Sampler: Euler, CFG scale: "
                                         "5, Seed: 77, Size: 512x512, Clip skip: 2"}});
        QStringList remarks;
        window->userPrompts().useRecipe = [&](const Recipe&, const Recipe&, const QString&, const QStringList& r) {
            return remarks = r, true;
        };
        QVERIFY(dropFiles(window.get(), {path}));
        QTRY_COMPARE(d.draft().steps, 12);
        QCOMPARE(d.draft().model, model);
        QCOMPARE(d.draft().prompt, std::string("a lighthouse"));
        QCOMPARE(d.draft().negativePrompt, std::string("fog"));
        QCOMPARE(d.draft().seed, std::uint64_t(77));
        QCOMPARE(d.draft().sampler.id, std::string("euler"));
        QVERIFY2(!remarks.isEmpty(), "what was not understood is told");
        QVERIFY(window->commands().trigger("edit.undo"));
        QVERIFY(d.draft().steps != 12);
    }

    void refusedRecipeChangesNothing() {
        Document& d = window->document();
        Run run;
        run.recipe = ringRecipe(11);
        const QString path = writtenImage(folder, "refused.png", textsOf(run, 0));
        const Recipe before = d.draft();
        bool wasAsked = false;
        window->userPrompts().useRecipe = [&](const Recipe&, const Recipe&, const QString&, const QStringList&) {
            return wasAsked = true, false;
        };
        QVERIFY(dropFiles(window.get(), {path}));
        QTRY_VERIFY(wasAsked);
        QVERIFY(d.draft() == before);
    }

    // What tells no recipe can be started from by models that draw images, and by no others.
    void imageWithoutARecipeIsAStart() {
        Document& d = window->document();
        QSignalSpy problem(&d, &Document::problem);
        d.editDraft(ringRecipe(), "points");
        WAIT_FOR_PLAN(d);
        const Recipe points = d.draft();
        const QString path = writtenImage(folder, "plain.png", {});
        QVERIFY(dropFiles(window.get(), {path}));
        QTRY_COMPARE(problem.count(), 1);
        QVERIFY(d.draft() == points);
        d.editDraft(longRecipe(), "images");
        WAIT_FOR_PLAN(d);
        const Recipe before = d.draft();
        QVERIFY(dropFiles(window.get(), {path}));
        QTRY_COMPARE(d.draft().start.id, std::string("data"));
        QCOMPARE(text(d.draft().start.params, "file"), path.toStdString());
        QCOMPARE(problem.count(), 1);
        QVERIFY(window->commands().trigger("edit.undo"));
        QVERIFY(d.draft() == before);
    }

    // Dropped on the field of a file it is written there.
    void aFileFieldTakesDrops() {
        Document& d = window->document();
        Recipe r = longRecipe();
        r.start = {"data", {}};
        d.editDraft(r, "start from data");
        WAIT_FOR_PLAN(d);
        auto* field = window->findChild<PathField*>("param.file");
        QVERIFY(field);
        const QString path = writtenImage(folder, "dropped.png", {});
        QVERIFY(dropFiles(field, {path}));
        QCOMPARE(text(d.draft().start.params, "file"), path.toStdString());
        QCOMPARE(field->edit()->text(), path);
    }

    void droppedModelsAreUsed_data() {
        QTest::addColumn<QString>("what");
        for (const char* what : {"folder of diffusers", "file of a trained point model", "points as CSV",
                                 "points as JSON", "folder of images"})
            QTest::newRow(what) << what;
    }
    void droppedModelsAreUsed() {
        QFETCH(QString, what);
        QString path, expected;
        const auto write = [&](const QString& name, const QByteArray& text) {
            QFile file(folder.filePath(name));
            return file.open(QIODevice::WriteOnly) && file.write(text) == text.size() ? folder.filePath(name)
                                                                                      : QString();
        };
        if (what == "folder of diffusers") {
            expected = path = qstr(findResource("models/sprites-unet").value());
        } else if (what == "file of a trained point model") {
            expected = path = qstr(findResource("models/flow2d/moons-flow.safetensors").value());
        } else if (what == "folder of images") {
            QVERIFY(QDir(folder.path()).mkpath("images"));
            path = folder.filePath("images");
            for (const char* name : {"images/a.png", "images/b.png"})
                QVERIFY(!writtenImage(folder, name, {}).isEmpty());
            expected = "analytic:points?file=" + path;
        } else {
            path = what == "points as CSV" ? write("cloud.csv", "x,y\n0,1\n1,0\n-1,0.5\n")
                                           : write("cloud.json", "[[0, 1], [1, 0], [-1, 0.5]]");
            expected = "analytic:points?file=" + path;
        }
        Document& d = window->document();
        const Recipe before = d.draft();
        QVERIFY(dropFiles(window.get(), {path}));
        if (expected.startsWith("analytic:")) QTRY_COMPARE_WITH_TIMEOUT(qstr(d.draft().model), expected, 30000);
        else
            QTRY_COMPARE_WITH_TIMEOUT(QFileInfo(qstr(d.draft().model)).canonicalFilePath(),
                                      QFileInfo(expected).canonicalFilePath(), 30000);
        WAIT_FOR_PLAN(d);
        QVERIFY2(d.draftPlan().ok(), d.draftPlan().ok() ? "" : d.draftPlan().error().text.c_str());
        QCOMPARE(d.draft().seed, before.seed);
        QVERIFY(window->commands().trigger("edit.undo"));
        QVERIFY(d.draft() == before);
    }

    void whatNobodyKnowsIsRefusedInWords() {
        Document& d = window->document();
        const Recipe before = d.draft();
        QSignalSpy problem(&d, &Document::problem);
        QVERIFY(window->openAnything("/nowhere/at/all.xyz") == false);
        QCOMPARE(problem.count(), 1);
        QFile broken(folder.filePath("broken.safetensors"));
        QVERIFY(broken.open(QIODevice::WriteOnly));
        broken.write("nothing of the kind");
        broken.close();
        QVERIFY(dropFiles(window.get(), {broken.fileName()}));
        QTRY_COMPARE(problem.count(), 2);
        QVERIFY(d.draft() == before);
        // The form shows the model that is still used.
        QCOMPARE(window->recipePanel().findChild<ChoiceField*>("model")->choice(), qstr(before.model));
    }

    void undoGoesBackThroughEverything() {
        Document& d = window->document();
        d.editDraft(ringRecipe(), "ring");
        WAIT_FOR_PLAN(d);
        QSignalSpy finished(&d, &Document::runFinished);
        d.runDraft();
        QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, 60000);
        d.runDraft();
        QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 2, 60000);
        const int start = d.undoStack().index();
        const QString first = qstr(d.runs().front()->id);
        const Recipe draft = d.draft();
        // One of each kind, by the controls.
        window->recipePanel().findChild<QSpinBox*>("steps")->setValue(13);
        Run run;
        run.recipe = ringRecipe(17);
        window->userPrompts().useRecipe = [](const Recipe&, const Recipe&, const QString&, const QStringList&) {
            return true;
        };
        QVERIFY(dropFiles(window.get(), {writtenImage(folder, "undo.png", textsOf(run, 0))}));
        QTRY_COMPARE(d.draft().steps, 17);
        window->selection().setCurrentRun(first);
        QVERIFY(window->commands().trigger("run.baseline"));
        d.renameRun(first, "first of all");
        QVERIFY(window->commands().trigger("run.branch") && d.draft().branch);
        QVERIFY(window->commands().trigger("edit.removeRun"));
        QCOMPARE(d.runs().size(), std::size_t(1));
        QCOMPARE(d.undoStack().index(), start + 6);
        while (d.undoStack().index() > start) QVERIFY(window->commands().trigger("edit.undo"));
        QCOMPARE(d.runs().size(), std::size_t(2));
        QVERIFY(d.draft() == draft);
        QVERIFY(!d.baseline());
        QVERIFY(d.run(first)->name.empty());
        while (d.undoStack().canRedo()) QVERIFY(window->commands().trigger("edit.redo"));
        QCOMPARE(d.runs().size(), std::size_t(1));
        QVERIFY(d.draft().branch);
        WAIT_FOR_PLAN(d);
        QVERIFY(window->commands().trigger("edit.undo"));
        QCOMPARE(qstr(d.baseline()->id), first);
        QCOMPARE(runTitle(*d.run(first)), QString("first of all"));
    }
};

int main(int argc, char** argv) {
    QApplication app(argc, argv);
    if (qEnvironmentVariableIsSet(crashVariable)) return crash(qEnvironmentVariable(crashVariable));
    TestFiles test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_files.moc"
