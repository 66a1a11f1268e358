// The draft beside the runs it came from: other models, branches of a project that was opened again, what differs.
#include <QLabel>

#include "gui/panels/model/model_panel.h"
#include "gui/panels/recipe/plan_card.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestDrafts : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("drafts-%1").arg(QCoreApplication::applicationPid())); }
    void init() { forgetEverything(); }
    void cleanupTestCase() { forgetEverything(); }

    void anotherModelKeepsWhatWasAskedFor() {
        auto window = openWindow();
        Document& d = window->document();
        d.useModel("builtin:sprites-unet");
        QTRY_COMPARE_WITH_TIMEOUT(d.draft().model, std::string("builtin:sprites-unet"), 60000);
        WAIT_FOR_PLAN(d);
        Recipe mine = d.draft();
        mine.prompt = "a white star left of a cyan triangle on a black background";
        mine.negativePrompt = "red";
        mine.images = 3;
        mine.steps = 13;
        mine.seed = 77;
        mine.attention = AttentionLevel::Full;
        d.editDraft(mine, "edit");
        WAIT_FOR_PLAN(d);
        d.useModel("builtin:sprites-dit");
        QTRY_COMPARE_WITH_TIMEOUT(d.draft().model, std::string("builtin:sprites-dit"), 60000);
        QCOMPARE(d.draft().prompt, mine.prompt);
        QCOMPARE(d.draft().negativePrompt, mine.negativePrompt);
        QCOMPARE(d.draft().images, 3);
        QCOMPARE(d.draft().seed, std::uint64_t(77));
        QCOMPARE(d.draft().attention, AttentionLevel::Full);
        // What it can run stays, what it cannot is what it recommends: a flow has no training steps to visit.
        const Recipe advised = recommendedRecipe(*inspectModel("builtin:sprites-dit"));
        QCOMPARE(d.draft().sampler.id, mine.sampler.id);
        QCOMPARE(d.draft().steps, 13);
        WAIT_FOR_PLAN(d);
        QVERIFY2(d.draftPlan().ok(), d.draftPlan() ? "" : d.draftPlan().error().text.c_str());
        // And the rest of its settings is offered.
        auto* offer = buttonCalled(window.get(), "Use its settings");
        QVERIFY(offer);
        QTest::mouseClick(offer, Qt::LeftButton);
        QCOMPARE(d.draft().sampler.id, advised.sampler.id);
        QCOMPARE(d.draft().steps, advised.steps);
        QVERIFY(d.draft().guidance == advised.guidance);
        QCOMPARE(d.draft().prompt, mine.prompt);
        d.undoStack().undo();
        QCOMPARE(d.draft().steps, 13);
        d.undoStack().undo();
        QCOMPARE(d.draft().model, mine.model);
        // Particles are not images: their number does not carry over.
        WAIT_FOR_PLAN(d);
        d.useModel("analytic:ring8");
        QTRY_COMPARE_WITH_TIMEOUT(d.draft().model, std::string("analytic:ring8"), 60000);
        QCOMPARE(d.draft().images, recommendedRecipe(*inspectModel("analytic:ring8")).images);
    }

    // What is declared of a model is shown with its reason, changes what is recommended, and is not another model's.
    void declaredFactsAreShown() {
        auto window = openWindow();
        Document& d = window->document();
        Recipe r = longRecipe(4);
        r.sampler = {"dpmpp_2m", {}};
        r.checkpoint = {"declared", {{"kind", std::string("trajectory")}, {"prediction", std::string("epsilon")}}};
        d.editDraft(r, "edit");
        QTRY_VERIFY_WITH_TIMEOUT(!d.isPlanning() && d.draftModel() && d.draftModel()->id == r.model, 60000);
        QVERIFY2(d.draftPlan().ok(), d.draftPlan() ? "" : d.draftPlan().error().text.c_str());
        QCOMPARE(d.draftModel()->distillation, Distillation::Trajectory);
        QString shown;
        for (const QLabel* l : window->findChild<ModelPanel*>()->findChildren<QLabel*>()) shown += l->text() + '\n';
        for (const char* words :
             {"a trajectory consistency model (declared)", "epsilon (declared)", "Declared in the recipe"})
            QVERIFY2(shown.contains(words), qPrintable(shown));
        // The card warns of the other rule, with a word and before all remarks.
        QString card;
        for (const QLabel* l : window->findChild<PlanCard*>()->findChildren<QLabel*>()) card += l->text() + '\n';
        QVERIFY2(card.contains("<b>Warning:</b> DPM++ 2M on a trajectory consistency model"), qPrintable(card));
        QVERIFY(card.indexOf("Warning:") < card.indexOf("of memory"));
        d.useModelSettings();
        QCOMPARE(d.draft().sampler.id, std::string("tcd"));
        QVERIFY(d.draft().guidance.empty() && d.draft().checkpoint == r.checkpoint);
        d.useModel("builtin:sprites-dit");
        QTRY_COMPARE_WITH_TIMEOUT(d.draft().model, std::string("builtin:sprites-dit"), 60000);
        QCOMPARE(d.draft().checkpoint.id, std::string("as_stated"));
    }

    void aBranchCanRunAfterReopening() {
        const QString path = m_folder.filePath("branch.meander");
        {
            auto window = openWindow();
            Document& d = window->document();
            d.editDraft(ringRecipe(), "edit");
            WAIT_FOR_PLAN(d);
            d.runDraft();
            QTRY_VERIFY_WITH_TIMEOUT(d.runs().size() == 1 && !d.isBusy(), 60000);
            d.setBranchPoint(QString::fromStdString(d.runs().front()->id), 3);
            WAIT_FOR_PLAN(d);
            QVERIFY(d.draftPlan().ok());
            QVERIFY(d.saveAs(path).ok());
        }
        auto window = openWindow();
        Document& d = window->document();
        QVERIFY(window->openAnything(path));
        QVERIFY(d.draft().branch);
        QTRY_VERIFY_WITH_TIMEOUT(!d.isPlanning() && d.draftPlan().ok(), 60000);
        QVERIFY(window->commands().trigger("run.start"));
        QTRY_VERIFY_WITH_TIMEOUT(d.runs().size() == 2 && !d.isBusy(), 60000);
        QCOMPARE(d.runs().back()->status, RunStatus::Finished);
    }

    void differencesAreCountedBySetting() {
        auto window = openWindow();
        Document& d = window->document();
        auto* recipe = window->findChild<RecipePanel*>();
        d.editDraft(ringRecipe(), "edit");
        WAIT_FOR_PLAN(d);
        d.runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(d.runs().size() == 1 && !d.isBusy(), 60000);
        QTRY_COMPARE(recipe->differenceCount(), std::optional(0));
        Recipe next = d.draft();
        next.sampler = {"dpmpp_2m_sde", {}};
        next.guidance = {{"cfg", {{"scale", 2.0}}}};
        d.editDraft(next, "edit");
        WAIT_FOR_PLAN(d);
        QTRY_COMPARE(recipe->differenceCount(), std::optional(2));  // with all their parameters
        next.images = 0;
        d.editDraft(next, "edit");
        WAIT_FOR_PLAN(d);
        QVERIFY(!d.draftPlan().ok());
        QTRY_VERIFY(!recipe->differenceCount());  // not known, and not "as the shown run"
        for (const QLabel* l : window->findChildren<QLabel*>()) QVERIFY(l->text() != "as the shown run");
    }

    void theTimeIsKnownAfterARun() {
        auto window = openWindow();
        Document& d = window->document();
        Recipe r = ringRecipe(7, "analytic:gaussian2");
        d.editDraft(r, "edit");
        WAIT_FOR_PLAN(d);
        QVERIFY2(d.draftPlan().ok(), d.draftPlan() ? "" : d.draftPlan().error().text.c_str());
        QVERIFY(d.draftPlan()->seconds == 0);
        d.runDraft();
        QTRY_VERIFY_WITH_TIMEOUT(!d.isBusy() && !d.isPlanning() && d.draftPlan().ok() && d.draftPlan()->seconds > 0,
                                 60000);
    }
};

QTEST_MAIN(TestDrafts)
#include "tst_drafts.moc"
