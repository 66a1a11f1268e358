// The engine thread: plans, runs, records, replay, branches, shared network calls, pause, cancel and failure. Exact
// models, so nothing is approximate.
#include <QtTest>
#include <cmath>
#include <condition_variable>

#include "engine/run/engine.h"
#include "engine/run/recipe_differences.h"

using namespace meander;

namespace {

// Collects everything the engine says.
struct Listener {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<RunEvent> events;
    Engine::Sink sink() {
        return [this](const RunEvent& e) {
            const std::lock_guard lock(mutex);
            events.push_back(e);
            changed.notify_all();
        };
    }
    std::shared_ptr<const Run> result(const std::string& id) {
        const std::lock_guard lock(mutex);
        for (const auto& e : events)
            if (e.runId == id
                && (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed
                    || e.kind == RunEventKind::Cancelled))
                return e.run;
        return nullptr;
    }
    bool waitFor(const std::string& id, RunEventKind kind) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(60), [&] {
            return std::any_of(events.begin(), events.end(),
                               [&](const auto& e) { return e.runId == id && e.kind == kind; });
        });
    }
    int count(const std::string& id, RunEventKind kind) {
        const std::lock_guard lock(mutex);
        return int(std::count_if(events.begin(), events.end(),
                                 [&](const auto& e) { return e.runId == id && e.kind == kind; }));
    }
};

Recipe ring(int images = 16) {
    Recipe r;
    r.model = "analytic:ring8";
    r.images = images;
    r.steps = 12;
    r.sampler = {"dpmpp_2m", {}};
    r.schedule = {"karras", {}};
    r.guidance.clear();
    return r;
}

Plan planned(const Recipe& r, const Run* parent = nullptr) {
    auto p = plan(r, parent);
    if (!p) qFatal("%s", p.error().text.c_str());
    return *p;
}

void sameRecord(const Run& a, const Run& b) {
    QCOMPARE(a.trajectory->evaluations.size(), b.trajectory->evaluations.size());
    for (std::size_t i = 0; i < a.trajectory->evaluations.size(); ++i) {
        QVERIFY(a.trajectory->evaluations[i]->state.sameBits(b.trajectory->evaluations[i]->state));
        QVERIFY(a.trajectory->evaluations[i]->denoised.sameBits(b.trajectory->evaluations[i]->denoised));
    }
    QVERIFY(a.trajectory->last().sameBits(b.trajectory->last()));
}

}  // namespace

class TestEngine : public QObject {
    Q_OBJECT
private:
    std::shared_ptr<const Run> runOne(const Recipe& r, std::shared_ptr<const Run> parent = nullptr) {
        Listener l;
        Engine engine({"cpu"}, l.sink());
        const auto id = engine.submit(planned(r, parent.get()), parent);
        engine.waitIdle();
        return l.result(id);
    }

private slots:
    void finishedRunHasItsRecord() {
        for (const auto& info : {"euler", "heun", "euler_ancestral", "ddim", "dpmpp_2m", "dpmpp_2m_sde"}) {
            Recipe r = ring();
            r.sampler = {info, {}};
            const auto run = runOne(r);
            QVERIFY(run);
            QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
            QCOMPARE(int(run->trajectory->steps.size()), r.steps);
            QCOMPARE(int(run->trajectory->levels.size()), r.steps + 1);
            QCOMPARE(int(run->trajectory->evaluations.size()), planned(r).requests);
            QCOMPARE(run->evaluations, planned(r).evaluations);
            for (double v : run->trajectory->last().toDoubles()) QVERIFY(std::isfinite(v));
        }
    }
    // The engine thread sleeps already when nothing is added: nobody would say again that it is idle.
    void nothingSubmittedIsDoneAtOnce() {
        Listener l;
        Engine engine({"cpu"}, l.sink());
        engine.submit(planned(ring()));
        engine.waitIdle();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        QVERIFY(engine.submit(std::vector<Plan>{}).empty());
        engine.waitIdle();
    }
    // The ring's modes lie on a circle; samples of a good sampler lie on it.
    void samplesLieOnTheRing() {
        Recipe r = ring(400);
        r.steps = 30;
        r.sampler = {"heun", {}};
        const auto run = runOne(r);
        const auto exact = loadModel(r.model, *kernels::createCpuBackend());
        QVERIFY(exact.ok());
        const auto truth = (*exact)->drawData(4000, 9, {}).toDoubles();
        const auto got = run->trajectory->last().toDoubles();
        const auto meanRadius = [](const std::vector<double>& p) {
            double sum = 0;
            for (std::size_t i = 0; i < p.size(); i += 2) sum += std::hypot(p[i], p[i + 1]);
            return sum / (double(p.size()) / 2);
        };
        QVERIFY2(std::abs(meanRadius(got) / meanRadius(truth) - 1) < 0.02,
                 qPrintable(QString("%1 %2").arg(meanRadius(got)).arg(meanRadius(truth))));
    }
    void sameRecipeSameBits() {
        for (const char* sampler : {"dpmpp_2m", "dpmpp_2m_sde"}) {
            Recipe r = ring();
            r.sampler = {sampler, {}};
            sameRecord(*runOne(r), *runOne(r));
        }
    }
    void imagesDoNotDependOnTheirNumber() {
        Recipe many = ring(9), one = ring(1);
        many.sampler = one.sampler = {"euler_ancestral", {}};
        const auto a = runOne(many), b = runOne(one);
        QVERIFY(a->trajectory->last().rows(0, 1).sameBits(b->trajectory->last()));
    }
    void branchEqualsItsParentUpToTheStep() {
        for (const char* sampler : {"dpmpp_2m", "dpmpp_2m_sde", "heun"}) {
            Recipe r = ring();
            r.sampler = {sampler, {}};
            const auto parent = runOne(r);
            Recipe child = r;
            child.branch = BranchPoint{parent->id, 5};
            // Unchanged settings: history is restored, so the whole run is the parent's, bit by bit.
            const auto same = runOne(child, parent);
            QVERIFY2(same->status == RunStatus::Finished, same->problem.c_str());
            sameRecord(*parent, *same);
            QVERIFY(same->trajectory->evaluations.front()->replayed);
            QVERIFY(!same->trajectory->evaluations.back()->replayed);
            QVERIFY(same->evaluations < parent->evaluations);
            // Another tail: the first five steps stay.
            child.steps = 30;
            const auto other = runOne(child, parent);
            QVERIFY2(other->status == RunStatus::Finished, other->problem.c_str());
            for (int k = 0; k < 5; ++k)
                QVERIFY(other->trajectory->steps[std::size_t(k)]->state.sameBits(
                    parent->trajectory->steps[std::size_t(k)]->state));
            QVERIFY(other->trajectory->steps.size() > parent->trajectory->steps.size());
            // Another sampler restarts from the recorded state.
            child.sampler = {"euler", {}};
            const auto restarted = runOne(child, parent);
            for (int k = 0; k < 5; ++k)
                QVERIFY(restarted->trajectory->steps[std::size_t(k)]->state.sameBits(
                    parent->trajectory->steps[std::size_t(k)]->state));
        }
    }
    // 64 runs with other seeds, guidance and steps, submitted together, share their network calls and end with the same
    // numbers.
    void runsShareNetworkCalls() {
        std::vector<Plan> plans;
        for (int i = 0; i < 64; ++i) {
            Recipe r = ring(1);
            r.seed = std::uint64_t(100 + i);
            r.steps = 8 + i % 5;
            r.sampler = {i % 2 ? "heun" : "dpmpp_2m_sde", {}};
            plans.push_back(planned(r));
        }
        Listener l;
        Engine engine({"cpu"}, l.sink());
        const auto ids = engine.submit(plans);
        engine.waitIdle();
        int together = 0, alone = 0;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto run = l.result(ids[i]);
            QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
            together = std::max(together, run->networkCalls);
            alone += plans[i].requests;
            if (i % 9 == 0) sameRecord(*run, *runOne(plans[i].resolved));
        }
        qInfo("%d calls one after the other, at most %d together", alone, together);
        QVERIFY(alone >= 5 * together);
    }
    void pauseStepResume() {
        Listener l;
        std::string id;
        Recipe r = ring(2000);
        r.steps = 2000;
        Engine engine({"cpu"}, l.sink());
        id = engine.submit(planned(r));
        engine.pause(id);
        QVERIFY(l.waitFor(id, RunEventKind::Paused));
        const int before = l.count(id, RunEventKind::Evaluated);
        QTest::qWait(50);
        QCOMPARE(l.count(id, RunEventKind::Evaluated), before);
        engine.step(id);
        QTRY_COMPARE(l.count(id, RunEventKind::Evaluated), before + 1);
        QTest::qWait(30);
        QCOMPARE(l.count(id, RunEventKind::Evaluated), before + 1);
        engine.resume(id);
        QTRY_VERIFY(l.count(id, RunEventKind::Evaluated) > before + 5);
        engine.cancel(id);
        QVERIFY(l.waitFor(id, RunEventKind::Cancelled));
        const auto run = l.result(id);
        QCOMPARE(run->status, RunStatus::Cancelled);
        QVERIFY(!run->trajectory->evaluations.empty());
    }
    void failedRunSaysWhyAndKeepsNeighboursAlive() {
        Listener l;
        Engine engine({"cpu"}, l.sink());
        Plan broken = planned(ring());
        broken.resolved.model = "analytic:nothing-like-this";
        const auto bad = engine.submit(broken);
        const auto good = engine.submit(planned(ring()));
        engine.waitIdle();
        QCOMPARE(l.result(bad)->status, RunStatus::Failed);
        QVERIFY(l.result(bad)->problem.size() > 20);
        QCOMPARE(l.result(good)->status, RunStatus::Finished);
    }
    void cancelAllLeavesNothing() {
        Listener l;
        Engine engine({"cpu"}, l.sink());
        Recipe r = ring(500);
        r.steps = 5000;
        std::vector<std::string> ids;
        for (int i = 0; i < 5; ++i) ids.push_back(engine.submit(planned(r)));
        engine.cancelAll();
        engine.waitIdle();
        for (const auto& id : ids) QCOMPARE(l.result(id)->status, RunStatus::Cancelled);
    }
    void impossiblePlansGetASentence() {
        const auto refuses = [](auto change) {
            Recipe r = ring();
            change(r);
            const auto p = plan(r);
            return !p.ok() && p.error().text.size() > 15;
        };
        QVERIFY(refuses([](Recipe& r) { r.steps = 0; }));
        QVERIFY(refuses([](Recipe& r) { r.images = 0; }));
        QVERIFY(refuses([](Recipe& r) { r.sampler.id = "eluer"; }));
        QVERIFY(refuses([](Recipe& r) { r.schedule.id = "karas"; }));
        QVERIFY(refuses([](Recipe& r) { r.guidance = {{"cgf", {}}}; }));
        QVERIFY(refuses([](Recipe& r) { r.sampler = {"ddim", {{"eta", 17.0}}}; }));
        QVERIFY(refuses([](Recipe& r) { r.sampler = {"ddim", {{"nonsense", 1.0}}}; }));
        QVERIFY(refuses([](Recipe& r) { r.model = "/no/such/model"; }));
        QVERIFY(refuses([](Recipe& r) { r.precision = "f7"; }));
        QVERIFY(refuses([](Recipe& r) { r.classIndex = 3; }));
        QVERIFY(refuses([](Recipe& r) { r.branch = BranchPoint{"x", 3}; }));
        auto p = plan([] {
            Recipe r = ring();
            r.sampler.id = "eluer";
            return r;
        }());
        QVERIFY(QString::fromStdString(p.error().text).contains("\"euler\""));
    }
    void recipeRoundTrip() {
        Recipe r = ring();
        r.prompt = "a red circle \"quoted\" ünïcode";
        r.negativePrompt = "n";
        r.seed = 18446744073709551615ull;
        r.guidance = {{"cfg", {{"scale", 7.5}, {"from", 0.1}}}};
        r.schedule = {"custom", {{"values", std::vector<double>{3, 1, 0.1}}}};
        r.branch = BranchPoint{"abc", 4};
        r.attention = AttentionLevel::Layers;
        const auto back = recipeFromJson(Json::parse(toJson(r).dump()));
        QVERIFY2(back.ok(), back ? "" : back.error().text.c_str());
        QVERIFY(*back == r);
        QVERIFY(differences(r, *back).empty());
    }
    void damagedRecipesGetASentence() {
        for (const char* text :
             {"[]", "3", "{\"steps\": \"many\"}", "{\"steps\": 3.5}", "{\"seed\": -1}", "{\"stepz\": 3}",
              "{\"sampler\": {\"id\": 3}}", "{\"guidance\": 4}", "{\"attention\": \"wild\"}",
              "{\"sampler\": {\"id\": \"euler\", \"params\": {\"a\": {}}}}", "{\"steps\": 99999999999999}"}) {
            const auto r = recipeFromJson(Json::parse(text));
            QVERIFY2(!r.ok() && r.error().text.size() > 10, text);
        }
    }
    void mailboxKeepsTheNewestStep() {
        int wakes = 0;
        Mailbox box([&] { ++wakes; });
        for (int i = 0; i < 1000; ++i) {
            RunEvent e;
            e.kind = i % 2 ? RunEventKind::Stepped : RunEventKind::Evaluated;
            e.runId = "a";
            e.evaluation = i;
            box.post(e);
        }
        RunEvent done;
        done.kind = RunEventKind::Finished;
        done.runId = "a";
        box.post(done);
        const auto events = box.drain();
        QCOMPARE(wakes, 1);
        QCOMPARE(int(events.size()), 3);
        QCOMPARE(events[0].evaluation, 998);
        QCOMPARE(events[1].evaluation, 999);
        QCOMPARE(events[2].kind, RunEventKind::Finished);
    }
};

QTEST_GUILESS_MAIN(TestEngine)
#include "tst_engine.moc"
