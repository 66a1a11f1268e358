// What is not computed again: features over the steps, merged tokens, keys of the text; on single layers and inside the
// built-in networks.
#include "tests/engine/interventions/layer_bench.h"

using namespace meander;
using namespace meander::bench;

class TestReuse : public QObject, LayerBench {
    Q_OBJECT
private slots:
    // A reused residual is the one that was computed before, and costs nothing.
    void reusedFeatures_data() { networkNames(); }
    void reusedFeatures() {
        QFETCH(QString, name);
        Network n = loadNetwork(*m_backend, name);
        const auto reuse = [&](int every) {
            return n.hook({"feature_reuse", {{"layers", std::string("all")}, {"every", std::int64_t(every)}}});
        };
        const HostTensor plain = n.run();
        const double full = n.flops(), none = n.flops({{n.hook({"skip", {{"layers", std::string("all")}}}), 0, 3}});
        QVERIFY(n.run({{reuse(1), 0, 3}}).sameBits(plain));
        const auto hook = reuse(3);
        const std::vector<Acting> acting{{hook, 0, 2}};
        QVERIFY(n.run(acting, true).sameBits(plain));  // failed: not remembered
        QVERIFY(n.run(acting).sameBits(plain));        // computed
        const HostTensor again = n.run(acting);        // of the same input: x + f(x) but for rounding
        QVERIFY(largestDifference(again, plain) < 2e-5);
        QVERIFY(again.rows(2, 1).sameBits(plain.rows(2, 1)));
        n.times = {200, 300, 700};  // other residuals, had they been computed
        const HostTensor other = n.run(), failed = n.run(acting, true), reused = n.run(acting);
        QVERIFY(reused.sameBits(failed));
        QVERIFY(largestDifference(reused.rows(0, 2), other.rows(0, 2)) > 1e-4);
        QVERIFY(n.run(acting).sameBits(other));  // the fourth evaluation computes again
        QVERIFY(std::abs(n.flops(acting) - (full - (full - none) * 2 / 3)) < 1e-9 * full);
    }

    // What is below a site of a trunk: reused as it was computed, row by row, and not computed.
    void trunks_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("id");
        for (const char* name : {"sprites-unet", "sprites-dit"})
            for (const char* id : {"deep_cache", "first_block_cache", "tea_cache", "sea_cache", "taylor_seer"})
                if (QString(id) != "deep_cache" || QString(name) == "sprites-unet")
                    QTest::addRow("%s %s", name, id) << QString(name) << QString(id);
    }
    void trunks() {
        QFETCH(QString, name);
        QFETCH(QString, id);
        Network n = loadNetwork(*m_backend, name);
        Choice choice{id.toStdString(), {}};
        const bool hasThreshold = id.endsWith("block_cache") || id == "tea_cache" || id == "sea_cache";
        if (hasThreshold) choice.params = {{"threshold", 50.0}, {"most", std::int64_t(2)}};
        else choice.params = {{"every", std::int64_t(3)}};
        const HostTensor plain = n.run();
        const double full = n.flops();
        const auto hook = n.hook(choice);
        const std::vector<Acting> acting{{hook, 0, 2}};
        QVERIFY(n.run(acting, true).sameBits(plain));  // failed: not remembered
        const double first = n.flops(acting);          // computed
        QVERIFY(std::abs(first - full) < 0.01 * full);
        QVERIFY(largestDifference(n.run(acting), plain) < 2e-5);  // reused, of the same input
        n.times = {200, 300, 700};
        const HostTensor other = n.run(), reused = n.run(acting);
        QVERIFY(largestDifference(reused.rows(0, 2), other.rows(0, 2)) > 1e-4);
        QVERIFY(reused.rows(2, 1).sameBits(other.rows(2, 1)));
        QVERIFY(n.run(acting).sameBits(other));  // the fourth evaluation computes again
        // Of a row of three, the two that were reused are saved: what the hook says is what the trace misses.
        const auto counted = n.hook(choice);
        n.flops({{counted, 0, 2}});
        const double less = n.flops({{counted, 0, 2}}), saved = *counted->savedFlops(0) + *counted->savedFlops(1);
        QVERIFY2(saved > 0.2 * full && std::abs(full - less - saved) < 0.02 * full, qPrintable(QString::number(saved)));
        QVERIFY(!counted->savedFlops(2));
    }
    // Rows decide for themselves, and know themselves by their offsets however a call is divided.
    void rowsDecideForThemselves() {
        Network n = loadNetwork(*m_backend, "sprites-dit");
        const Choice choice{"first_block_cache", {{"threshold", 1e-6}}};
        const auto whole = n.hook(choice), divided = n.hook(choice);
        n.times = {400, 400, 700};
        n.run({{whole, 0, 3}});
        for (int r = 0; r < 3; ++r) {
            nn::Hooks hooks;
            hooks.add(divided, 0, 1, r);
            hooks.starting();
            n.network->forward({n.x.slice(r, 1),
                                std::span(n.times).subspan(std::size_t(r), 1),
                                {{{condition::context, n.context.slice(r, 1)}}},
                                hooks});
            hooks.completed();
        }
        n.times = {400, 390, 700};  // rows 0 and 2 as before
        const HostTensor a = n.run({{whole, 0, 3}}), b = n.run({{divided, 0, 3}});
        QVERIFY(a.sameBits(b));
        const HostTensor plain = n.run();
        QVERIFY(a.rows(1, 1).sameBits(plain.rows(1, 1)));
        QVERIFY(!a.rows(0, 1).sameBits(plain.rows(0, 1)) && !a.rows(2, 1).sameBits(plain.rows(2, 1)));
        QVERIFY(largestDifference(a, plain) < 2e-5);
    }
    // TaylorSeer on features that are a polynomial of the evaluation: exact for its order.
    void taylorSeries() {
        const nn::Site site{nn::SiteKind::Trunk, "trunk.0", 0};
        m_info.trunks = 4;
        for (const int order : {0, 1, 2}) {
            const auto hook =
                makeHook({"taylor_seer", {{"every", std::int64_t(3)}, {"order", std::int64_t(order)}}}, {m_info, {}});
            const auto exact = [&](double k) {
                return order == 0 ? 2.0 : order == 1 ? 2 - 0.5 * k : 2 - 0.5 * k + k * k;
            };
            double worst = 0;
            for (int k = 0; k < 12; ++k) {
                nn::Hooks hooks;
                hooks.add(hook, 0, 1);
                hooks.starting();
                const nn::Pass pass({2, 2}, {Tensor(*m_backend, {1, 1})}, {}, hooks);
                const Tensor x = randomTensor({1, 4, 8}, 3);
                const HostTensor before = download(x);
                const auto rest = [&](const nn::Pass&, const Tensor& t) {
                    const Tensor f(*m_backend, t.shape());
                    m_backend->fill(f, exact(k));
                    return combine({{1, t}, {1, f}});
                };
                const HostTensor y =
                    download(pass.trunk(site, x, rest, [](const nn::Pass&, const Tensor& t) { return t; }));
                hooks.completed();
                if (k >= 3 * (order + 1)) worst = std::max(worst, std::abs(y.at(0) - before.at(0) - exact(k)));
            }
            // The first difference is that in the middle of the last interval, 1.5 · 2 below the slope of the parabola
            // at its end, which the two evaluations that follow add up.
            const double expected = order < 2 ? 0 : 6;
            QVERIFY2(std::abs(worst - expected) < 1e-4, qPrintable(QString("order %1: %2").arg(order).arg(worst)));
        }
        m_info.trunks = 0;
    }
    // Nothing merged is plain attention. Where the tokens of every square are equal and all go to its first, attention
    // is that of the firsts alone, and each token has the result of its square.
    void mergedTokens() {
        const Tensor f = fused();
        const HostTensor plain = attend(f);
        const auto merging = [&](double ratio) { return hook({"token_merging", {{"ratio", ratio}}}); };
        QVERIFY(largestDifference(attend(f, {{merging(0), 0, 1}, {merging(0), 1, 1}}), plain) < 1e-5);
        QVERIFY(largestDifference(attend(f, {{merging(0.5), 0, 1}}), plain) > 1e-3);
        constexpr int firsts[] = {0, 2, 6, 8}, squares = 4, wide = 3 * channels;
        const auto squareOf = [](int t) { return t / width / 2 * 2 + t % width / 2; };
        const std::vector<float> values = download(f).toFloats();
        std::vector<float> same(values.size()), few(std::size_t(rows * squares * wide));
        const auto row = [&](int r, int t) { return values.begin() + (r * tokens + firsts[squareOf(t)]) * wide; };
        for (int r = 0; r < rows; ++r)
            for (int t = 0; t < tokens; ++t) {
                std::copy_n(row(r, t), wide, same.begin() + (r * tokens + t) * wide);
                std::copy_n(row(r, t), wide, few.begin() + (r * squares + squareOf(t)) * wide);
            }
        const HostTensor merged = attend(upload(*m_backend, HostTensor::fromFloats({rows, tokens, wide}, same)),
                                         {{merging(0.75), 0, 1}, {merging(0.75), 1, 1}});
        const auto [q, k, v] = nn::chunk<3>(upload(*m_backend, HostTensor::fromFloats({rows, squares, wide}, few)));
        const HostTensor alone = download(nn::attend({q, k, v, heads}));
        for (int r = 0; r < rows; ++r)
            for (int t = 0; t < tokens; ++t)
                for (int e = 0; e < channels; ++e)
                    QVERIFY(std::abs(merged.at((r * tokens + t) * channels + e)
                                     - alone.at((r * squares + squareOf(t)) * channels + e))
                            < 1e-5);
    }

    // Keys and values of the text are computed once for all evaluations: the bits are those of computing them in each.
    void keysOfTheTextAreComputedOnce_data() { networkNames(); }
    void keysOfTheTextAreComputedOnce() {
        QFETCH(QString, name);
        Network n = loadNetwork(*m_backend, name);
        const Tensor text = upload(*m_backend, HostTensor::fromFloats({1, 24, 64}, random(24 * 64, 10)));
        const Conditions raw{{{condition::context, text}}};
        for (const double t : {700.0, 400.0, 20.0}) {
            n.times = {t, t, t};
            const Tensor again = n.network->prepare(raw).at(condition::context);
            QVERIFY(again.view().data != n.context.view().data);
            QCOMPARE(again.shape()[2], n.info.contextWidth);
            const HostTensor once = n.run();
            const Tensor kept = n.context, parts[] = {again, kept.slice(1, 2)};
            n.context = stackRows(parts);
            QVERIFY(n.run().sameBits(once));
            n.context = kept;
        }
        kernels::Trace trace;
        m_backend->setTrace(&trace);
        n.network->prepare(raw);
        m_backend->setTrace(nullptr);
        double each = 0;
        for (const auto& op : trace) each += op.flops;
        qInfo("%s: %.2f %% of an evaluation is not computed again", qPrintable(name),
              100 * each / (each + n.flops() / 3));
    }

    // They are held as long as a run holds its texts, and not longer: the encoder's answer suffices to make them again.
    void keysOfTheTextAreFreed() {
        const auto model = std::move(*loadModel("builtin:sprites-unet", *m_backend));
        const Shape s = model->info().state.shape;
        const auto use = [&](const ConditioningPtr& c) {
            NetworkBatch b;
            b.x = upload(*m_backend, HostTensor::fromFloats({1, s[0], s[1], s[2]}, random(std::size_t(s.count()), 5)));
            b.times = {400};
            b.taus = b.targets = {1};
            b.conditioning = {c};
            return download(model->predict(b));
        };
        const Prompt prompt{.text = "a red circle on a blue background"};
        HostTensor first;
        {
            const ConditioningPtr c = model->condition(prompt);
            QCOMPARE(model->condition(prompt), c);
            first = use(c);
        }
        model->release();
        const std::size_t idle = m_backend->memoryUse().current,
                          keys = std::size_t(model->info().contextWidth * model->info().textTokens) * sizeof(float);
        {
            const ConditioningPtr again = model->condition(prompt);
            QVERIFY(!again->tokens.empty());
            QVERIFY(use(again).sameBits(first));
            QVERIFY(m_backend->memoryUse().current >= idle + keys);
        }
        model->release();
        QCOMPARE(m_backend->memoryUse().current, idle);
    }
};

QTEST_GUILESS_MAIN(TestReuse)
#include "tst_reuse.moc"
