// Flow transformers of every family against diffusers: small ones with random weights
// (tests/golden/flow_transformers), two rows at different times, images that are not square; and hooks at their blocks.
#include <QtTest>
#include <cmath>
#include <set>

#include "engine/models/architectures/architecture.h"
#include "engine/weights/quantised.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/models/trunk_check.h"

using namespace meander;

namespace {

const std::vector<const char*> names{"flux_dev",  "flux_schnell", "chroma",  "sd3",    "sd35_medium",
                                     "flux2_dev", "qwen_image",   "z_image", "lumina2"};

HostTensor tensorIn(const WeightFile& file, const std::string& name) {
    const HostWeight w = file.read(name);
    return HostTensor::fromFloats(w.shape, w.floats());
}

// The largest difference, relative to the root mean square of the expected values.
double relativeDifference(const HostTensor& a, const HostTensor& b) {
    if (a.shape() != b.shape()) return 1e9;
    double worst = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        const double d = std::abs(a.at(i) - b.at(i));
        if (!std::isfinite(d)) return 1e9;
        worst = std::max(worst, d);
        square += b.at(i) * b.at(i);
    }
    return worst / std::sqrt(square / double(b.count()));
}

// ‖a − b‖ / ‖b‖ over all elements.
double relativeError(const HostTensor& a, const HostTensor& b) {
    double off = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        off += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
        square += b.at(i) * b.at(i);
    }
    return std::sqrt(off / square);
}

// A network, its golden input and output.
struct Case {
    Case(Backend& backend, const std::string& name, DType type) {
        auto opened = FileWeights::open(MEANDER_SOURCE_DIR "/tests/golden/flow_transformers/" + name + ".safetensors");
        if (!opened) qFatal("%s", opened.error().text.c_str());
        weights = std::move(*opened);
        const WeightFile& file = weights->files().front();
        config = *parseJson(file.metadata().at("config"), "config");
        times = parseJson(file.metadata().at("times"), "times")->get<std::vector<double>>();
        const Architecture* architecture = findArchitecture(file.metadata().at("class"));
        if (!architecture) qFatal("no architecture %s", file.metadata().at("class").c_str());
        architecture->describe(config, "the test's configuration", info);
        NetworkBuilder builder(backend, *weights, type);
        net = architecture->build(config, "the test's configuration", builder);
        Conditions raw;
        for (const char* key : {condition::context, condition::pooled})
            if (const std::string tensor = std::string("golden.") + key; file.entries().contains(tensor))
                raw.tensors[key] = upload(backend, tensorIn(file, tensor));
        one = net->prepare(raw);
        if (file.entries().contains("golden.guidance"))
            for (const double g : tensorIn(file, "golden.guidance").toDoubles()) guidance.emplace_back(g);
        x = upload(backend, tensorIn(file, "golden.x"));
        y = tensorIn(file, "golden.y");
    }
    HostTensor output(const nn::Hooks& hooks = {}) const {
        const Conditions both = stacked({&one, &one});
        return download(net->forward({x, times, both, hooks, guidance}));
    }

    std::unique_ptr<FileWeights> weights;
    Json config;
    std::vector<double> times;
    ModelInfo info;
    std::unique_ptr<Denoiser> net;
    Conditions one;
    std::vector<std::optional<double>> guidance;
    Tensor x;
    HostTensor y;
};

// Leaves out the residual branches of some blocks, of one kind.
class Skipping final : public nn::SiteHook {
public:
    Skipping(nn::SiteKind kind, int firstBlock) : m_kind(kind), m_first(firstBlock) {}
    bool actsAt(const nn::Site& site) const override { return site.kind == m_kind && site.block >= m_first; }
    nn::Decision before(const nn::SiteCall&) override { return {nn::Decision::Skip, {}}; }

private:
    nn::SiteKind m_kind;
    int m_first;
};

// Observes the residuals and probabilities at the joint attentions.
class Observing final : public nn::SiteHook {
public:
    bool actsAt(const nn::Site& site) const override { return site.kind == nn::SiteKind::JointAttention; }
    bool observesResidual(const nn::SiteCall&) const override { return true; }
    void after(const nn::SiteCall& c, const Tensor& residual) override {
        sites.insert(c.site.path);
        for (const double r : rmsRows(residual)) smallest = std::min(smallest, r);
    }
    bool needsProbabilities(const nn::SiteCall&) const override { return true; }
    void attended(const nn::SiteCall&, const nn::Attention& a, const Tensor&) override {
        shape = a.probabilities.shape();
        const std::vector<double> p = download(a.probabilities).toDoubles();
        const double rows = double(shape[0] * shape[1] * shape[2]);
        for (const double value : p) sum += value / rows;
    }
    std::set<std::string> sites;
    double smallest = 1e9, sum = 0;
    Shape shape;
};

// The values of another source as plain F32.
class Widened final : public WeightSource {
public:
    explicit Widened(std::shared_ptr<WeightSource> source) : m_source(std::move(source)) {}
    bool has(const std::string& name) const override { return m_source->has(name); }
    HostWeight read(const std::string& name, const Shape& shape) override {
        return HostWeight::fromFloats(shape, m_source->read(name, shape).floats());
    }

private:
    std::shared_ptr<WeightSource> m_source;
};

std::size_t count(const kernels::Trace& trace, kernels::Operation o) {
    return std::size_t(std::count_if(trace.begin(), trace.end(), [&](const auto& op) { return op.kind == o; }));
}

}  // namespace

class TestFlowTransformers : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    void eachNetwork() {
        QTest::addColumn<QString>("name");
        for (const char* name : names) QTest::newRow(name) << name;
    }
    std::size_t attentions(const Case& c, const nn::Hooks& hooks) {
        kernels::Trace trace;
        m_backend->setTrace(&trace);
        c.output(hooks);
        m_backend->setTrace(nullptr);
        return count(trace, kernels::Operation::Attention);
    }

private slots:
    void parity_data() { eachNetwork(); }
    void parity() {
        QFETCH(QString, name);
        const Case exact(*m_backend, name.toStdString(), DType::F32),
            coarse(*m_backend, name.toStdString(), DType::BF16);
        const HostTensor rounded = coarse.output();
        const double f32 = relativeDifference(exact.output(), exact.y), bf16 = relativeDifference(rounded, coarse.y),
                     whole = relativeError(rounded, coarse.y);
        qInfo("%s: f32 %.1e, bf16 %.1e of the root mean square, at the worst element; bf16 over all elements %.1e",
              qPrintable(name), f32, bf16, whole);
        QVERIFY2(f32 < 1e-5, qPrintable(QString::number(f32)));
        // Weights rounded to bf16 alone, all else exact, cost up to 0.015 at the worst element and 5e-3 over all.
        QVERIFY2(bf16 < 0.05, qPrintable(QString::number(bf16)));
        QVERIFY2(whole < 1e-2, qPrintable(QString::number(whole)));
    }

    // What a configuration says agrees with what is built from it, and every weight of the file is read.
    void description_data() { eachNetwork(); }
    void description() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        std::vector<std::string> blocks;
        for (const nn::Site* s : c.net->sites())
            if (s->kind == nn::SiteKind::Block) blocks.push_back(s->path);
        QCOMPARE(blocks.size(), c.info.blocks.size());
        for (std::size_t i = 0; i < blocks.size(); ++i) QCOMPARE(c.info.blocks[i].path, blocks[i]);
        std::int64_t stored = 0;
        for (const auto& [key, entry] : c.weights->files().front().entries())
            if (!key.starts_with("golden.")) stored += entry.count;
        QCOMPARE(c.net->parameters, stored);
        QCOMPARE(c.info.takesGuidance, !c.guidance.empty());
    }

    // Every trunk is a site, and one that is kept is not computed again.
    void trunks_data() { eachNetwork(); }
    void trunks() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const std::string fault =
            test::trunkFault(*m_backend, *c.net, c.info, [&](const nn::Hooks& hooks) { return c.output(hooks); });
        QVERIFY2(fault.empty(), fault.c_str());
    }

    // Joint attention finds its text before its image: a word scaled to nothing receives nothing from the image, all
    // else of the maps stays, and a row without the hook keeps its bits.
    void scaledWord_data() { eachNetwork(); }
    void scaledWord() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        struct Watching final : nn::SiteHook {
            int joint = 0;
            double scaled = 0, others = 0;
            bool isRight = true;
            bool actsAt(const nn::Site& s) const override { return s.kind == nn::SiteKind::JointAttention; }
            bool needsProbabilities(const nn::SiteCall&) const override { return true; }
            void attended(const nn::SiteCall& call, const nn::Attention& a, const Tensor&) override {
                ++joint;
                const HostTensor p = download(a.probabilities);
                const std::int64_t n = p.shape()[2], places = std::int64_t(call.grid.height) * call.grid.width;
                isRight = isRight && call.text > 0 && call.text + places <= n && n < call.text + places + 64;
                for (std::int64_t q = 0; q < n; ++q) {
                    const bool isImage = q >= call.text && q < call.text + places;
                    (isImage ? scaled : others) += p.at(q * n + 1);
                }
            }
        };
        const std::vector<Token> tokens{{0, "a", false, 0, 0, 1}, {1, "b", false, 1, 2, 3}};
        ModelInfo info = c.info;
        info.conditioning = ConditioningKind::Text;
        const auto watching = std::make_shared<Watching>();
        nn::Hooks hooks;
        hooks.add(makeHook({"scale_token", {{"word", std::string("b")}, {"scale", 0.0}}}, {info, {}, &tokens}), 1, 1);
        hooks.add(watching, 1, 1);
        const HostTensor plain = c.output({}), got = c.output(hooks);
        QVERIFY(watching->joint > 0 && watching->isRight);
        QCOMPARE(watching->scaled, 0.0);
        QVERIFY(watching->others > 0);
        QVERIFY(got.rows(0, 1).sameBits(plain.rows(0, 1)));
        QVERIFY(!got.rows(1, 1).sameBits(plain.rows(1, 1)));
    }

    // Half of the blocks skipped: they are not computed, and a row without the hook keeps its bits.
    void skippedBlocks_data() { eachNetwork(); }
    void skippedBlocks() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const int half = int(c.info.blocks.size()) / 2;
        nn::Hooks all, second;
        all.add(std::make_shared<Skipping>(nn::SiteKind::Block, half), 0, 2);
        second.add(std::make_shared<Skipping>(nn::SiteKind::Block, half), 1, 1);
        std::size_t kept = 0;
        for (const nn::Site* s : c.net->sites())
            kept +=
                s->block < half && (s->kind == nn::SiteKind::JointAttention || s->kind == nn::SiteKind::SelfAttention);
        QCOMPARE(attentions(c, all), kept);
        QVERIFY(attentions(c, {}) > kept);
        const HostTensor plain = c.output(), skipped = c.output(all), mixed = c.output(second);
        QVERIFY(mixed.rows(0, 1).sameBits(plain.rows(0, 1)));
        QVERIFY(mixed.rows(1, 1).sameBits(skipped.rows(1, 1)));
        QVERIFY(relativeDifference(skipped, plain) > 1e-3);
    }

    // The branches inside a block are skipped apart.
    void skippedBranches_data() { eachNetwork(); }
    void skippedBranches() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const HostTensor plain = c.output();
        std::vector<HostTensor> outputs;
        for (const auto kind : {nn::SiteKind::JointAttention, nn::SiteKind::FeedForward, nn::SiteKind::Block}) {
            nn::Hooks all, second;
            all.add(std::make_shared<Skipping>(kind, 0), 0, 2);
            second.add(std::make_shared<Skipping>(kind, 0), 1, 1);
            outputs.push_back(c.output(all));
            const HostTensor mixed = c.output(second);
            QVERIFY(mixed.rows(0, 1).sameBits(plain.rows(0, 1)));
            QVERIFY(mixed.rows(1, 1).sameBits(outputs.back().rows(1, 1)));
            QVERIFY(relativeDifference(outputs.back(), plain) > 1e-3);
        }
        QVERIFY(relativeDifference(outputs[0], outputs[1]) > 1e-3);
        QVERIFY(relativeDifference(outputs[0], outputs[2]) > 1e-3);
    }

    void observedAttention_data() { eachNetwork(); }
    void observedAttention() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        auto hook = std::make_shared<Observing>();
        nn::Hooks hooks;
        hooks.add(hook, 0, 2);
        QVERIFY(relativeDifference(c.output(hooks), c.output()) < 1e-5);
        std::size_t joint = 0;
        for (const nn::Site* site : c.net->sites()) joint += site->kind == nn::SiteKind::JointAttention;
        QCOMPARE(hook->sites.size(), joint);
        QVERIFY(hook->smallest > 0.01);
        // Every token of text and image attends to all. Z-Image pads the image (and the prepared text) to 32 tokens.
        const std::int64_t text = c.one.at(condition::context).shape()[1], granule = c.info.state.granule,
                           patches = c.x.shape()[1] * c.x.shape()[2] / (granule * granule),
                           image = name == "z_image" ? (patches + 31) / 32 * 32 : patches;
        QCOMPARE(hook->shape[2], text + image);
        QCOMPARE(hook->shape[3], text + image);
        QVERIFY(std::abs(hook->sum / double(hook->sites.size()) - 1) < 1e-4);
    }

    // bytesPerRow against the memory that a call of a larger state takes, where the tokens outweigh everything else.
    void memory_data() { eachNetwork(); }
    void memory() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const int side = name.startsWith("sd3") ? 32 : 48;  // SD3's table of positions ends there
        const Tensor x(*m_backend, {4, side, side, c.x.shape()[3]});
        m_backend->fill(x, 0.5);
        const Conditions all = stacked({&c.one, &c.one, &c.one, &c.one});
        const std::vector<double> times(4, 500.0);
        const nn::Hooks none;
        m_backend->trim();
        const std::size_t before = m_backend->memoryUse().current;
        m_backend->resetPeak();
        c.net->forward({x, times, all, none, {}});
        const double measured = double(m_backend->memoryUse().peak - before) / 4,
                     said = double(c.net->bytesPerRow(side, side));
        qInfo("%s: %.0f bytes per row, said %.0f", qPrintable(name), measured, said);
        QVERIFY(said > 0.75 * measured && said < 1.35 * measured);
    }

    // Matrices in blocks, of which the networks take rows and columns, mean the same as their values in F32.
    void storedWeights_data() {
        QTest::addColumn<QString>("className");
        QTest::addColumn<QString>("axes");
        QTest::newRow("flux") << "FluxTransformer2DModel"
                              << "[8, 12, 12]";
        QTest::newRow("flux2") << "Flux2Transformer2DModel"
                               << "[8, 8, 8, 8]";
    }
    void storedWeights() {
        QFETCH(QString, className);
        QFETCH(QString, axes);
        const Json config = {{"num_layers", 1},           {"num_single_layers", 2},
                             {"num_attention_heads", 2},  {"attention_head_dim", 32},
                             {"joint_attention_dim", 32}, {"pooled_projection_dim", 32},
                             {"in_channels", 64},         {"axes_dims_rope", *parseJson(axes.toStdString(), "axes")}};
        const auto random = [&](Shape s) {
            const Tensor t(*m_backend, s);
            std::vector<kernels::NoiseAddress> rows;
            for (std::int64_t r = 0; r < s[0]; ++r) rows.push_back({.seed = std::uint64_t(5 + r)});
            m_backend->normal(rows, t);
            return t;
        };
        const Tensor text = random({1, 3, 32}), pooled = random({1, 32});
        const auto output = [&](WeightSource& source) {
            NetworkBuilder builder(*m_backend, source, DType::F32);
            const auto net = findArchitecture(className.toStdString())->build(config, "a test", builder);
            const Conditions one = net->prepare({{{condition::context, text}, {condition::pooled, pooled}}});
            const int channels = className.startsWith("Flux2") ? 64 : 16;
            const double times[] = {500.0};
            const nn::Hooks none;
            return download(net->forward({random({1, 4, 4, channels}), times, one, none, {}}));
        };
        const auto stored = [] {
            return std::make_shared<Quantised>(std::make_shared<RandomWeights>(), WeightFormat::Q8_0);
        };
        RandomWeights exact;
        Widened widened(stored());
        const HostTensor same = output(widened);
        QVERIFY(relativeDifference(output(*stored()), same) < 1e-5);
        const double rounding = relativeDifference(output(exact), same);
        QVERIFY2(rounding > 1e-4 && rounding < 0.1, qPrintable(QString::number(rounding)));
    }

    void partsThatDoNotFit_data() { eachNetwork(); }
    void partsThatDoNotFit() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const auto filled = [&](Shape s) {
            return upload(*m_backend, HostTensor::fromFloats(s, std::vector<float>(std::size_t(s.count()), 0.5f)));
        };
        QVERIFY_THROWS_EXCEPTION(Failure, c.net->prepare({{{condition::context, filled({1, 5, 999})}}}));
        QVERIFY_THROWS_EXCEPTION(Failure, c.net->prepare({}));
        const Conditions both = stacked({&c.one, &c.one});
        const nn::Hooks none;
        if (c.info.state.granule > 1)
            QVERIFY_THROWS_EXCEPTION(
                Failure, c.net->forward({filled({2, 5, 6, c.x.shape()[3]}), c.times, both, none, c.guidance}));
        int damages = 0;
        for (const char* key : {"num_attention_heads", "attention_head_dim", "n_heads", "dim", "hidden_size",
                                "in_channels", "axes_dims_rope", "axes_dims", "axes_dim_rope"}) {
            if (!c.config.contains(key)) continue;
            Json damaged = c.config;
            damaged[key] = damaged[key].is_array() ? Json::array({4, 4}) : Json(-1);
            ModelInfo info;
            const auto* a = findArchitecture(c.weights->files().front().metadata().at("class"));
            QVERIFY_THROWS_EXCEPTION(Failure, a->describe(damaged, "a test", info));
            ++damages;
        }
        QVERIFY(damages >= 3);
    }
};

QTEST_GUILESS_MAIN(TestFlowTransformers)
#include "tst_flow_transformers.moc"
