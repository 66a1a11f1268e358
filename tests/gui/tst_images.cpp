// Images of the window in typical work, for a critic's eye: set MEANDER_SHOTS to a folder. Skipped otherwise.
#include <QListView>
#include <QScrollArea>
#include <QScrollBar>

#include "engine/core/resources.h"
#include "gui/app/dialogs.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/panels/canvas/points_stage.h"
#include "gui/widgets/choice_popup.h"
#include "gui/widgets/fields.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestImages : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;

    Document& document() { return window->document(); }
    SelectionModel& selection() { return window->selection(); }
    void settle() {
        QTRY_VERIFY_WITH_TIMEOUT(!document().isPlanning() && !document().isBusy(), 240000);
        for (const QString& id : {selection().currentRun(), selection().comparedRun()})
            if (!id.isEmpty()) QTRY_VERIFY_WITH_TIMEOUT(!document().run(id) || document().run(id)->trajectory, 30000);
        QTest::qWait(900);
    }
    void save(QWidget* widget, const QString& name) {
        settle();
        QVERIFY(widget->grab().save(qEnvironmentVariable("MEANDER_SHOTS") + '/' + name
                                    + (theme().dark ? "-dark.png" : "-light.png")));
    }
    RunPtr called(const QString& title) {
        for (const RunPtr& r : document().runs())
            if (runTitle(*r).contains(title)) return r;
        return nullptr;
    }
    void lock(const RunPtr& run, int evaluation) {
        selection().lockStep({qstr(run->id), evaluation,
                              document().run(qstr(run->id))->trajectory->evaluations[std::size_t(evaluation)]->logSnr});
    }

private slots:
    void initTestCase() {
        if (!qEnvironmentVariableIsSet("MEANDER_SHOTS")) QSKIP("MEANDER_SHOTS is not set");
        prepareApplication(QStringLiteral("images-%1").arg(QCoreApplication::applicationPid()));
    }
    void cleanup() {
        window.reset();
        forgetEverything();
        applyTheme(ThemeChoice::Dark);
    }

    void work_data() {
        QTest::addColumn<bool>("dark");
        QTest::addColumn<QSize>("size");
        for (bool dark : {true, false})
            for (QSize size : {QSize(1280, 800), QSize(1440, 900)})
                QTest::addRow("%s %d", dark ? "dark" : "light", size.width()) << dark << size;
    }
    void work() {
        QFETCH(bool, dark);
        QFETCH(QSize, size);
        applyTheme(dark ? ThemeChoice::Dark : ThemeChoice::Light);
        window = openWindow(size);
        const QString tag = QString::number(size.width());
        save(window.get(), "empty-" + tag);
        QVERIFY(document()
                    .openAsUntitled(qstr(findResource("samples/sprites-tour.meander").value()), "sprites-tour.meander")
                    .ok());
        settle();
        const RunPtr first = document().runs().front();
        selection().setCurrentRun(qstr(first->id));
        settle();
        lock(first, 6);
        selection().setWords({2});
        selection().setPixel(QPointF(0.5, 0.3));
        save(window.get(), "attention-" + tag);
        const auto& t = *document().run(qstr(first->id))->trajectory;
        selection().setStepRange(StepRange{qstr(first->id), 4, 9,
                                           std::min(t.evaluations[4]->logSnr, t.evaluations[9]->logSnr),
                                           std::max(t.evaluations[4]->logSnr, t.evaluations[9]->logSnr)});
        save(window.get(), "range-" + tag);
        selection().setStepRange(std::nullopt);
        selection().setWords({});
        selection().setPixel(std::nullopt);
        if (const RunPtr other = called("guidance 8")) selection().setComparedRun(qstr(other->id));
        save(window.get(), "compare-" + tag);
        window->findChild<CanvasPanel*>()->images().setCompareMode(CompareMode::Difference);
        window->dock("compare")->raise();
        save(window.get(), "difference-" + tag);
        selection().setComparedRun({});
        window->dock("trajectory")->raise();

        Recipe r = document().draft();
        r.guidance = {{"cfg", {{"scale", 3.0}, {"to", 0.5}}}, {"cfg", {{"scale", 2.0}}}, {"cfg", {{"scale", 1.0}}}};
        document().editDraft(r, "rules");
        settle();
        auto* scroll = window->recipePanel().findChild<QScrollArea*>();
        scroll->verticalScrollBar()->setValue(230);
        save(window.get(), "guidance-" + tag);
        auto* model = window->recipePanel().findChild<ChoiceField*>("model");
        model->showPopup();
        model->popup()->searchField()->setText("moons");
        save(model->popup(), "popup-" + tag);
        model->popup()->searchField()->clear();
        save(model->popup(), "popup-all-" + tag);
        model->hidePopup();
        scroll->verticalScrollBar()->setValue(0);

        document().useModel("builtin:flow2d-moons");
        QTRY_COMPARE(document().draft().model, std::string("builtin:flow2d-moons"));
        settle();
        document().runDraft();
        settle();
        save(window.get(), "flow2d-" + tag);
        lock(document().runs().back(), 12);
        save(window.get(), "flow2d-middle-" + tag);
        emit document().problem("The model could not be opened: its file ends too early. Copy it again.",
                                "unexpected end of file at byte 4096");
        save(window.get(), "problem-" + tag);
    }

    void dialogs_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("dark") << true;
        QTest::newRow("light") << false;
    }
    void dialogs() {
        QFETCH(bool, dark);
        applyTheme(dark ? ThemeChoice::Dark : ThemeChoice::Light);
        window = openWindow({1280, 800});
        settle();
        inDialog("settings", [this](QDialog* d) {
            save(d, "settings");
            d->accept();
        });
        window->commands().trigger("file.settings");
        Recipe offered = ringRecipe(9);
        inDialog("useRecipe", [this](QDialog* d) {
            save(d, "use-recipe");
            d->reject();
        });
        QVERIFY(!askForRecipe(window.get(), document().draft(), offered, "image.png", {"Clip skip: 2"}));
        inDialog("useRecipe", [this](QDialog* d) {
            save(d, "use-recipe-equal");
            d->reject();
        });
        askForRecipe(window.get(), document().draft(), document().draft(), "image.png", {});
        Recipe longer = document().draft();
        longer.prompt = "a very long prompt about a red circle above a blue square on a green background with words "
                        "that go on and on, and then some more";
        longer.model = "builtin:sprites-dit";
        inDialog("useRecipe", [this](QDialog* d) {
            save(d, "use-recipe-long");
            d->reject();
        });
        askForRecipe(window.get(), document().draft(), longer, "image.png", {});
        inDialog("shortcutSheet", [this](QDialog* d) {
            save(d, "keys");
            d->reject();
        });
        window->commands().trigger("help.keys");
        emit document().problem("The model could not be opened: its file ends too early. Copy it again.",
                                "unexpected end of file at byte 4096");
        emit document().problem("Cannot read '/home/somebody/bad.json': it is not valid JSON. The file may be damaged "
                                "or incomplete; try to download it again.",
                                {});
        window->resize(1600, 1000);
        window->dock("log")->raise();
        save(window.get(), "notices");
        window->palette().popUp();
        save(&window->palette(), "palette");
    }
};

QTEST_MAIN(TestImages)
#include "tst_images.moc"
