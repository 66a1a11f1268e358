// Interventions that edit attention and blocks, on single layers against plain loops in double precision: scaled words,
// blended, sharpened and frozen maps, heads alone, and what is taken from a source; in self-, cross- and joint
// attention, on a grid that is not square.
#include "engine/interventions/source_record.h"
#include "engine/nn/pass.h"
#include "tests/engine/interventions/network_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

constexpr int rows = 2, height = 3, width = 4, places = 12, words = 5, channels = 8, heads = 2;

// Probabilities by place in memory: ((row · heads + head) · n + query) · m + key.
struct Maps {
    std::int64_t n = 0, m = 0;
    std::vector<double> p;
    double& at(std::int64_t r, std::int64_t h, std::int64_t i, std::int64_t j) {
        return p[std::size_t(((r * heads + h) * n + i) * m + j)];
    }
};

Maps mapsOf(const HostTensor& q, const HostTensor& k, double temperature = 1) {
    Maps maps{q.shape()[1], k.shape()[1], {}};
    maps.p.resize(std::size_t(rows * heads * maps.n * maps.m));
    const int d = channels / heads;
    for (int r = 0; r < rows; ++r)
        for (int h = 0; h < heads; ++h)
            for (std::int64_t i = 0; i < maps.n; ++i) {
                double sum = 0;
                for (std::int64_t j = 0; j < maps.m; ++j) {
                    double score = 0;
                    for (int e = 0; e < d; ++e)
                        score += q.at((r * maps.n + i) * channels + h * d + e)
                                 * k.at((r * maps.m + j) * channels + h * d + e);
                    sum += maps.at(r, h, i, j) = std::exp(score / std::sqrt(double(d)) / temperature);
                }
                for (std::int64_t j = 0; j < maps.m; ++j) maps.at(r, h, i, j) /= sum;
            }
    return maps;
}

HostTensor valuesOf(Maps maps, const HostTensor& v) {
    std::vector<double> y(std::size_t(rows * maps.n * channels));
    const int d = channels / heads;
    for (int r = 0; r < rows; ++r)
        for (int h = 0; h < heads; ++h)
            for (std::int64_t i = 0; i < maps.n; ++i)
                for (std::int64_t j = 0; j < maps.m; ++j)
                    for (int e = 0; e < d; ++e)
                        y[std::size_t((r * maps.n + i) * channels + h * d + e)] +=
                            maps.at(r, h, i, j) * v.at((r * maps.m + j) * channels + h * d + e);
    return HostTensor::fromDoubles({rows, maps.n, channels}, y);
}

bool isInside(int place, double left, double top, double right, double bottom) {
    const double x = (place % width + 0.5) / width, y = (place / width + 0.5) / height;
    return x >= left && x < right && y >= top && y < bottom;
}

constexpr double tolerance = 1e-5;

}  // namespace

class TestEditing : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});
    const nn::Site m_self{nn::SiteKind::SelfAttention, "attn1", 0, heads},
        m_cross{nn::SiteKind::CrossAttention, "attn2", 0, heads},
        m_joint{nn::SiteKind::JointAttention, "attn", 0, heads};
    ModelInfo m_info = [] {
        ModelInfo info;
        info.conditioning = ConditioningKind::Text;
        info.blocks = {{"block", heads, height, width, places}};
        info.attention = {{"block.attn2", heads, height, width, words}};
        return info;
    }();
    std::vector<Token> m_tokens = [] {
        std::vector<Token> all;
        for (int i = 0; i < words; ++i) all.push_back({i, std::string(1, char('a' + i)), false, i, i, i + 1});
        return all;
    }();
    Tensor m_q, m_k, m_v;

    Tensor random(Shape s, std::uint32_t seed) {
        return upload(*m_backend, HostTensor::fromFloats(s, bench::random(std::size_t(s.count()), seed)));
    }
    void fill(std::int64_t queries, std::int64_t keys, std::uint32_t seed = 1) {
        m_q = random({rows, queries, channels}, seed);
        // Columns of a wider tensor, as networks give them.
        const Tensor both = random({rows, keys, 2 * channels}, seed + 1);
        m_k = both.columns(0, channels);
        m_v = both.columns(channels, channels);
    }
    nn::SiteHookPtr hook(const char* id, Params p, std::shared_ptr<SourceRecord> source = {}) {
        return makeHook({id, std::move(p)}, {m_info, {}, &m_tokens, std::move(source)});
    }
    HostTensor attend(const nn::Site& site, const std::vector<Acting>& acting, std::int64_t text = 0) {
        nn::Hooks hooks;
        for (const Acting& a : acting) hooks.add(a.hook, a.first, a.rows);
        hooks.starting();
        const nn::Pass pass = nn::Pass({height, width}, {Tensor(*m_backend, {rows, 1})}, {}, hooks).behindText(text);
        const HostTensor y = download(pass.attend(site, m_q, m_k, m_v));
        hooks.completed();
        return y;
    }
    Maps maps(double temperature = 1) { return mapsOf(download(m_q), download(m_k), temperature); }
    double error(const HostTensor& got, Maps expected) {
        return largestDifference(got, valuesOf(std::move(expected), download(m_v)));
    }

private slots:
    void scaledWord_data() {
        QTest::addColumn<double>("scale");
        QTest::addColumn<bool>("isNormalised");
        QTest::addColumn<bool>("isRegion");
        QTest::addColumn<bool>("isJoint");
        for (const double scale : {0.0, 0.5, 4.0})
            for (const bool normalised : {false, true})
                for (const bool region : {false, true})
                    for (const bool joint : {false, true})
                        QTest::addRow("%g %s %s %s", scale, normalised ? "one" : "free", region ? "region" : "all",
                                      joint ? "joint" : "cross")
                            << scale << normalised << region << joint;
    }
    void scaledWord() {
        QFETCH(double, scale);
        QFETCH(bool, isNormalised);
        QFETCH(bool, isRegion);
        QFETCH(bool, isJoint);
        isJoint ? fill(words + places, words + places) : fill(places, words);
        const int text = isJoint ? words : 0;
        Params p{{"word", std::string("c")}, {"scale", scale}, {"sum", std::string(isNormalised ? "one" : "free")}};
        if (isRegion) p["region"] = std::vector<double>{0.5, 0, 1, 0.4};
        const nn::Site& site = isJoint ? m_joint : m_cross;
        const HostTensor plain = attend(site, {}), got = attend(site, {{hook("scale_token", p), 1, 1}}, text);
        QVERIFY(got.rows(0, 1).sameBits(plain.rows(0, 1)));
        Maps expected = maps();
        for (int h = 0; h < heads; ++h)
            for (int i = 0; i < places; ++i) {
                if (!isRegion || isInside(i, 0.5, 0, 1, 0.4)) expected.at(1, h, text + i, 2) *= scale;
                double sum = 0;
                for (std::int64_t j = 0; j < expected.m; ++j) sum += expected.at(1, h, text + i, j);
                for (std::int64_t j = 0; isNormalised && j < expected.m; ++j) expected.at(1, h, text + i, j) /= sum;
            }
        QVERIFY(error(got, expected) < tolerance);
        QVERIFY(largestDifference(got, plain) > 0.01);
    }

    // Added to the logits, a factor is its logarithm.
    void scaledWordIsALogit() {
        fill(places, words);
        const HostTensor got = attend(
            m_cross, {{hook("scale_token", {{"word", std::string("b")}, {"scale", 3.0}, {"sum", std::string("one")}}),
                       0, rows}});
        Maps m = maps();
        for (int r = 0; r < rows; ++r)
            for (int h = 0; h < heads; ++h)
                for (int i = 0; i < places; ++i) {
                    double sum = 0;
                    for (int j = 0; j < words; ++j)
                        sum += m.at(r, h, i, j) = std::exp(std::log(m.at(r, h, i, j)) + (j == 1 ? std::log(3.0) : 0));
                    for (int j = 0; j < words; ++j) m.at(r, h, i, j) /= sum;
                }
        QVERIFY(error(got, m) < tolerance);
    }

    // Several stand in the order in which they are listed, and what observes sees what they left.
    void severalStack() {
        fill(places, words);
        const auto scaled = hook("scale_token", {{"word", std::string("b")}, {"scale", 3.0}}),
                   blended = hook("blend_attention", {{"amount", 0.5}, {"layers", std::string("0")}});
        Maps first = maps(), second = maps();
        for (int r = 0; r < rows; ++r)
            for (int h = 0; h < heads; ++h)
                for (int i = 0; i < places; ++i)
                    for (int j = 0; j < words; ++j) {
                        double& p = first.at(r, h, i, j);
                        p = 0.5 * p * (j == 1 ? 3 : 1) + 0.5 / words;
                        double& s = second.at(r, h, i, j);
                        s = (0.5 * s + 0.5 / words) * (j == 1 ? 3 : 1);
                    }
        struct Seen final : nn::SiteHook {
            HostTensor maps;
            bool actsAt(const nn::Site&) const override { return true; }
            bool needsProbabilities(const nn::SiteCall&) const override { return true; }
            void attended(const nn::SiteCall&, const nn::Attention& a, const Tensor&) override {
                maps = download(a.probabilities);
            }
        };
        const auto seen = std::make_shared<Seen>();
        QVERIFY(error(attend(m_cross, {{scaled, 0, rows}, {blended, 0, rows}, {seen, 0, rows}}), first) < tolerance);
        QVERIFY(error(attend(m_cross, {{blended, 0, rows}, {scaled, 0, rows}}), second) < tolerance);
        for (std::size_t i = 0; i < first.p.size(); ++i)
            QVERIFY(std::abs(seen->maps.at(std::int64_t(i)) - first.p[i]) < tolerance);
    }

    void blended_data() {
        QTest::addColumn<bool>("isIdentity");
        QTest::addColumn<double>("amount");
        QTest::addColumn<int>("head");
        for (const bool identity : {false, true})
            for (const double amount : {0.3, 1.0})
                for (const int head : {-1, 1})
                    QTest::addRow("%s %g head %d", identity ? "identity" : "uniform", amount, head)
                        << identity << amount << head;
    }
    void blended() {
        QFETCH(bool, isIdentity);
        QFETCH(double, amount);
        QFETCH(int, head);
        fill(places, places);
        Params p{{"amount", amount},
                 {"with", std::string(isIdentity ? "identity" : "uniform")},
                 {"layers", std::string("0")}};
        if (head >= 0) p["head"] = std::int64_t(head);
        Maps expected = maps();
        for (int r = 0; r < rows; ++r)
            for (int h = 0; h < heads; ++h)
                for (int i = 0; i < places; ++i)
                    for (int j = 0; j < places; ++j)
                        if (head < 0 || h == head) {
                            double& v = expected.at(r, h, i, j);
                            v = (1 - amount) * v + amount * (isIdentity ? double(i == j) : 1.0 / places);
                        }
        QVERIFY(error(attend(m_self, {{hook("blend_attention", p), 0, rows}}), expected) < tolerance);
    }

    void temperature() {
        fill(places, words);
        for (const double t : {0.25, 3.0})
            QVERIFY(error(attend(m_cross, {{hook("attention_temperature", {{"temperature", t}}), 0, rows}}), maps(t))
                    < tolerance);
    }

    void soloIsAllOthersMuted() {
        fill(places, places);
        const HostTensor plain = attend(m_self, {}),
                         solo = attend(m_self, {{hook("mute_head", {{"layers", std::string("0")},
                                                                    {"head", std::int64_t(1)},
                                                                    {"which", std::string("others")}}),
                                                 0, rows}});
        for (std::int64_t i = 0; i < plain.count(); ++i)
            QCOMPARE(solo.at(i), i % channels < channels / heads ? 0.0 : plain.at(i));
    }

    // Maps are those of the first call, values those of each; a call that failed does not count.
    void frozen() {
        const auto frozen = hook("freeze_attention", {});
        fill(places, words, 1);
        const Maps first = maps();
        QVERIFY(error(attend(m_cross, {{frozen, 0, rows}}), first) < tolerance);
        fill(places, words, 7);
        QVERIFY(error(attend(m_cross, {{frozen, 0, rows}}), first) < tolerance);
        fill(places, words + 2, 9);  // another text: its own
        QVERIFY(error(attend(m_cross, {{frozen, 0, rows}}), maps()) < tolerance);
        const auto small = hook("freeze_attention", {{"most", std::int64_t(places - 1)}});
        fill(places, words, 1);
        const HostTensor plain = attend(m_cross, {});
        QVERIFY(attend(m_cross, {{small, 0, rows}}).sameBits(plain));  // fused
    }

    void replacedWords_data() {
        QTest::addColumn<bool>("isJoint");
        QTest::newRow("cross") << false;
        QTest::newRow("joint") << true;
    }
    // The target swaps "b" and has a word more than the source.
    void replacedWords() {
        QFETCH(bool, isJoint);
        const nn::Site& site = isJoint ? m_joint : m_cross;
        constexpr int sourceWords = words - 1;
        const auto source = std::make_shared<SourceRecord>();
        source->tokens.assign(m_tokens.begin(), m_tokens.end() - 1);
        source->tokens[1].text = "z";
        const Params p{{"kind", std::string("replace")}};
        const auto keeper = makeSourceHook({"replace_attention", p}, {m_info, {}, &source->tokens, source});
        isJoint ? fill(sourceWords + places, sourceWords + places, 1) : fill(places, sourceWords, 1);
        const HostTensor before = attend(site, {});
        QVERIFY(attend(site, {{keeper, 0, rows}}, isJoint ? sourceWords : 0).sameBits(before));
        Maps theirs = maps();
        isJoint ? fill(words + places, words + places, 5) : fill(places, words, 5);
        Maps expected = maps();
        const int own = isJoint ? words : 0, other = isJoint ? sourceWords : 0;
        for (int r = 0; r < rows; ++r)
            for (int h = 0; h < heads; ++h)
                for (int i = 0; i < places; ++i) {
                    for (int j = 0; j < sourceWords; ++j) expected.at(r, h, own + i, j) = theirs.at(r, h, other + i, j);
                    double sum = 0;
                    for (std::int64_t j = 0; j < expected.m; ++j) sum += expected.at(r, h, own + i, j);
                    for (std::int64_t j = 0; isJoint && j < expected.m; ++j) expected.at(r, h, own + i, j) /= sum;
                }
        const HostTensor got = attend(site, {{hook("replace_attention", p, source), 0, rows}}, isJoint ? words : 0);
        QVERIFY(error(got, expected) < tolerance);
        // Refined, the swapped word keeps its own.
        Maps refined = expected;
        if (!isJoint) {
            Maps plain = maps();
            for (int r = 0; r < rows; ++r)
                for (int h = 0; h < heads; ++h)
                    for (int i = 0; i < places; ++i) refined.at(r, h, i, 1) = plain.at(r, h, i, 1);
            QVERIFY(
                error(attend(site, {{hook("replace_attention", {{"kind", std::string("refine")}}, source), 0, rows}}),
                      refined)
                < tolerance);
        }
    }

    void replacedPlaces() {
        const auto source = std::make_shared<SourceRecord>();
        const Params p{{"attention", std::string("self")}, {"region", std::vector<double>{0, 0, 0.5, 1}}};
        fill(places, places, 1);
        attend(m_self, {{makeSourceHook({"replace_attention", p}, {m_info, {}, &m_tokens, source}), 0, rows}});
        Maps theirs = maps();
        fill(places, places, 5);
        Maps expected = maps();
        for (int r = 0; r < rows; ++r)
            for (int h = 0; h < heads; ++h)
                for (int i = 0; i < places; ++i)
                    for (int j = 0; j < places; ++j)
                        if (isInside(i, 0, 0, 0.5, 1)) expected.at(r, h, i, j) = theirs.at(r, h, i, j);
        QVERIFY(error(attend(m_self, {{hook("replace_attention", p, source), 0, rows}}), expected) < tolerance);
    }

    void mutualTakesKeysAndValues() {
        const auto source = std::make_shared<SourceRecord>();
        fill(places, places, 1);
        attend(m_self, {{makeSourceHook({"mutual_self_attention", {}}, {m_info, {}, &m_tokens, source}), 0, rows}});
        const Tensor k = m_k.clone(), v = m_v.clone();
        fill(places, places, 5);
        const HostTensor got = attend(m_self, {{hook("mutual_self_attention", {}, source), 0, rows}});
        m_k = k;
        m_v = v;
        QVERIFY(got.sameBits(attend(m_self, {})));
    }
    // Words of the own prompt stay, places are those of the source.
    void mutualInJointAttention() {
        const auto source = std::make_shared<SourceRecord>();
        fill(2 + places, 2 + places, 1);
        attend(m_joint, {{makeSourceHook({"mutual_self_attention", {}}, {m_info, {}, &m_tokens, source}), 0, rows}}, 2);
        const Tensor k = m_k.clone(), v = m_v.clone();
        fill(words + places, words + places, 5);
        const HostTensor got = attend(m_joint, {{hook("mutual_self_attention", {}, source), 0, rows}}, words);
        Tensor ownK = m_k.clone(), ownV = m_v.clone();
        m_backend->copy(nn::tokens(k, 2, places), nn::tokens(ownK, words, places));
        m_backend->copy(nn::tokens(v, 2, places), nn::tokens(ownV, words, places));
        m_k = ownK;
        m_v = ownV;
        QVERIFY(largestDifference(got, attend(m_joint, {})) < 1e-6);
    }

    // x + s f(x), everywhere or in a region; what is muted everywhere is not computed.
    void scaledBlock() {
        const nn::Site site{nn::SiteKind::Block, "block", 0, heads};
        const Tensor x = random({rows, places, channels}, 1), f = random({rows, places, channels}, 2);
        const auto run = [&](const nn::SiteHookPtr& h, bool& isComputed) {
            nn::Hooks hooks;
            hooks.add(h, 1, 1);
            const nn::Pass pass({height, width}, {Tensor(*m_backend, {rows, 1})}, {}, hooks);
            std::int64_t computed = 0, at = 0;
            const Tensor y = pass.residual(site, x.clone(), [&](const nn::Pass&, const Tensor& part) {
                computed += part.rows();
                const Tensor sum = combine({{1, part}, {1, f.slice(at, part.rows())}});
                at += part.rows();
                return sum;
            });
            isComputed = computed == rows;
            return download(y);
        };
        const HostTensor hx = download(x), hf = download(f);
        for (const bool region : {false, true})
            for (const double s : {0.0, -0.5, 2.0}) {
                Params p{{"layers", std::string("0")}, {"scale", s}};
                if (region) p["region"] = std::vector<double>{0, 0.5, 1, 1};
                bool isComputed = false;
                const HostTensor y = run(hook("scale_block", p), isComputed);
                QCOMPARE(isComputed, region || s != 0);
                for (int r = 0; r < rows; ++r)
                    for (int t = 0; t < places; ++t)
                        for (int c = 0; c < channels; ++c) {
                            const std::int64_t i = (r * places + t) * channels + c;
                            const bool acts = r == 1 && (!region || isInside(t, 0, 0.5, 1, 1));
                            QVERIFY(std::abs(y.at(i) - (hx.at(i) + (acts ? s : 1) * hf.at(i))) < tolerance);
                        }
            }
    }

    void whatCannotWorkIsRefused() {
        const auto refuses = [&](const char* id, Params p, const char* part) {
            try {
                hook(id, std::move(p));
            } catch (const Failure& e) {
                return std::string(e.what()).find(part) != std::string::npos;
            }
            return false;
        };
        QVERIFY(
            refuses("scale_token", {{"region", std::vector<double>{0.5, 0, 0.2, 1}}}, "left, top, right and bottom"));
        QVERIFY(refuses("scale_block", {{"layers", std::string("0")}, {"region", std::vector<double>{0.5}}},
                        "four numbers"));
        QVERIFY(refuses("blend_attention", {{"with", std::string("identity")}, {"attention", std::string("cross")}},
                        "no place of their own"));
        QVERIFY(refuses("blend_attention", {{"head", std::int64_t(2)}}, "does not exist"));
        m_info.attention.clear();
        QVERIFY(refuses("attention_temperature", {{"attention", std::string("cross")}}, "does not have"));
        QVERIFY(refuses("mute_head", {{"attention", std::string("cross")}}, "does not have"));
        m_info.conditioning = ConditioningKind::Class;
        QVERIFY(refuses("scale_token", {{"word", std::string("a")}}, "reads none"));
        QVERIFY(refuses("replace_attention", {}, "reads no words"));
        m_info.blocks.clear();
        for (const char* id : {"scale_block", "freeze_attention", "mutual_self_attention", "patch_activations"})
            QVERIFY(refuses(id, {}, "no transformer blocks"));
    }
};

QTEST_GUILESS_MAIN(TestEditing)
#include "tst_editing.moc"
