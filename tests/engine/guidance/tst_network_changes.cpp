// What guidance changes inside a network (PAG, SEG, SLG, NAG, distilled guidance; FreeU: tst_free_u) and looks at
// (SAG), on single layers and on the built-in U-Net and diffusion transformer.
#include <QtTest>
#include <cmath>
#include <functional>

#include "engine/core/resources.h"
#include "engine/models/architectures/pixart.h"
#include "engine/models/architectures/unet.h"
#include "engine/models/diffusers_folder.h"
#include "engine/models/layers/row_interventions.h"
#include "engine/models/model.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/guidance/network_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using Edit = Intervention::AttentionEdit;
using Attention = Intervention::Attention;
using Part = Intervention::Part;

InterventionPtr shared(Intervention c) { return std::make_shared<const Intervention>(std::move(c)); }
InterventionPtr edited(std::vector<Edit> edits) {
    Intervention c;
    c.attention = std::move(edits);
    return shared(c);
}

// Weights with some of them changed.
class EditedWeights final : public WeightSource {
public:
    EditedWeights(WeightSource& source, std::function<void(const std::string&, std::vector<float>&)> edit)
        : m_source(source), m_edit(std::move(edit)) {}
    bool has(const std::string& name) const override { return m_source.has(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override {
        const HostWeight w = m_source.read(name, shape);
        std::vector<float> v = w.floats();
        m_edit(name, v);
        return HostWeight::fromFloats(w.shape, std::move(v));
    }

private:
    WeightSource& m_source;
    std::function<void(const std::string&, std::vector<float>&)> m_edit;
};

void zero(std::vector<float>& v) { std::fill(v.begin(), v.end(), 0.0f); }

}  // namespace

class TestNetworkChanges : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    // --- one layer: 2 rows, a 4 × 3 grid, 2 heads of 4 ---
    static constexpr int rows = 2, height = 4, width = 3, tokens = 12, channels = 8, heads = 2;
    Tensor fused() {
        return upload(*m_backend,
                      HostTensor::fromFloats({rows, tokens, 3 * channels}, random(rows * tokens * 3 * channels, 1)));
    }
    HostTensor attend(const Tensor& f, std::vector<InterventionPtr> changes, AttentionCapture* capture = nullptr) {
        Tensor y(*m_backend, {rows, tokens, channels});
        const RowInterventions all(std::move(changes), {});
        selfAttention(*m_backend, {f.view(), heads, 0, height, width}, y, &all, capture);
        return download(y);
    }
    // The same in double precision, with the queries given.
    static std::vector<double> attention(const HostTensor& f,
                                         const std::function<double(int row, int token, int channel)>& query,
                                         std::vector<double>* received = nullptr) {
        const auto value = [&](int r, int t, int part, int c) {
            return f.at((std::int64_t(r) * tokens + t) * 3 * channels + part * channels + c);
        };
        const int d = channels / heads;
        std::vector<double> y(std::size_t(rows * tokens * channels));
        if (received) received->assign(std::size_t(rows * tokens), 0);
        for (int r = 0; r < rows; ++r)
            for (int h = 0; h < heads; ++h)
                for (int q = 0; q < tokens; ++q) {
                    std::vector<double> p(tokens);
                    double sum = 0;
                    for (int k = 0; k < tokens; ++k) {
                        double score = 0;
                        for (int c = 0; c < d; ++c) score += query(r, q, h * d + c) * value(r, k, 1, h * d + c);
                        sum += p[std::size_t(k)] = std::exp(score / std::sqrt(double(d)));
                    }
                    for (int k = 0; k < tokens; ++k) {
                        if (received) (*received)[std::size_t(r * tokens + k)] += p[std::size_t(k)] / sum / heads;
                        for (int c = 0; c < d; ++c)
                            y[std::size_t((r * tokens + q) * channels + h * d + c)] +=
                                p[std::size_t(k)] / sum * value(r, k, 2, h * d + c);
                    }
                }
        return y;
    }

    // --- built-in networks ---
    struct Net {
        std::unique_ptr<TextNetwork> network;
        ModelInfo info;
        Tensor x, text;
        std::vector<double> times;
    };
    void networks() {
        QTest::addColumn<QString>("name");
        QTest::newRow("U-Net") << "sprites-unet";
        QTest::newRow("transformer") << "sprites-dit";
    }
    Net load(const QString& name, const std::function<void(const std::string&, std::vector<float>&)>& edit = {}) {
        const auto folder = DiffusersFolder::open(*findResource("models/" + name.toStdString()));
        auto weights = std::move(*FileWeights::open(folder.component(folder.networkName), "diffusion_pytorch_model"));
        EditedWeights changed(
            *weights, edit ? edit : [](const std::string&, std::vector<float>&) {});
        NetworkBuilder builder(*m_backend, changed, DType::F32);
        Net n;
        n.info = *inspectModel("builtin:" + name.toStdString());
        if (name == "sprites-unet") n.network = std::make_unique<UNet>(unetConfig(folder.network, "test"), builder);
        else n.network = std::make_unique<PixArt>(pixArtConfig(folder.network, "test"), builder);
        const Shape s = n.info.stateShape;
        n.x = upload(*m_backend, HostTensor::fromFloats({3, s[0], s[1], s[2]}, random(std::size_t(3 * s.count()), 5)));
        std::vector<Tensor> texts;
        for (std::uint32_t r = 0; r < 3; ++r)
            texts.push_back(
                n.network->prepareText(upload(*m_backend, HostTensor::fromFloats({24, 64}, random(24 * 64, 10 + r)))));
        n.text = stackRows(texts);
        n.times = {400, 400, 700};
        return n;
    }
    HostTensor run(const Net& n, std::vector<InterventionPtr> changes = {}, Tensor avoided = {}) {
        const RowInterventions all(std::move(changes), std::move(avoided));
        return download(n.network->forward(n.x, n.times, n.text, nullptr, &all));
    }

private slots:
    void identityAttentionIsTheValues() {
        const Tensor f = fused();
        const HostTensor host = download(f), y = attend(f, {edited({{0, Attention::Identity}}), nullptr}),
                         plain = attend(f, {});
        for (int t = 0; t < tokens; ++t)
            for (int c = 0; c < channels; ++c)
                QCOMPARE(y.at(t * channels + c), host.at(t * 3 * channels + 2 * channels + c));
        QVERIFY(y.rows(1, 1).sameBits(plain.rows(1, 1)));
        // An edit of another block does nothing.
        QVERIFY(attend(f, {edited({{7, Attention::Identity}}), nullptr}).sameBits(plain));
    }
    void blurredQueries_data() {
        QTest::addColumn<double>("sigma");
        for (double s : {0.05, 0.4, 1.0, 2.5}) QTest::addRow("%g", s) << s;
        QTest::newRow("infinite") << infinity;
    }
    void blurredQueries() {
        QFETCH(double, sigma);
        const Tensor f = fused();
        const HostTensor host = download(f), y = attend(f, {edited({{0, Attention::BlurredQueries, sigma}}),
                                                            edited({{0, Attention::BlurredQueries, sigma}})});
        // The kernel: ⌈6σ⌉ taps made odd, at most the side made odd, mirrored without the edge.
        const auto weights = [&](int n, int i) {
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
        };
        const auto query = [&](int r, int t, int c) {
            const auto wy = weights(height, t / width), wx = weights(width, t % width);
            double q = 0;
            for (int y2 = 0; y2 < height; ++y2)
                for (int x2 = 0; x2 < width; ++x2)
                    q += wy[std::size_t(y2)] * wx[std::size_t(x2)]
                         * host.at((std::int64_t(r) * tokens + y2 * width + x2) * 3 * channels + c);
            return q;
        };
        const auto expected = attention(host, query);
        for (std::int64_t i = 0; i < y.count(); ++i) QVERIFY(std::abs(y.at(i) - expected[std::size_t(i)]) < 2e-5);
        if (std::isinf(sigma))  // every query is the mean of all, so every token gets the same
            for (int t = 1; t < tokens; ++t)
                for (int c = 0; c < channels; ++c) QVERIFY(std::abs(y.at(t * channels + c) - y.at(c)) < 1e-5);
        if (sigma == 0.05) QVERIFY(largestDifference(y, attend(f, {})) < 1e-6);  // one tap: no blur at all
    }
    void selfMass() {  // what each token receives, 1 on average; the output is the same bits
        const Tensor f = fused();
        std::vector<double> received;
        const HostTensor host = download(f);
        attention(
            host, [&](int r, int t, int c) { return host.at((std::int64_t(r) * tokens + t) * 3 * channels + c); },
            &received);
        TapRequest request;
        request.selfBlocks = {std::nullopt, 0};
        TapResult tapped;
        AttentionCapture capture(request, {}, rows, tapped);
        QVERIFY(capture.wanted());
        QVERIFY(attend(f, {}, &capture).sameBits(attend(f, {})));
        QVERIFY(!tapped.selfMass[0]);
        double sum = 0;
        for (int t = 0; t < tokens; ++t) {
            QVERIFY(std::abs(tapped.selfMass[1].at(t) - received[std::size_t(tokens + t)]) < 1e-5);
            sum += tapped.selfMass[1].at(t);
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
        const Tensor q =
            upload(*m_backend, HostTensor::fromFloats({rows, tokens, channels}, random(rows * tokens * channels, 2)));
        const auto text = [&](std::uint32_t seed) {
            return upload(*m_backend, HostTensor::fromFloats({rows, words, 2 * channels},
                                                             random(rows * words * 2 * channels, seed)));
        };
        const Tensor own = text(3), other = text(4);
        const auto attendTo = [&](const Tensor& t, const RowInterventions* changes) {
            kernels::AttentionArgs a;
            a.q = q;
            a.k = View{t.view().data, DType::F32, {rows, words, channels}};
            a.v = View{static_cast<float*>(t.view().data) + channels, DType::F32, {rows, words, channels}};
            a.kStride = a.vStride = 2 * channels;
            a.heads = heads;
            a.scale = 0.5f;
            Tensor y(*m_backend, {rows, tokens, channels});
            crossAttention(*m_backend, a, y, changes, 0, nullptr, 0);
            return download(y);
        };
        Intervention change;
        change.nag = Intervention::Nag{nullptr, scale, tau, alpha};
        const RowInterventions changes({shared(change), nullptr}, other);
        const HostTensor z = attendTo(own, nullptr), away = attendTo(other, nullptr), got = attendTo(own, &changes);
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

    // The blocks a plan knows without weights are those of the loaded network.
    void blocksAreTheSites_data() { networks(); }
    void blocksAreTheSites() {
        QFETCH(QString, name);
        const Net n = load(name);
        const auto sites = n.network->sites(int(n.info.stateShape[0]), int(n.info.stateShape[1]), 24);
        QCOMPARE(n.info.blocks.size(), sites.size());
        for (std::size_t i = 0; i < sites.size(); ++i) {
            QCOMPARE(n.info.blocks[i].path + ".attn2", sites[i].path);
            QCOMPARE(n.info.blocks[i].heads, sites[i].heads);
            QCOMPARE(n.info.blocks[i].height, sites[i].height);
            QCOMPARE(n.info.blocks[i].width, sites[i].width);
        }
    }
    // A skipped part is the network whose residual of that part is zero; the rows beside it are the same bits as
    // without any change.
    void skippedParts_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("part");
        for (const char* name : {"sprites-unet", "sprites-dit"})
            for (int p = 0; p < 3; ++p)
                QTest::addRow("%s %s", name, (const char*[]){"block", "attention", "feed-forward"}[p])
                    << QString(name) << p;
    }
    void skippedParts() {
        QFETCH(QString, name);
        QFETCH(int, part);
        const Net n = load(name);
        const int block = int(n.info.blocks.size()) / 2;
        const std::string path = n.info.blocks[std::size_t(block)].path;
        const Net without = load(name, [&](const std::string& weight, std::vector<float>& v) {
            if (!weight.starts_with(path + ".")) return;
            const bool attention = weight.find("attn1.to_out.0") != std::string::npos
                                   || weight.find("attn2.to_out.0") != std::string::npos,
                       feedForward = weight.find("ff.net.2") != std::string::npos;
            if ((part != 2 && attention) || (part != 1 && feedForward)) zero(v);
        });
        Intervention change;
        change.skipped = {{block, Part(part)}};
        const HostTensor plain = run(n), skipped = run(n, {nullptr, shared(change), nullptr}), expected = run(without);
        QVERIFY(skipped.rows(0, 1).sameBits(plain.rows(0, 1)) && skipped.rows(2, 1).sameBits(plain.rows(2, 1)));
        QVERIFY(largestDifference(skipped.rows(1, 1), expected.rows(1, 1)) < 2e-5);
        QVERIFY(largestDifference(skipped.rows(1, 1), plain.rows(1, 1)) > 1e-3);
    }
    // With identity attention in every block, queries and keys do not matter; other rows do not notice.
    void identityEverywhereNeedsNoQueries_data() { networks(); }
    void identityEverywhereNeedsNoQueries() {
        QFETCH(QString, name);
        const Net n = load(name), blind = load(name, [](const std::string&weight, std::vector<float>&v) {
                                      if (weight.find("attn1.to_q") != std::string::npos
                                          || weight.find("attn1.to_k") != std::string::npos)
                                          zero(v);
                                  });
        std::vector<Edit> everywhere;
        for (int i = 0; i < int(n.info.blocks.size()); ++i) everywhere.push_back({i, Attention::Identity});
        const auto change = edited(everywhere);
        const HostTensor plain = run(n), one = run(n, {nullptr, nullptr, change}),
                         all = run(n, {change, change, change}), other = run(blind, {change, change, change});
        QVERIFY(one.rows(0, 2).sameBits(plain.rows(0, 2)));
        QVERIFY(one.rows(2, 1).sameBits(all.rows(2, 1)));
        QVERIFY(all.sameBits(other));
        QVERIFY(largestDifference(all, plain) > 1e-3);
    }
    void avoidedTextInNetworks_data() { networks(); }
    void avoidedTextInNetworks() {
        QFETCH(QString, name);
        const Net n = load(name);
        Intervention change;
        change.nag = Intervention::Nag{nullptr, 5, 1.5, 0.5};
        const Tensor others[] = {n.text.slice(1, 1), n.text.slice(2, 1), n.text.slice(0, 1)};
        const HostTensor plain = run(n), same = run(n, {shared(change), nullptr, nullptr}, n.text),
                         away = run(n, {shared(change), nullptr, nullptr}, stackRows(others));
        QVERIFY(largestDifference(same, plain) < 1e-4);  // away from the own text is nowhere
        QVERIFY(largestDifference(away.rows(0, 1), plain.rows(0, 1)) > 1e-4);
        QVERIFY(away.rows(1, 2).sameBits(plain.rows(1, 2)));
    }

    // Telling a network its guidance scale adds P·e(w) before the first layer of the time embedding: the same as moving
    // that layer's bias.
    void toldGuidance() {
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
        // Random weights come in the order in which they are read, so the plain network reads a projection too and
        // leaves it.
        std::vector<float> matrix;
        EditedWeights networkTau(first, withProjection);
        NetworkBuilder toldBuilder(*m_backend, networkTau, DType::F32);
        UNet plain(config, toldBuilder);
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
        const Tensor x = upload(*m_backend, HostTensor::fromFloats({2, 8, 8, 4}, random(512, 6))),
                     text = plain.prepareText(upload(*m_backend, HostTensor::fromFloats({5, 64}, random(320, 7))));
        const Tensor texts[] = {text, text};
        const Tensor both = stackRows(texts);
        const std::vector<double> times{300, 300};
        Intervention change;
        change.guidance = w;
        const RowInterventions changes({shared(change), nullptr}, {});
        const HostTensor without = download(plain.forward(x, times, both, nullptr, nullptr)),
                         with = download(plain.forward(x, times, both, nullptr, &changes)),
                         expected = download(shifted.forward(x, times, both, nullptr, nullptr));
        QVERIFY(with.rows(1, 1).sameBits(without.rows(1, 1)));
        QVERIFY(largestDifference(with.rows(0, 1), expected.rows(0, 1)) < 1e-4);
        QVERIFY(largestDifference(with.rows(0, 1), without.rows(0, 1)) > 1e-3);
    }
};

QTEST_GUILESS_MAIN(TestNetworkChanges)
#include "tst_network_changes.moc"
