// Noise sources in whole runs: the same bits again, on replay, on branches and for any number of images where a
// source promises it; what recipes and plans say about them.
#include <QtTest>
#include <cmath>
#include <mutex>

#include "engine/cli/recipe_input.h"
#include "engine/run/engine.h"
#include "engine/run/recipe_differences.h"
#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/noise/torch_random.h"

using namespace meander;

namespace {

Recipe ring(const Choice& noise, const char* sampler = "dpmpp_2m_sde", int images = 5) {
    Recipe r;
    r.model = "analytic:ring8";
    r.images = images;
    r.steps = 12;
    r.sampler = {sampler, {}};
    r.schedule = {"karras", {}};
    r.noise = noise;
    return r;
}
Plan planned(const Recipe& r, const Run* parent = nullptr) {
    auto p = plan(r, parent);
    if (!p) qFatal("%s", p.error().text.c_str());
    return *p;
}
bool notes(const Plan& p, const char* text) {
    return std::any_of(p.notes.begin(), p.notes.end(),
                       [&](const PlanNote& n) { return n.key == "noise" && n.text.find(text) != std::string::npos; });
}
void sameRecord(const Run& a, const Run& b) {
    QCOMPARE(a.trajectory->evaluations.size(), b.trajectory->evaluations.size());
    for (std::size_t i = 0; i < a.trajectory->evaluations.size(); ++i)
        QVERIFY(a.trajectory->evaluations[i]->state.sameBits(b.trajectory->evaluations[i]->state));
    QVERIFY(a.trajectory->last().sameBits(b.trajectory->last()));
}

}  // namespace

class TestNoiseRuns : public QObject {
    Q_OBJECT
private:
    std::shared_ptr<const Run> runOne(const Recipe& r, std::shared_ptr<const Run> parent = nullptr) {
        std::shared_ptr<const Run> finished;
        std::mutex mutex;
        {
            Engine engine({"cpu"}, [&](const RunEvent& e) {
                const std::lock_guard lock(mutex);
                if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) finished = e.run;
            });
            engine.submit(planned(r, parent.get()), parent);
            engine.waitIdle();
        }
        if (!finished || finished->status != RunStatus::Finished)
            qFatal("%s", finished ? finished->problem.c_str() : "no run");
        return finished;
    }

private slots:
    void everySource_data() {
        QTest::addColumn<QString>("id");
        for (const auto& n : noiseSources())
            if (n.make) QTest::newRow(n.id.c_str()) << QString::fromStdString(n.id);
    }
    // Again, branched without a change (history restored by replay), branched to another tail, and one image instead
    // of five: all bit for bit.
    void everySource() {
        QFETCH(QString, id);
        const Choice noise{id.toStdString(), {}};
        for (const char* sampler : {"dpmpp_2m_sde", "euler_ancestral"}) {
            const Recipe r = ring(noise, sampler);
            const auto parent = runOne(r);
            sameRecord(*parent, *runOne(r));
            Recipe child = r;
            child.branch = BranchPoint{parent->id, 5};
            const auto same = runOne(child, parent);
            sameRecord(*parent, *same);
            QVERIFY(same->trajectory->evaluations.front()->replayed && !same->trajectory->evaluations.back()->replayed);
            child.steps = 30;
            const auto other = runOne(child, parent);
            for (std::size_t k = 0; k < 5; ++k)
                QVERIFY(other->trajectory->steps[k]->state.sameBits(parent->trajectory->steps[k]->state));
            // a branch of the branch stays on the same noise
            Recipe grandchild = r;
            grandchild.branch = BranchPoint{other->id, 7};
            const auto third = runOne(grandchild, other);
            for (std::size_t k = 0; k < 7; ++k)
                QVERIFY(third->trajectory->steps[k]->state.sameBits(other->trajectory->steps[k]->state));
            QVERIFY(
                runOne(ring(noise, sampler, 1))->trajectory->last().sameBits(parent->trajectory->last().rows(0, 1)));
        }
    }
    // The first state and the noise that a step adds are the streams of the other programs.
    void torchSeeds() {
        const Recipe r = ring({"torch_cpu", {}}, "euler_ancestral", 2);
        const auto run = runOne(r);
        noise::TorchCpuRandom second(r.seed + 1);
        std::vector<float> z(2);
        second.normals(std::span<float>(z));
        const double tau = run->trajectory->levels.front();
        QCOMPARE(run->trajectory->initial.at(2), tau * double(z[0]));
        QCOMPARE(run->trajectory->initial.at(3), tau * double(z[1]));
        second.normals(std::span<float>(z));
        const double from = tau, to = run->trajectory->levels[1], ratio = to / from, down = to * ratio,
                     spread = std::sqrt(to * to - down * down);
        const auto& e = *run->trajectory->evaluations.front();
        for (int k = 0; k < 2; ++k) {
            const double expected = down / from * e.state.at(2 + k) + (1 - down / from) * e.denoised.at(2 + k)
                                    + spread * double(z[std::size_t(k)]);
            QVERIFY(std::abs(run->trajectory->steps.front()->state.at(2 + k) - expected) < 1e-9 * tau);
        }
    }
    // k-diffusion's SDE noise: the tree between the run's least and greatest level, also in a branch with other levels.
    void brownianRange() {
        const auto parent = runOne(ring({"brownian", {}}));
        const auto [low, high] = levelRange(parent->trajectory->levels);
        QCOMPARE(real(parent->recipe.noise.params, "high"), high);
        QCOMPARE(real(parent->recipe.noise.params, "low"), low);
        Recipe child = ring({"brownian", {}});
        child.branch = BranchPoint{parent->id, 6};
        child.schedule = {"exponential", {}};
        child.steps = 24;
        const auto run = runOne(child, parent);
        QCOMPARE(real(run->recipe.noise.params, "low"), low);
        for (std::size_t k = 0; k < 6; ++k)
            QVERIFY(run->trajectory->steps[k]->state.sameBits(parent->trajectory->steps[k]->state));
    }
    // Another sampler restarts from the recorded state; streams in order go on behind what was drawn.
    void restartGoesOn() {
        const auto parent = runOne(ring({"torch_cpu", {}}, "euler_ancestral", 1));
        Recipe child = ring({"torch_cpu", {}}, "ddim", 1);
        child.sampler.params["eta"] = 1.0;
        child.branch = BranchPoint{parent->id, 4};
        QVERIFY(notes(planned(child, parent.get()), "as if each step before had drawn once"));
        const auto run = runOne(child, parent);
        QVERIFY(run->trajectory->steps[3]->state.sameBits(parent->trajectory->steps[3]->state));
        noise::TorchCpuRandom stream(child.seed);
        std::vector<float> z(2);
        for (int draw = 0; draw < 6; ++draw)
            stream.normals(std::span<float>(z));  // the first state's, four steps', this step's
        const auto& e = *run->trajectory->evaluations[4];
        const double from = run->trajectory->levels[4], to = run->trajectory->levels[5],
                     fresh = to * std::sqrt(1 - to * to / (from * from)),
                     kept = std::sqrt(to * to - fresh * fresh) / from;
        for (int k = 0; k < 2; ++k)
            QVERIFY(
                std::abs(run->trajectory->steps[4]->state.at(k)
                         - (kept * e.state.at(k) + (1 - kept) * e.denoised.at(k) + fresh * double(z[std::size_t(k)])))
                < 1e-9);
    }
    // The parent's noise for a child with another seed: history can be restored, and nothing changes but what the child
    // changes.
    void recordedNoiseIsTheParents() {
        Recipe r = ring({"philox", {}});
        r.seed = 11;
        const auto parent = runOne(r);
        Recipe child = r;
        child.seed = 12;
        child.noise = {"recorded", {}};
        QVERIFY(!plan(child).ok());  // no parent
        child.branch = BranchPoint{parent->id, 3};
        const Plan p = planned(child, parent.get());
        QCOMPARE(p.resolved.noise.id, std::string("philox"));
        QCOMPARE(integer(p.resolved.noise.params, "seed"), std::int64_t(11));
        sameRecord(*parent, *runOne(child, parent));
        child.noise = {"philox", {}};
        QVERIFY(!runOne(child, parent)->trajectory->last().sameBits(parent->trajectory->last()));
    }
    void recipes() {
        // old recipes: the default, and no difference from a written one
        const auto old = recipeFromJson(Json::parse("{\"steps\": 12, \"seed\": 5}"));
        QVERIFY(old.ok());
        QCOMPARE(old->noise, (Choice{"philox", {}}));
        Recipe r = ring({"torch_cuda", {{"gpu", std::string("l4")}, {"variation_strength", 0.25}}});
        const auto back = recipeFromJson(Json::parse(toJson(r).dump()));
        QVERIFY(back.ok() && *back == r);
        QVERIFY(recipeFromJson(Json::parse("{\"noise\": \"torch_cpu\"}"))->noise.id == "torch_cpu");
        QVERIFY(!recipeFromJson(Json::parse("{\"noise\": 3}")).ok());
        Recipe resolved = ring({"philox", {}});
        for (const auto& d : differences(resolved, planned(resolved).resolved)) QVERIFY(!d.key.starts_with("noise"));
        const auto list = differences(ring({"torch_cpu", {}}), ring({"torch_cpu", {{"per", std::string("batch")}}}));
        QCOMPARE(list.size(), std::size_t(1));
        QCOMPARE(list[0].label, std::string("Noise Drawn for"));
        QCOMPARE(list[0].right, std::string("batch"));
        Recipe set = ring({"philox", {}});
        cli::applySet(set, "noise=torch_cpu");
        cli::applySet(set, "noise.per=batch");
        QCOMPARE(set.noise, (Choice{"torch_cpu", {{"per", std::string("batch")}}}));
        QVERIFY_EXCEPTION_THROWN(cli::applySet(set, "noise.nonsense=1"), Failure);
    }
    void plans() {
        QVERIFY(!plan(ring({"torch_cup", {}})).ok());
        QVERIFY(plan(ring({"torch_cup", {}})).error().text.find("\"torch_cpu\"") != std::string::npos);
        QVERIFY(!plan(ring({"philox", {{"per", std::string("batch")}}})).ok());
        QVERIFY(notes(planned(ring({"brownian", {}}, "euler")), "no effect"));
        QVERIFY(!notes(planned(ring({"brownian", {}}, "dpmpp_2m_sde")), "no effect"));
        QVERIFY(notes(planned(ring({"torch_cpu", {{"per", std::string("batch")}}})), "depends on how many"));
        QVERIFY(notes(planned(ring({"moving", {{"shift_x", 2.0}}})), "Particles"));
        QCOMPARE(planned(ring({"torch_cpu", {}})).resolved.noise.params.contains("variation_strength"), true);
        // a mean that does not fit the model's states is refused before anything runs
        QVERIFY(!plan(ring({"philox",
                            {{"initial_scale", std::string("analytic")}, {"data_mean", std::vector<double>{1, 2, 3}}}}))
                     .ok());
    }
    void firstStateOfTheData() {
        const auto run = runOne(ring({"philox",
                                      {{"initial_scale", std::string("analytic")},
                                       {"data_mean", std::vector<double>{5, -5}},
                                       {"data_variance", 9.0}}},
                                     "euler", 2000));
        const double tau = run->trajectory->levels.front();
        double mean = 0, square = 0;
        for (int i = 0; i < 2000; ++i) {
            const double v = run->trajectory->initial.at(2 * i);
            mean += v / 2000;
            square += (v - 5) * (v - 5) / 2000;
        }
        QVERIFY(std::abs(mean - 5) < 4 * std::sqrt((9 + tau * tau) / 2000));
        QVERIFY(std::abs(square / (9 + tau * tau) - 1) < 4 * std::sqrt(2.0 / 2000));
    }
};

QTEST_GUILESS_MAIN(TestNoiseRuns)
#include "tst_noise_runs.moc"
