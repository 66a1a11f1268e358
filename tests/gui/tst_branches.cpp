// Branches as a person makes them, in the real window: whatever sampler goes on with whatever other one's record, every
// view shows it, while it runs and after the project is opened again. MEANDER_LONG_WALKS=1 takes every pair of samplers
// at three steps; otherwise some whose steps need one, two, four or a changing number of evaluations.
#include "engine/sampling/sampling.h"
#include "tests/gui/walk_views.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestBranches : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    QTemporaryDir folder;

    Document& document() { return window->document(); }
    SelectionModel& selection() { return window->selection(); }
    bool plan(const Recipe& recipe) {
        document().editDraft(recipe, "test");
        [&] { WAIT_FOR_PLAN(document()); }();
        return document().draftPlan().ok();
    }
    // The run's id; empty when it was refused or failed. Every arrival of its record is checked and painted.
    QString carryOut() {
        QSignalSpy finished(&document(), &Document::runFinished);
        const auto watch = connect(&document(), &Document::runChanged, window.get(), [this](const QString& id) {
            const RunPtr run = document().run(id);
            if (!run || !run->trajectory) return;
            const Trajectory& t = *run->trajectory;
            for (std::size_t i = 0; i < t.evaluations.size(); ++i) isWhole &= t.evaluations[i]->index == int(i);
            for (std::size_t i = 0; i < t.steps.size(); ++i) isWhole &= t.steps[i]->index == int(i);
            window->grab();
        });
        isWhole = true;
        window->commands().trigger("run.start");
        for (int i = 0; i < 6000 && finished.isEmpty(); ++i) QTest::qWait(5);
        disconnect(watch);
        if (finished.isEmpty()) return {};
        const QString id = finished.back().front().toString();
        const RunPtr run = document().run(id);
        return run && run->status == RunStatus::Finished ? id : QString();
    }
    static Recipe recipeOf(StateKind stage, const std::string& sampler, int steps) {
        Recipe r = stage == StateKind::Points ? ringRecipe(steps) : longRecipe(steps);
        r.sampler = {sampler, {}};
        return r;
    }
    bool isWhole = true;

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("branches-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(document());
    }
    void cleanup() {
        window.reset();
        forgetEverything();
    }

    // Steps 2 to 4 of the README's tour, with an exact model: DPM++ 2M, step 5, Branch here, Heun, Run.
    void quickTour() {
        Recipe r = ringRecipe(20);
        r.sampler = {"dpmpp_2m", {}};
        QVERIFY(plan(r));
        const QString parent = carryOut();
        QVERIFY(!parent.isEmpty());
        QCOMPARE(selection().currentRun(), parent);
        QVERIFY(window->commands().trigger("step.first"));
        for (int i = 0; i < 5; ++i) QVERIFY(window->commands().trigger("step.next"));
        QVERIFY(window->commands().trigger("run.branch"));
        QCOMPARE(document().draft().branch->step, 5);
        Recipe heun = document().draft();
        heun.sampler = {"heun", {}};
        QVERIFY(plan(heun));
        const QString child = carryOut();
        QVERIFY(!child.isEmpty());
        QVERIFY(isWhole);  // its record never had a gap
        const RunPtr a = document().run(parent), b = document().run(child);
        for (int k = 0; k < 5; ++k) QVERIFY(a->trajectory->stateAt(k + 1).sameBits(b->trajectory->stateAt(k + 1)));
        QCOMPARE(b->trajectory->evaluations.size(), 5u + 2 * 15 - 1);
        walkViews(*window);
    }

    void everyPairOfSamplers() {
        const bool isLong = qEnvironmentVariableIsSet("MEANDER_LONG_WALKS");
        std::vector<std::string> samplers{"euler", "heun", "dpmpp_2m", "rk4", "restart", "dpm_adaptive"};
        if (isLong) {
            samplers.clear();
            for (const SamplerInfo& s : meander::samplers()) samplers.push_back(s.id);
        }
        const int steps = 6;
        int carriedOut = 0, refused = 0;
        for (StateKind stage : {StateKind::Points, StateKind::Image}) {
            QStringList ids;
            for (std::size_t p = 0; p < samplers.size(); ++p) {
                // The trained model takes its time: without the long walk a child each is enough.
                if (!plan(recipeOf(stage, samplers[p], steps))) continue;
                const QString parent = carryOut();
                if (parent.isEmpty()) continue;
                ids.append(parent);
                for (std::size_t c = 0; c < samplers.size(); ++c) {
                    if (!isLong && (c == p || (stage == StateKind::Image && c != (p + 1) % samplers.size()))) continue;
                    const int last = int(document().run(parent)->trajectory->steps.size()) - 1;
                    std::vector<int> at{1, steps / 2, last};
                    if (!isLong) at = {at[(p + c) % at.size()]};
                    for (int step : at) {
                        document().setBranchPoint(parent, std::clamp(step, 0, last));
                        Recipe child = document().draft();
                        child.sampler = {samplers[c], {}};
                        if (!plan(child)) {
                            ++refused;
                            continue;
                        }
                        const QString id = carryOut();
                        if (id.isEmpty()) {
                            ++refused;
                            continue;
                        }
                        QVERIFY2(isWhole, qPrintable(QString::fromStdString(samplers[p] + " " + samplers[c])));
                        ++carriedOut;
                        ids.append(id);
                        showRun(*window, id, parent);
                        walkViews(*window, 1);
                        showRun(*window, parent, id);
                        walkViews(*window, 1);
                    }
                }
            }
            const QString path = folder.filePath(stage == StateKind::Points ? "points.meander" : "images.meander");
            QVERIFY(document().saveAs(path).ok());
            document().newProject();
            QVERIFY(window->openProject(path));
            for (int i = 0; i < ids.size(); ++i) {
                showRun(*window, ids[i], ids[(i + 1) % ids.size()]);
                QVERIFY(document().run(ids[i]) && document().run(ids[i])->trajectory);
                walkViews(*window, 1);
            }
            document().newProject();
        }
        qInfo("%d branches carried out, %d refused", carriedOut, refused);
        QVERIFY(carriedOut > 9 * refused);
    }
};

QTEST_MAIN(TestBranches)
#include "tst_branches.moc"
