// Sites and hooks: what is named, what a hook sees, which rows it touches, what is not computed, and in which order
// several hooks apply; on the U-Net, the diffusion transformer with text, and the class-conditional one.
#include <QElapsedTimer>
#include <set>

#include "engine/models/architectures/dit.h"
#include "engine/nn/pass.h"
#include "tests/engine/interventions/network_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

using enum nn::SiteKind;

// Looks at everything that a hook can look at.
struct Observer final : nn::SiteHook {
    std::vector<std::string> visits, trunks;
    int residuals = 0, joins = 0;
    std::vector<nn::Grid> grids;
    bool actsAt(const nn::Site&) const override { return true; }
    nn::Decision before(const nn::SiteCall& c) override {
        (c.site.kind == Trunk ? trunks : visits).push_back(c.site.path);
        if (c.site.kind == Trunk && (c.x->rows() != c.rows || (*c.start)().rows() != c.rows))
            qFatal("rows of a trunk that do not fit at %s", c.site.path.c_str());
        return {};
    }
    bool observesResidual(const nn::SiteCall&) const override { return true; }
    void after(const nn::SiteCall&, const Tensor& residual) override { residuals += bool(residual); }
    bool needsProbabilities(const nn::SiteCall&) const override { return true; }
    void attended(const nn::SiteCall& c, const nn::Attention& a, const Tensor& y) override {
        grids.push_back(c.grid);
        if (c.grid.height * c.grid.width != int(y.shape()[1]) || a.probabilities.shape()[0] != c.rows)
            qFatal("a grid or rows that do not fit at %s", c.site.path.c_str());
    }
    void joining(const nn::SiteCall&, const Tensor&, const Tensor&) override { ++joins; }
};

// y ← a·y + b at self-attention.
struct Affine final : nn::SiteHook {
    double a, b;
    Affine(double scale, double shift) : a(scale), b(shift) {}
    bool actsAt(const nn::Site& s) const override { return s.kind == SelfAttention; }
    void attended(const nn::SiteCall&, const nn::Attention&, const Tensor& y) override {
        std::vector<float> moved;
        for (double v : download(y).toDoubles()) moved.push_back(float(a * v + b));
        y.backend().copy(upload(y.backend(), HostTensor::fromFloats(y.shape(), moved)), y);
    }
};

// Decides for every residual branch of a kind.
struct Decider final : nn::SiteHook {
    nn::SiteKind kind;
    nn::Decision decision;
    int queries = 0;
    Decider(nn::SiteKind k, nn::Decision d) : kind(k), decision(std::move(d)) {}
    bool actsAt(const nn::Site& s) const override { return s.kind == kind; }
    nn::Decision before(const nn::SiteCall&) override {
        ++queries;
        return decision;
    }
};

Choice skipped(const std::string& layers, const char* part = "block") {
    return {"skip", {{"layers", layers}, {"part", std::string(part)}}};
}

}  // namespace

class TestSites : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

private slots:
    // A plan knows the blocks without the weights: they are those of the loaded network, numbered alike.
    void blocksAreTheSites_data() { networkNames(); }
    void blocksAreTheSites() {
        QFETCH(QString, name);
        const Network n = loadNetwork(*m_backend, name);
        const int h = int(n.info.state.shape[0]), w = int(n.info.state.shape[1]);
        const std::function<void(const nn::Module&)> walk = [&](const nn::Module& m) {
            for (const auto& child : m.children()) {
                QVERIFY2(child->path().starts_with(m.path()), child->path().c_str());
                walk(*child);
            }
        };
        walk(*n.network);
        std::set<std::string> paths;
        int blocks = 0;
        for (const nn::Site* s : n.network->sites()) {
            QVERIFY2(paths.insert(s->path).second, s->path.c_str());
            if (s->kind == Skip || s->kind == Trunk) continue;
            QVERIFY(s->block < int(n.info.blocks.size()));
            const TapSite& block = n.info.blocks[std::size_t(s->block)];
            QVERIFY2(s->path.starts_with(block.path), s->path.c_str());
            QCOMPARE(s->heads, block.heads);
            QCOMPARE(h / s->stride, block.height);
            QCOMPARE(w / s->stride, block.width);
            if (s->kind != Block) continue;
            QCOMPARE(s->path, block.path);
            QCOMPARE(s->block, blocks++);
        }
        QCOMPARE(blocks, int(n.info.blocks.size()));
        const auto cross = n.network->crossAttentions(h, w, 24);
        QCOMPARE(cross.size(), n.info.blocks.size());
        for (std::size_t i = 0; i < cross.size(); ++i) QCOMPARE(cross[i].path, n.info.blocks[i].path + ".attn2");
    }

    // Whoever observes every site of some rows changes no bit, and sees every site once, in the order of the network.
    void observingChangesNothing_data() { networkNames(); }
    void observingChangesNothing() {
        QFETCH(QString, name);
        const Network n = loadNetwork(*m_backend, name);
        const HostTensor plain = n.run();
        for (const auto& [first, rows] : {std::pair{0, 3}, {0, 1}, {1, 1}, {1, 2}}) {
            const auto observer = std::make_shared<Observer>();
            QVERIFY(n.run({{observer, first, rows}}).sameBits(plain));
            std::vector<std::string> expected, trunks;
            int attentions = 0, joins = 0;
            for (const nn::Site* s : n.network->sites()) {
                if (s->kind == Skip) ++joins;
                else if (s->kind == Trunk) trunks.push_back(s->path);
                else expected.push_back(s->path);
                attentions += s->kind == SelfAttention || s->kind == CrossAttention;
            }
            QCOMPARE(observer->visits, expected);
            QCOMPARE(observer->trunks, trunks);
            QCOMPARE(int(trunks.size()), n.info.trunks);
            QCOMPARE(observer->residuals, int(expected.size() + trunks.size()));
            QCOMPARE(int(observer->grids.size()), attentions);
            QCOMPARE(observer->joins, joins);
            QCOMPARE(joins > 0, name == "sprites-unet");
        }
    }

    // Every mask of three rows: hooked rows are as where all are hooked or alone in the batch, others as without.
    void rowMasks_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("intervention");
        for (const char* name : {"sprites-unet", "sprites-dit"})
            for (const InterventionInfo& i : interventions())
                if (!i.makeSource && ((i.id != "freeu" && i.id != "deep_cache") || QString(name) == "sprites-unet"))
                    QTest::addRow("%s %s", name, i.id.c_str()) << QString(name) << QString::fromStdString(i.id);
    }
    void rowMasks() {
        QFETCH(QString, name);
        QFETCH(QString, intervention);
        Network n = loadNetwork(*m_backend, name);
        const Tensor avoided = n.context.slice(1, 1);
        Choice choice{intervention.toStdString(), {}};
        for (const ParamSpec& p : findIntervention(choice.id)->params)
            if (p.key == "threshold") choice.params["threshold"] = 50.0;  // reuses whatever has changed
            else if (p.key == "word") choice.params["word"] = std::string("w3");
        const auto hook = [&] { return n.hook(choice, avoided); };
        // Feature reuse acts from its second evaluation on, here at another time.
        const auto run = [&](const std::vector<Acting>& acting) {
            n.times = {400, 400, 700};
            n.run(acting);
            n.times = {390, 380, 650};
            return n.run(acting);
        };
        const HostTensor plain = run({}), all = run({{hook(), 0, 3}});
        QVERIFY(largestDifference(plain, all) > 1e-5);
        for (int mask = 1; mask < 7; ++mask) {
            std::vector<Acting> acting;
            for (int r = 0; r < 3; ++r)
                if (mask >> r & 1) acting.push_back({hook(), r, 1});
            const HostTensor got = run(acting);
            for (int r = 0; r < 3; ++r)
                QVERIFY2(got.rows(r, 1).sameBits((mask >> r & 1 ? all : plain).rows(r, 1)),
                         qPrintable(QString("mask %1, row %2").arg(mask).arg(r)));
        }
    }

    // What is skipped costs nothing: every subset of the blocks saves exactly what its blocks cost.
    void skippedIsNotComputed_data() { networkNames(); }
    void skippedIsNotComputed() {
        QFETCH(QString, name);
        const Network n = loadNetwork(*m_backend, name);
        const double full = n.flops(), none = n.flops({{n.hook(skipped("all")), 0, 3}}), blocks = full - none;
        const int count = int(n.info.blocks.size());
        std::vector<double> saved;
        for (int i = 0; i < count; ++i) saved.push_back(full - n.flops({{n.hook(skipped(std::to_string(i))), 0, 3}}));
        double sum = 0, half = 0;
        std::string everySecond;
        for (int i = 0; i < count; ++i) {
            QVERIFY(saved[std::size_t(i)] > 0);
            sum += saved[std::size_t(i)];
            if (i % 2 == 0) continue;
            half += saved[std::size_t(i)];
            everySecond += (everySecond.empty() ? "" : ",") + std::to_string(i);
        }
        QVERIFY(std::abs(sum - blocks) < 1e-9 * full);
        const auto hook = n.hook(skipped(everySecond));
        QVERIFY(std::abs(full - n.flops({{hook, 0, 3}}) - half) < 1e-9 * full);
        QVERIFY(std::abs(full - n.flops({{hook, 1, 1}}) - half / 3) < 1e-9 * full);  // of one row of three
        // Attention and feed-forward together are the block.
        const double attention = full - n.flops({{n.hook(skipped("all", "attention")), 0, 3}}),
                     feedForward = full - n.flops({{n.hook(skipped("all", "feed_forward")), 0, 3}});
        QVERIFY(attention > 0 && feedForward > 0);
        QVERIFY(std::abs(attention + feedForward - blocks) < 1e-9 * full);
        const auto milliseconds = [&](const std::vector<Acting>& acting) {
            n.run(acting);
            QElapsedTimer timer;
            timer.start();
            for (int i = 0; i < 5; ++i) n.run(acting);
            return double(timer.nsecsElapsed()) / 5e6;
        };
        qInfo("%s: %.1f %% of the operations of the blocks are skipped; full %.2f ms, half %.2f ms, no blocks %.2f ms",
              qPrintable(name), 100 * half / blocks, milliseconds({}), milliseconds({{hook, 0, 3}}),
              milliseconds({{n.hook(skipped("all")), 0, 3}}));
    }

    // Hooks apply in the order in which they were added.
    void orderOfHooks() {
        const nn::Site site{SelfAttention, "attn1", 0, 2};
        const auto tensor = [&](std::uint32_t seed) {
            return upload(*m_backend, HostTensor::fromFloats({2, 6, 8}, random(96, seed)));
        };
        const Tensor q = tensor(1), k = tensor(2), v = tensor(3);
        const auto run = [&](const std::vector<std::pair<double, double>>& affine) {
            nn::Hooks hooks;
            for (const auto& [a, b] : affine) hooks.add(std::make_shared<Affine>(a, b), 1, 1);
            const nn::Pass pass({2, 3}, {Tensor(*m_backend, {2, 1})}, {}, hooks);
            return download(pass.attend(site, q, k, v));
        };
        const HostTensor plain = run({}), shiftFirst = run({{1, 0.5}, {2, 0}}), scaleFirst = run({{2, 0}, {1, 0.5}});
        for (std::int64_t i = 0; i < 48; ++i) {
            QCOMPARE(shiftFirst.at(i), plain.at(i));
            QVERIFY(std::abs(shiftFirst.at(48 + i) - (plain.at(48 + i) + 0.5) * 2) < 1e-6);
            QVERIFY(std::abs(scaleFirst.at(48 + i) - (plain.at(48 + i) * 2 + 0.5)) < 1e-6);
        }
    }
    // The first that does not compute decides; later ones are not consulted for these rows, and hooks of the sites
    // inside are not reached.
    void firstDecisionCounts() {
        const Network n = loadNetwork(*m_backend, "sprites-dit");
        const int count = int(n.info.blocks.size());
        const auto computes = std::make_shared<Decider>(Block, nn::Decision{}),
                   skips = std::make_shared<Decider>(Block, nn::Decision{nn::Decision::Skip, {}}),
                   late = std::make_shared<Decider>(Block, nn::Decision{}),
                   inside = std::make_shared<Decider>(FeedForward, nn::Decision{});
        const HostTensor got = n.run({{computes, 0, 3}, {skips, 0, 2}, {late, 0, 3}, {inside, 0, 3}});
        QCOMPARE(computes->queries, 2 * count);  // rows 0 and 1, row 2
        QCOMPARE(skips->queries, count);
        QCOMPARE(late->queries, count);
        QCOMPARE(inside->queries, count);
        QVERIFY(got.rows(2, 1).sameBits(n.run().rows(2, 1)));
        QVERIFY(got.rows(0, 2).sameBits(n.run({{n.hook(skipped("all")), 0, 3}}).rows(0, 2)));
    }
    // A reused residual is added as it is.
    void reuseAddsTheResidual() {
        const nn::Site site{FeedForward, "ff"};
        const auto tensor = [&](std::uint32_t seed, std::int64_t rows) {
            return upload(*m_backend, HostTensor::fromFloats({rows, 4, 8}, random(std::size_t(rows * 32), seed)));
        };
        const Tensor x = tensor(1, 3), kept = tensor(2, 1);
        const HostTensor before = download(x), residual = download(kept);
        nn::Hooks hooks;
        hooks.add(std::make_shared<Decider>(FeedForward, nn::Decision{nn::Decision::Reuse, kept}), 1, 1);
        const nn::Pass pass({2, 2}, {Tensor(*m_backend, {3, 1})}, {}, hooks);
        std::vector<std::int64_t> computed;
        const HostTensor y = download(pass.residual(site, x, [&](const nn::Pass& p, const Tensor& part) {
            computed.push_back(part.rows());
            if (p.vectors().rows() != part.rows()) qFatal("a pass and its rows do not fit");
            return combine({{3, part}});  // in other memory
        }));
        QCOMPARE(computed, (std::vector<std::int64_t>{1, 1}));
        for (std::int64_t i = 0; i < 32; ++i) {
            QVERIFY(std::abs(y.at(i) - 3 * before.at(i)) < 1e-6);
            QVERIFY(std::abs(y.at(32 + i) - before.at(32 + i) - residual.at(i)) < 1e-6);
            QVERIFY(std::abs(y.at(64 + i) - 3 * before.at(64 + i)) < 1e-6);
        }
    }
    // Interventions of different runs that say the same share their computation; those with a memory do not.
    void alikeHooksShareTheirRows() {
        const Network n = loadNetwork(*m_backend, "sprites-dit");
        const nn::Site* site = nullptr;
        for (const nn::Site* s : n.network->sites())
            if (s->kind == SelfAttention && s->block == 1) site = s;
        const auto runsOf = [&](const Choice& a, const Choice& b) {
            nn::Hooks hooks;
            hooks.add(n.hook(a), 0, 2);
            hooks.add(n.hook(b), 2, 1);
            return hooks.runs(*site, 0, 4).size();
        };
        const Choice one{"perturbed_attention", {{"layers", std::string("1")}}},
            two{"perturbed_attention", {{"layers", std::string("1,2")}}},
            reuse{"feature_reuse", {{"layers", std::string("1")}, {"part", std::string("attention")}}};
        QCOMPARE(runsOf(one, one), std::size_t(2));  // rows 0 … 2, row 3
        QCOMPARE(runsOf(one, two), std::size_t(3));
        QCOMPARE(runsOf(reuse, reuse), std::size_t(4));  // each row for itself
        // One hook for two groups of rows, which it knows by their offsets.
        nn::Hooks hooks;
        const auto hook = n.hook(reuse);
        hooks.add(hook, 3, 2, 2);
        hooks.add(hook, 0, 2);
        const auto runs = hooks.runs(*site, 0, 5);
        QCOMPARE(runs.size(), std::size_t(5));
        QCOMPARE(runs[0].first - runs[0].hooks[0].origin, std::int64_t(0));
        QCOMPARE(runs[1].first - runs[1].hooks[0].origin, std::int64_t(1));
        QCOMPARE(runs[3].first - runs[3].hooks[0].origin, std::int64_t(2));
    }

    // An architecture that no intervention was written for: its blocks are sites all the same.
    void classConditionalTransformer() {
        DiTConfig config;
        config.width = 48;
        config.layers = 4;
        config.heads = 3;
        config.gridHeight = config.gridWidth = 4;
        config.classes = 5;
        const auto net = makeRandomDiT(config, *m_backend, DType::F32);
        ModelInfo info;
        for (const nn::Site* s : net->sites())
            if (s->kind == Block) info.blocks.push_back({s->path, s->heads, 4, 4, 16});
        QCOMPARE(info.blocks.size(), std::size_t(4));
        const Tensor x = upload(*m_backend, HostTensor::fromFloats({2, 8, 8, 4}, random(512, 3)));
        const std::vector<double> times{700, 20};
        const std::vector<int> classes{2, 5};
        const auto run = [&](const Choice& c, double* flops = nullptr) {
            nn::Hooks hooks;
            if (!c.id.empty()) hooks.add(makeHook(c, {info, {}}), 0, 1);
            kernels::Trace trace;
            m_backend->setTrace(&trace);
            const HostTensor y = download(net->forward(x, times, classes, hooks));
            m_backend->setTrace(nullptr);
            if (flops) *flops = 0;
            for (const auto& op : trace)
                if (flops) *flops += op.flops;
            return y;
        };
        double full = 0, half = 0, none = 0;
        const HostTensor plain = run({}, &full);
        run(skipped("all"), &none);
        run(skipped("0,3"), &half);
        QVERIFY(std::abs((full - half) * 2 - (full - none)) < 1e-9 * full);
        for (const Choice& c : {Choice{"perturbed_attention", {}}, Choice{"smoothed_attention", {}}, skipped("1"),
                                Choice{"mute_head", {{"head", std::int64_t(2)}}}}) {
            const HostTensor y = run(c);
            QVERIFY2(y.rows(1, 1).sameBits(plain.rows(1, 1)), c.id.c_str());
            QVERIFY2(largestDifference(y, plain) > 1e-5, c.id.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestSites)
#include "tst_sites.moc"
