// The trained text-to-image model through the whole engine: shared network calls, replay, branching, the record of
// attention.
#include <QtTest>
#include <cmath>

#include "engine/run/engine.h"

using namespace meander;

namespace {

struct Results {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<const Run>> runs;
    Engine::Sink sink() {
        return [this](const RunEvent& e) {
            const std::lock_guard lock(mutex);
            if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) runs[e.runId] = e.run;
        };
    }
};

Recipe sprite(std::uint64_t seed = 42, int steps = 6, double guidance = 4) {
    Recipe r;
    r.model = "builtin:sprites-unet";
    r.prompt = "a red circle above a blue square on a green background";
    r.seed = seed;
    r.steps = steps;
    r.sampler = {"dpmpp_2m", {}};
    r.guidance = {{"cfg", {{"scale", guidance}}}};
    return r;
}

std::shared_ptr<const Run> runOne(const Recipe& r, std::shared_ptr<const Run> parent = nullptr) {
    Results results;
    Engine engine({"cpu"}, results.sink());
    auto p = plan(r, parent.get());
    if (!p) qFatal("%s", p.error().text.c_str());
    const auto id = engine.submit(*p, parent);
    engine.waitIdle();
    return results.runs[id];
}

double worstDifference(const HostTensor& a, const HostTensor& b) {
    const auto x = a.toFloats(), y = b.toFloats();
    double worst = x.size() == y.size() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
        worst = std::max(worst, double(std::abs(x[i] - y[i])));
    return worst;
}

}  // namespace

class TestSprites : public QObject {
    Q_OBJECT
private slots:
    void recordIsComplete() {
        const auto run = runOne(sprite());
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QCOMPARE(run->evaluations, 12);
        QVERIFY((run->images.shape() == Shape{1, 32, 32, 3}));
        QVERIFY(!run->trajectory->sites.empty());
        for (const auto& e : run->trajectory->evaluations) {
            QCOMPARE(e->branches.size(), std::size_t(2));
            QCOMPARE(e->attention.size(), std::size_t(1));
            QCOMPARE(e->attention[0].size(), run->trajectory->sites.size());
            for (const auto& map : e->attention[0]) {
                const auto& site = run->trajectory->sites[std::size_t(map.site)];
                QVERIFY((map.probabilities.shape() == Shape{site.heads, site.height, site.width, site.tokens}));
                // a softmax sums to one over the tokens; entropy of it lies between one token and all alike
                const auto p = map.probabilities.toFloats();
                for (std::size_t at = 0; at < p.size(); at += std::size_t(site.tokens) * 17) {
                    double sum = 0;
                    for (int k = 0; k < site.tokens; ++k) sum += p[at + std::size_t(k)];
                    QVERIFY2(std::abs(sum - 1) < 5e-3, qPrintable(QString::number(sum)));
                }
                for (float h : map.entropy) QVERIFY(h >= 0 && h <= 1.0001f);
            }
        }
        // guidance: combined = u + w (c − u)
        const auto& e = *run->trajectory->evaluations[2];
        const auto c = e.branches[0].denoised.toFloats(), u = e.branches[1].denoised.toFloats(),
                   d = e.denoised.toFloats();
        for (std::size_t i = 0; i < d.size(); i += 97) QVERIFY(std::abs(d[i] - (u[i] + 4 * (c[i] - u[i]))) < 1e-4);
    }
    void sameRecipeSameBits() {
        const auto a = runOne(sprite()), b = runOne(sprite());
        QVERIFY(a->trajectory->last().sameBits(b->trajectory->last()));
        Recipe child = sprite();
        child.branch = BranchPoint{a->id, 3};
        const auto c = runOne(child, a);
        QVERIFY(a->trajectory->last().sameBits(c->trajectory->last()));
        QCOMPARE(c->evaluations, 6);
    }
    void branchWithOtherPromptKeepsThePast() {
        const auto parent = runOne(sprite());
        Recipe child = sprite();
        child.prompt = "a yellow square above a blue square on a green background";
        child.branch = BranchPoint{parent->id, 2};
        const auto run = runOne(child, parent);
        QVERIFY(run->trajectory->steps[1]->state.sameBits(parent->trajectory->steps[1]->state));
        QVERIFY(worstDifference(run->images, parent->images) > 0.05);
    }
    // 64 runs with other seeds, guidance and steps: at least five times fewer network calls than one after the other,
    // the same images.
    void sixtyFourRunsTogether() {
        std::vector<Plan> plans;
        int alone = 0;
        for (int i = 0; i < 64; ++i) {
            Recipe r = sprite(std::uint64_t(i), 4 + i % 4, i % 3 ? 2 + i % 5 : 1);
            r.attention = AttentionLevel::Off;
            auto p = plan(r);
            QVERIFY2(p.ok(), p ? "" : p.error().text.c_str());
            alone += p->requests;
            plans.push_back(*p);
        }
        Results results;
        std::vector<std::string> ids;
        {
            Engine engine({"cpu"}, results.sink());
            ids = engine.submit(plans);
            engine.waitIdle();
        }
        // Every call that a run took part in was shared; the run that took part in most bounds nothing, so count calls
        // by their rows.
        double calls = 0;
        for (const auto& id : ids)
            for (const auto& e : results.runs[id]->trajectory->evaluations)
                calls += double(e->networkRows) / e->rowsInCall;
        qInfo("%d calls one after the other, %.1f together", alone, calls);
        QVERIFY(alone >= 5 * calls);
        double worst = 0;
        int sameBits = 0;
        for (int i = 0; i < 64; i += 7) {
            const auto single = runOne(plans[std::size_t(i)].resolved);
            worst = std::max(worst, worstDifference(single->images, results.runs[ids[std::size_t(i)]]->images));
            sameBits += single->trajectory->last().sameBits(results.runs[ids[std::size_t(i)]]->trajectory->last());
        }
        qInfo("largest difference of a pixel: %.2e; %d of 10 images equal in every bit", worst, sameBits);
        QVERIFY2(worst < 1.0 / 512, qPrintable(QString::number(worst)));  // less than half a level of 8 bits
    }
    void lcmDrawsInFourSteps() {
        auto info = inspectModel("builtin:sprites-lcm");
        QVERIFY2(info.ok(), info ? "" : info.error().text.c_str());
        Recipe r = recommendedRecipe(*info);
        r.prompt = sprite().prompt;
        const auto run = runOne(r);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QVERIFY(run->evaluations <= 8);
    }
    void flowModelRuns() {
        auto info = inspectModel("builtin:sprites-dit");
        QVERIFY2(info.ok(), info ? "" : info.error().text.c_str());
        Recipe r = recommendedRecipe(*info);
        r.prompt = sprite().prompt;
        r.steps = 4;
        r.images = 1;
        const auto run = runOne(r);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QVERIFY((run->images.shape() == Shape{1, 32, 32, 3}));
    }
};

QTEST_GUILESS_MAIN(TestSprites)
#include "tst_sprites.moc"
