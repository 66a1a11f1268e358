// Every intervention against an explicit computation, on single layers and inside the built-in U-Net and diffusion
// transformer; FreeU: tests/engine/guidance/tst_free_u.cpp; reuse: tst_reuse.cpp.
#include "engine/interventions/attention_store.h"
#include "engine/interventions/self_attention_mass.h"
#include "tests/engine/interventions/layer_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Choice perturbed(const std::string& layers) { return {"perturbed_attention", {{"layers", layers}}}; }
Choice smoothed(const std::string& layers, double sigma) {
    Choice c{"smoothed_attention", {{"layers", layers}}};
    if (!std::isinf(sigma)) c.params["blur"] = sigma;
    return c;
}
Choice muted(const std::string& layers, const std::string& attention, int head, double scale) {
    return {"mute_head",
            {{"layers", layers}, {"attention", attention}, {"head", std::int64_t(head)}, {"scale", scale}}};
}
Choice nag(double scale, double tau, double alpha) {
    return {"nag", {{"scale", scale}, {"tau", tau}, {"alpha", alpha}}};
}

// Weights with which positions 0 … n − 1 of a side give place i its blurred value: ⌈6σ⌉ taps made odd, at most the side
// made odd, mirrored without the edge.
std::vector<double> blurWeights(int n, int i, double sigma) {
    std::vector<double> w(static_cast<std::size_t>(n), std::isinf(sigma) ? 1.0 / n : 0.0);
    if (std::isinf(sigma)) return w;
    int taps = int(std::ceil(6 * sigma));
    taps = std::min(taps + 1 - taps % 2, n - (n % 2 - 1));
    double sum = 0;
    for (int o = -taps / 2; o <= taps / 2; ++o) sum += std::exp(-0.5 * o * o / (sigma * sigma));
    for (int o = -taps / 2; o <= taps / 2; ++o) {
        int at = std::abs(i + o);
        if (at >= n) at = 2 * (n - 1) - at;
        w[std::size_t(at)] += std::exp(-0.5 * o * o / (sigma * sigma)) / sum;
    }
    return w;
}

HostTensor plainBlur(const HostTensor& q, nn::Grid grid, double sigma) {
    const std::int64_t n = q.shape()[1], c = q.shape()[2];
    std::vector<double> out(std::size_t(q.count()));
    for (std::int64_t t = 0; t < n; ++t) {
        const auto wy = blurWeights(grid.height, int(t) / grid.width, sigma),
                   wx = blurWeights(grid.width, int(t) % grid.width, sigma);
        for (int y = 0; y < grid.height; ++y)
            for (int x = 0; x < grid.width; ++x)
                for (std::int64_t r = 0; r < q.shape()[0]; ++r)
                    for (std::int64_t e = 0; e < c; ++e)
                        out[std::size_t((r * n + t) * c + e)] +=
                            wy[std::size_t(y)] * wx[std::size_t(x)] * q.at((r * n + y * grid.width + x) * c + e);
    }
    return HostTensor::fromDoubles(q.shape(), out);
}

// Notes q, k and v before the hooks behind it and compares the output after those before it with a plain computation.
struct Checker {
    using Expected = std::function<std::vector<double>(const nn::SiteCall&, const HostTensor& q, const HostTensor& k,
                                                       const HostTensor& v)>;
    explicit Checker(Expected expected) : m_expected(std::move(expected)) { before->owner = after->owner = this; }
    double worst = 0;
    int visits = 0;

    struct Before final : nn::SiteHook {
        Checker* owner = nullptr;
        bool actsAt(const nn::Site& s) const override { return s.heads > 0 && s.kind != nn::SiteKind::Skip; }
        void attending(const nn::SiteCall&, nn::Attention& a) override {
            owner->m_q = download(a.q);
            owner->m_k = download(a.k);
            owner->m_v = download(a.v);
        }
    };
    struct After final : nn::SiteHook {
        Checker* owner = nullptr;
        bool actsAt(const nn::Site& s) const override { return s.heads > 0 && s.kind != nn::SiteKind::Skip; }
        void attended(const nn::SiteCall& call, const nn::Attention&, const Tensor& y) override {
            const HostTensor got = download(y);
            const auto expected = owner->m_expected(call, owner->m_q, owner->m_k, owner->m_v);
            double largest = 1e-3;
            for (double v : expected) largest = std::max(largest, std::abs(v));
            for (std::int64_t i = 0; i < got.count(); ++i)
                owner->worst = std::max(owner->worst, std::abs(got.at(i) - expected[std::size_t(i)]) / largest);
            ++owner->visits;
        }
    };
    std::shared_ptr<Before> before = std::make_shared<Before>();
    std::shared_ptr<After> after = std::make_shared<After>();

private:
    Expected m_expected;
    HostTensor m_q, m_k, m_v;
};

}  // namespace

class TestInterventions : public QObject, LayerBench {
    Q_OBJECT
private slots:
    void tableIsSound() {
        std::vector<std::string> ids;
        for (const InterventionInfo& i : interventions()) {
            QVERIFY2(!i.id.empty() && !i.label.empty() && !i.summary.empty() && !i.source.empty() && i.make,
                     i.id.c_str());
            QVERIFY2(std::find(ids.begin(), ids.end(), i.id) == ids.end(), i.id.c_str());
            ids.push_back(i.id);
            // Defaults make a hook for a network that has what it needs; stateless ones describe themselves.
            if (i.spans) QVERIFY(i.hasMemory);
            const Network n = loadNetwork(*m_backend, "sprites-unet");
            const auto made = n.hook({i.id, {}}, n.context.slice(0, 1));
            QCOMPARE(made->description.has_value(), !i.hasMemory);
            if (resolveParams(i.params, {{"layers", std::string("middle")}}, "").ok())
                QVERIFY_THROWS_EXCEPTION(Failure, n.hook({i.id, {{"layers", std::string("nowhere")}}}));
        }
        QVERIFY_THROWS_EXCEPTION(Failure, hook({"unheard_of", {}}));
        QVERIFY_THROWS_EXCEPTION(Failure, hook(muted("0", "self", heads, 0)));
        QVERIFY_THROWS_EXCEPTION(Failure, hook({"freeu", {}}));   // no skip connections
        QVERIFY_THROWS_EXCEPTION(Failure, hook(nag(5, 2, 0.5)));  // no text
    }

    void identityAttentionIsTheValues() {
        const Tensor f = fused();
        const HostTensor host = download(f), y = attend(f, {{hook(perturbed("0"))}}), plain = attend(f);
        for (int t = 0; t < tokens; ++t)
            for (int c = 0; c < channels; ++c)
                QCOMPARE(y.at(t * channels + c), host.at(t * 3 * channels + 2 * channels + c));
        QVERIFY(y.rows(1, 1).sameBits(plain.rows(1, 1)));
        // At another block it does nothing.
        m_info.blocks.push_back(m_info.blocks.front());
        QVERIFY(attend(f, {{hook(perturbed("1"))}}).sameBits(plain));
        m_info.blocks.pop_back();
        // Who observes sees the identity: every token receives what it gives.
        const auto mass = std::make_shared<SelfAttentionMass>(0);
        QVERIFY(attend(f, {{hook(perturbed("0"))}, {mass}}).sameBits(y));
        for (int t = 0; t < tokens; ++t) QVERIFY(std::abs(mass->take(0).at(t) - 1) < 1e-6);
    }
    void blurredQueries_data() {
        QTest::addColumn<double>("sigma");
        for (double s : {0.05, 0.4, 1.0, 2.5}) QTest::addRow("%g", s) << s;
        QTest::newRow("infinite") << infinity;
    }
    void blurredQueries() {
        QFETCH(double, sigma);
        const Tensor f = fused();
        const auto [q, k, v] = nn::chunk<3>(f);
        const HostTensor y = attend(f, {{hook(smoothed("0", sigma)), 0, 1}, {hook(smoothed("0", sigma)), 1, 1}});
        const auto expected =
            plainAttention(plainBlur(download(q), {height, width}, sigma), download(k), download(v), heads);
        for (std::int64_t i = 0; i < y.count(); ++i) QVERIFY(std::abs(y.at(i) - expected[std::size_t(i)]) < 2e-5);
        if (std::isinf(sigma))  // every query is the mean of all, so every token gets the same
            for (int t = 1; t < tokens; ++t)
                for (int c = 0; c < channels; ++c) QVERIFY(std::abs(y.at(t * channels + c) - y.at(c)) < 1e-5);
        if (sigma == 0.05) QVERIFY(largestDifference(y, attend(f)) < 1e-6);  // one tap: no blur at all
    }
    void mutedHead() {
        const Tensor f = fused();
        const HostTensor y = attend(f, {{hook(muted("0", "self", 1, 0)), 1, 1}}), plain = attend(f);
        QVERIFY(y.rows(0, 1).sameBits(plain.rows(0, 1)));
        for (int t = 0; t < tokens; ++t)
            for (int c = 0; c < channels; ++c) {
                const std::int64_t at = (tokens + t) * channels + c;
                QCOMPARE(y.at(at), c < channels / heads ? plain.at(at) : 0.0);
            }
        QVERIFY(attend(f, {{hook(muted("0", "self", 1, 1)), 0, 2}}).sameBits(plain));
        QVERIFY(attend(f, {{hook(muted("0", "cross", 1, 0)), 0, 2}}).sameBits(plain));
    }
    void selfMass() {  // what each token receives, 1 on average; the output has the same bits
        const Tensor f = fused();
        const auto [q, k, v] = nn::chunk<3>(f);
        std::vector<double> received;
        plainAttention(download(q), download(k), download(v), heads, &received);
        const auto mass = std::make_shared<SelfAttentionMass>(0), elsewhere = std::make_shared<SelfAttentionMass>(3);
        QVERIFY(attend(f, {{mass, 1, 1}, {elsewhere, 0, 2}}).sameBits(attend(f)));
        QVERIFY(!mass->take(0) && !elsewhere->take(1));
        double sum = 0;
        for (int t = 0; t < tokens; ++t) {
            QVERIFY(std::abs(mass->take(1).at(t) - received[std::size_t(tokens + t)]) < 1e-5);
            sum += mass->take(1).at(t);
        }
        QVERIFY(std::abs(sum - tokens) < 1e-4);
    }
    void avoidedPrompt_data() {
        QTest::addColumn<double>("scale");
        QTest::addColumn<double>("tau");
        QTest::addColumn<double>("alpha");
        QTest::newRow("usual") << 5.0 << 1.5 << 0.5;
        QTest::newRow("no cap") << 3.0 << 1e6 << 1.0;
        QTest::newRow("tight cap") << 8.0 << 1.0 << 1.0;
        QTest::newRow("off by scale") << 1.0 << 1.5 << 0.5;
        QTest::newRow("off by alpha") << 5.0 << 1.5 << 0.0;
    }
    void avoidedPrompt() {
        QFETCH(double, scale);
        QFETCH(double, tau);
        QFETCH(double, alpha);
        constexpr int words = 5;
        const Tensor q = randomTensor({rows, tokens, channels}, 2), own = randomTensor({rows, words, 2 * channels}, 3),
                     other = randomTensor({1, words, 2 * channels}, 4);
        const Tensor others[] = {other, other};
        const auto attendTo = [&](const Tensor& text, const std::vector<Acting>& acting) {
            const auto [k, v] = nn::chunk<2>(text);
            return attend(m_cross, q, k, v, acting);
        };
        const HostTensor z = attendTo(own, {}), away = attendTo(stackRows(others), {}),
                         got = attendTo(own, {{hook(nag(scale, tau, alpha), other), 0, 1}});
        QVERIFY(got.rows(1, 1).sameBits(z.rows(1, 1)));
        for (int t = 0; t < tokens; ++t) {
            double norm = 0, guidedNorm = 0;
            std::vector<double> guided(channels);
            for (int c = 0; c < channels; ++c) {
                guided[std::size_t(c)] = scale * z.at(t * channels + c) - (scale - 1) * away.at(t * channels + c);
                norm += std::abs(z.at(t * channels + c));
                guidedNorm += std::abs(guided[std::size_t(c)]);
            }
            const double factor = std::min(1.0, tau * norm / guidedNorm);
            for (int c = 0; c < channels; ++c)
                QVERIFY(std::abs(got.at(t * channels + c)
                                 - (alpha * factor * guided[std::size_t(c)] + (1 - alpha) * z.at(t * channels + c)))
                        < 1e-5);
        }
    }

    // The attention of every block of both networks, by plain loops beside what the network computed.
    void explicitAttention_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("intervention");
        for (const char* name : {"sprites-unet", "sprites-dit"})
            for (const char* i : {"none", "identity", "blur 0.7", "blur infinite", "head"})
                QTest::addRow("%s %s", name, i) << QString(name) << QString(i);
    }
    void explicitAttention() {
        QFETCH(QString, name);
        QFETCH(QString, intervention);
        const Network n = loadNetwork(*m_backend, name);
        const double sigma = intervention.endsWith("infinite") ? infinity : 0.7;
        const int head = 1;
        Checker checker([&](const nn::SiteCall& call, const HostTensor& q, const HostTensor& k, const HostTensor& v) {
            const bool isSelf = call.site.kind == nn::SiteKind::SelfAttention;
            if (intervention == "identity" && isSelf) return v.toDoubles();
            auto y = plainAttention(intervention.startsWith("blur") && isSelf ? plainBlur(q, call.grid, sigma) : q, k,
                                    v, call.site.heads);
            const std::size_t c = std::size_t(q.shape()[2]), d = c / std::size_t(call.site.heads);
            for (std::size_t i = 0; intervention == "head" && i < y.size(); ++i)
                if (i % c / d == std::size_t(head)) y[i] *= -0.5;
            return y;
        });
        std::vector<Acting> acting{{checker.before, 1, 1}};
        if (intervention == "identity") acting.push_back({n.hook(perturbed("all")), 1, 1});
        if (intervention.startsWith("blur")) acting.push_back({n.hook(smoothed("all", sigma)), 1, 1});
        if (intervention == "head") acting.push_back({n.hook(muted("all", "all", head, -0.5)), 1, 1});
        acting.push_back({checker.after, 1, 1});
        const HostTensor plain = n.run(), changed = n.run(acting);
        QCOMPARE(checker.visits, 2 * int(n.info.blocks.size()));
        QVERIFY2(checker.worst < 2e-5, qPrintable(QString::number(checker.worst)));
        QVERIFY(changed.rows(0, 1).sameBits(plain.rows(0, 1)) && changed.rows(2, 1).sameBits(plain.rows(2, 1)));
        QCOMPARE(changed.rows(1, 1).sameBits(plain.rows(1, 1)), intervention == "none");
    }

    // A skipped part is the network whose residual of that part is zero; the rows beside it have the same bits as
    // without any intervention.
    void skippedParts_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("part");
        for (const char* name : {"sprites-unet", "sprites-dit"})
            for (const char* part : {"block", "attention", "feed_forward"})
                QTest::addRow("%s %s", name, part) << QString(name) << QString(part);
    }
    void skippedParts() {
        QFETCH(QString, name);
        QFETCH(QString, part);
        const Network n = loadNetwork(*m_backend, name);
        const int block = int(n.info.blocks.size()) / 2;
        const std::string path = n.info.blocks[std::size_t(block)].path;
        const Network without = loadNetwork(*m_backend, name, [&](const std::string& weight, std::vector<float>& v) {
            if (!weight.starts_with(path + ".")) return;
            const bool attention = weight.find("attn1.to_out.0") != std::string::npos
                                   || weight.find("attn2.to_out.0") != std::string::npos,
                       feedForward = weight.find("ff.net.2") != std::string::npos;
            if ((part != "feed_forward" && attention) || (part != "attention" && feedForward)) zero(v);
        });
        const Choice skip{"skip", {{"layers", std::to_string(block)}, {"part", part.toStdString()}}};
        const HostTensor plain = n.run(), skipped = n.run({{n.hook(skip), 1, 1}}), expected = without.run();
        QVERIFY(skipped.rows(0, 1).sameBits(plain.rows(0, 1)) && skipped.rows(2, 1).sameBits(plain.rows(2, 1)));
        QVERIFY(largestDifference(skipped.rows(1, 1), expected.rows(1, 1)) < 2e-5);
        QVERIFY(largestDifference(skipped.rows(1, 1), plain.rows(1, 1)) > 1e-3);
    }
    // With identity attention in every block, queries and keys do not matter; other rows do not change.
    void identityEverywhereNeedsNoQueries_data() { networkNames(); }
    void identityEverywhereNeedsNoQueries() {
        QFETCH(QString, name);
        const Network n = loadNetwork(*m_backend, name),
                      blind = loadNetwork(*m_backend, name, [](const std::string&weight, std::vector<float>&v) {
                          if (weight.find("attn1.to_q") != std::string::npos
                              || weight.find("attn1.to_k") != std::string::npos)
                              zero(v);
                      });
        const HostTensor plain = n.run(), one = n.run({{n.hook(perturbed("all")), 2, 1}}),
                         all = n.run({{n.hook(perturbed("all")), 0, 3}}),
                         other = blind.run({{blind.hook(perturbed("all")), 0, 3}});
        QVERIFY(one.rows(0, 2).sameBits(plain.rows(0, 2)));
        QVERIFY(one.rows(2, 1).sameBits(all.rows(2, 1)));
        QVERIFY(all.sameBits(other));
        QVERIFY(largestDifference(all, plain) > 1e-3);
    }
    // Scaling a head is scaling the columns of the output projection that read it.
    void headsAreColumnsOfTheProjection_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("attention");
        for (const char* name : {"sprites-unet", "sprites-dit"})
            for (const char* a : {"self", "cross"}) QTest::addRow("%s %s", name, a) << QString(name) << QString(a);
    }
    void headsAreColumnsOfTheProjection() {
        QFETCH(QString, name);
        QFETCH(QString, attention);
        const Network n = loadNetwork(*m_backend, name);
        const int block = int(n.info.blocks.size()) / 2, head = n.info.blocks[std::size_t(block)].heads - 1;
        const std::string matrix = n.info.blocks[std::size_t(block)].path
                                   + (attention == "self" ? ".attn1.to_out.0.weight" : ".attn2.to_out.0.weight");
        for (const double scale : {0.0, 3.0}) {
            const Network edited = loadNetwork(*m_backend, name, [&](const std::string& w, std::vector<float>& v) {
                if (w != matrix) return;
                const std::size_t c = std::size_t(std::lround(std::sqrt(double(v.size())))),
                                  d = c / std::size_t(head + 1);
                for (std::size_t i = 0; i < v.size(); ++i)
                    if (i % c / d == std::size_t(head)) v[i] *= float(scale);
            });
            const auto mute = n.hook(muted(std::to_string(block), attention.toStdString(), head, scale));
            const HostTensor got = n.run({{mute, 0, 2}}), plain = n.run();
            QVERIFY(got.rows(2, 1).sameBits(plain.rows(2, 1)));
            QVERIFY(largestDifference(got.rows(0, 2), edited.run().rows(0, 2)) < 2e-5);
            QVERIFY(largestDifference(got.rows(0, 2), plain.rows(0, 2)) > 1e-4);
        }
    }
    void avoidedTextInNetworks_data() { networkNames(); }
    void avoidedTextInNetworks() {
        QFETCH(QString, name);
        const Network n = loadNetwork(*m_backend, name);
        const Choice how = nag(5, 1.5, 0.5);
        const HostTensor plain = n.run(), same = n.run({{n.hook(how, n.context.slice(0, 1)), 0, 1}}),
                         away = n.run({{n.hook(how, n.context.slice(1, 1)), 0, 1}});
        QVERIFY(largestDifference(same, plain) < 1e-4);  // away from the own text is nowhere
        QVERIFY(largestDifference(away.rows(0, 1), plain.rows(0, 1)) > 1e-4);
        QVERIFY(away.rows(1, 2).sameBits(plain.rows(1, 2)));
    }

    // A guidance scale adds P·e(w) before the first layer of the time embedding: the same as moving that layer's bias.
    void guidanceScale() {
        UNetConfig config = unetConfig({{"sample_size", 8},
                                        {"block_out_channels", {32, 64}},
                                        {"down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D"}},
                                        {"up_block_types", {"CrossAttnUpBlock2D", "UpBlock2D"}},
                                        {"layers_per_block", 1},
                                        {"cross_attention_dim", 64},
                                        {"attention_head_dim", 4},
                                        {"norm_num_groups", 8},
                                        {"time_cond_proj_dim", 16}},
                                       "test");
        QCOMPARE(config.guidanceWidth, 16);
        const double w = 4.5;
        RandomWeights first, second;
        const std::vector<float> projection = RandomWeights(9).read("p.weight", {32, 16}).floats();
        const auto withProjection = [&](const std::string& name, std::vector<float>& v) {
            if (name == "time_embedding.cond_proj.weight") v = projection;
        };
        // Random weights come in the order in which they are read, so both networks read a projection.
        std::vector<float> matrix;
        EditedWeights projected(first, withProjection);
        NetworkBuilder builder(*m_backend, projected, DType::F32);
        UNet plain(config, builder);
        EditedWeights moved(second, [&](const std::string& name, std::vector<float>& v) {
            withProjection(name, v);
            if (name == "time_embedding.linear_1.weight") matrix = v;
            if (name != "time_embedding.linear_1.bias") return;
            for (std::size_t out = 0; out < v.size(); ++out)
                for (std::size_t k = 0; k < 32; ++k)
                    for (std::size_t e = 0; e < 16; ++e) {
                        const double angle = 1000 * (w - 1) * std::exp(-std::log(10000.0) * double(e % 8) / 7);
                        v[out] += float(matrix[out * 32 + k] * projection[k * 16 + e]
                                        * (e < 8 ? std::sin(angle) : std::cos(angle)));
                    }
        });
        NetworkBuilder movedBuilder(*m_backend, moved, DType::F32);
        UNet shifted(config, movedBuilder);
        const Tensor x = randomTensor({2, 8, 8, 4}, 6), one = randomTensor({1, 5, 64}, 7);
        const Conditions text = plain.prepare({{{condition::context, one}}}), both = stacked({&text, &text});
        const nn::Hooks none;
        const std::vector<double> times{300, 300};
        const std::vector<std::optional<double>> scales{w, std::nullopt};
        const HostTensor without = download(plain.forward({x, times, both, none})),
                         with = download(plain.forward({x, times, both, none, scales})),
                         expected = download(shifted.forward({x, times, both, none}));
        QVERIFY(with.rows(1, 1).sameBits(without.rows(1, 1)));
        QVERIFY(largestDifference(with.rows(0, 1), expected.rows(0, 1)) < 1e-4);
        QVERIFY(largestDifference(with.rows(0, 1), without.rows(0, 1)) > 1e-3);
    }
};

QTEST_GUILESS_MAIN(TestInterventions)
#include "tst_interventions.moc"
