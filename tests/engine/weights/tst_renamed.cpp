// Names of other programs: rows taken apart and put together by explicit numbers, and every published key of the LDM
// family found.
#include <QJsonDocument>
#include <QJsonObject>
#include <set>

#include "engine/weights/renamed.h"
#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

namespace {

// A matrix whose element (r, c) is 10 r + c.
std::vector<float> counted(std::int64_t rows, std::int64_t columns) {
    std::vector<float> v;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) v.push_back(float(10 * r + c));
    return v;
}

// Published maps of LDM names to those of diffusers, for one prefix of each.
std::map<std::string, std::string> keyMap(const QString& path, const QString& ldm, const QString& diffusers) {
    const auto json = QJsonDocument::fromJson(QByteArray::fromStdString(fileBytes(path)));
    std::map<std::string, std::string> map;
    const auto keys = json.object()["ldm_diffusers_keymap"].toObject();
    for (auto it = keys.begin(); it != keys.end(); ++it)
        if (it.key().startsWith(ldm) && it.value().toString().startsWith(diffusers))
            map[it.value().toString().mid(diffusers.size()).toStdString()] = it.key().mid(ldm.size()).toStdString();
    return map;
}

}  // namespace

class TestRenamed : public QObject {
    Q_OBJECT
    std::shared_ptr<MemoryWeights> m_source = std::make_shared<MemoryWeights>();

private slots:
    void initTestCase() {
        m_source->add("qkv.weight", {6, 2}, counted(6, 2));
        m_source->add("qkv.bias", {6}, counted(6, 1));
        m_source->add("a.weight", {1, 2}, {1, 2});
        m_source->add("b.weight", {2, 2}, {3, 4, 5, 6});
        m_source->add("plain", {3}, {1, 2, 3});
        m_source->add("blocks.7.x", {1}, {7});
    }

    void operations() {
        Renamed w(m_source, NameTable("to_q.* qkv.* rows 0-1/3\n"
                                      "to_k.* qkv.* rows 1-2/3\n"
                                      "rest.* qkv.* rows 1-3/3\n"
                                      "both.weight a.weight&b.weight\n"
                                      "swapped.* qkv.* swap\n"
                                      "turned b.weight transpose\n"
                                      "# a remark\n"
                                      "up.{b}.{l} blocks.{3b+l+1}.x\n"
                                      "down.{b} blocks.{9-b}.x\n"
                                      "either missing\n"
                                      "either plain\n"));
        QCOMPARE(w.read("to_q.weight", {2, 2}).floats(), (std::vector<float>{0, 1, 10, 11}));
        QCOMPARE(w.read("to_k.weight", {2, 2}).floats(), (std::vector<float>{20, 21, 30, 31}));
        QCOMPARE(w.read("to_k.bias", {2}).floats(), (std::vector<float>{20, 30}));
        QCOMPARE(w.read("rest.bias", {4}).floats(), (std::vector<float>{20, 30, 40, 50}));
        QCOMPARE(w.read("both.weight", {3, 2}).floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
        QCOMPARE(w.read("swapped.bias", {6}).floats(), (std::vector<float>{30, 40, 50, 0, 10, 20}));
        QCOMPARE(w.read("turned", {2, 2}).floats(), (std::vector<float>{3, 5, 4, 6}));
        QCOMPARE(w.read("up.2.0", {1}).floats(), (std::vector<float>{7}));
        QCOMPARE(w.read("down.2", {1}).floats(), (std::vector<float>{7}));
        QCOMPARE(w.read("either", {3}).floats(), (std::vector<float>{1, 2, 3}));
        QVERIFY(*w.shapeOf("rest.weight") == kernels::Shape({4, 2})
                && *w.shapeOf("both.weight") == kernels::Shape({3, 2}));
        QVERIFY(!w.has("up.0.0") && !w.has("to_q") && !w.has("up.x.0"));
        QVERIFY_THROWS_EXCEPTION(Failure, w.read("to_q.weight", {3, 2}));
        QVERIFY_THROWS_EXCEPTION(Failure, w.read("up.0.0", {1}));
        QVERIFY_THROWS_EXCEPTION(std::logic_error, NameTable("a b unknown"));
    }

    // Blocks stay blocks: their rows are taken and stacked as they are.
    void formatsArePreserved() {
        auto source = std::make_shared<MemoryWeights>();
        std::vector<std::byte> blocks(6 * 34);
        for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = std::byte(i * 7 & 0x3f);
        source->weights["qkv.weight"] = HostWeight::fromBytes({6, 32}, WeightFormat::Q8_0, blocks);
        source->weights["i8.weight"] =
            HostWeight::fromBytes({2, 3}, WeightFormat::I8, std::vector<std::byte>(6, std::byte(2)));
        source->weights["i8.weight"].rowScales = {0.5f, 2};
        const auto all = source->weights["qkv.weight"].floats();
        Renamed w(source, NameTable("k.* qkv.* rows 1-2/3\ns.* qkv.* swap\nsecond.* i8.* rows 1-2/2"));
        const HostWeight k = w.read("k.weight", {2, 32}), s = w.read("s.weight", {6, 32}),
                         i = w.read("second.weight", {1, 3});
        QVERIFY(k.format == WeightFormat::Q8_0 && s.format == WeightFormat::Q8_0 && i.format == WeightFormat::I8);
        QCOMPARE(k.floats(), std::vector<float>(all.begin() + 64, all.begin() + 128));
        QCOMPARE(s.floats()[0], all[96]);
        QCOMPARE(i.floats(), (std::vector<float>{4, 4, 4}));
    }

    void sourcesWrapSources() {
        auto source = std::make_shared<MemoryWeights>();
        source->add("model.diffusion_model.double_blocks.3.img_attn.qkv.weight", {6, 2}, counted(6, 2));
        auto inner = std::make_shared<Renamed>(source, NameTable::withPrefix("model.diffusion_model."));
        Renamed flux(inner, *NameTable::named("flux"));
        QCOMPARE(flux.read("transformer_blocks.3.attn.to_v.weight", {2, 2}).floats(),
                 (std::vector<float>{40, 41, 50, 51}));
    }

    void everyTableReads() {
        for (const auto& id : NameTable::ids()) QVERIFY(NameTable::named(id));
        QVERIFY(!NameTable::named("none"));
    }

    // The first stored candidate of every key that diffusers reads is the published one.
    void publishedKeys_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("ldm");
        QTest::addColumn<QString>("diffusers");
        QTest::addColumn<QString>("table");
        QTest::addColumn<int>("least");
        for (const auto& [file, count] : {std::pair{"sd1", 686}, {"sd2", 686}, {"sdxl", 1680}, {"refiner", 1220}}) {
            QTest::addRow("%s U-Net", file) << QString(file) << "model.diffusion_model."
                                            << "unet_"
                                            << "ldm_unet" << count;
            QTest::addRow("%s VAE", file) << QString(file) << "first_stage_model."
                                          << "vae_"
                                          << "ldm_vae" << 248;
        }
        QTest::newRow("sd2 text") << "sd2"
                                  << "cond_stage_model.model."
                                  << "te_"
                                  << "openclip" << 200;
        QTest::newRow("sdxl text") << "sdxl"
                                   << "conditioner.embedders.1.model."
                                   << "te1_"
                                   << "openclip" << 300;
    }
    void publishedKeys() {
        QFETCH(QString, file);
        QFETCH(QString, ldm);
        QFETCH(QString, diffusers);
        QFETCH(QString, table);
        QFETCH(int, least);
        const auto path = reference("real/keys/ldm_to_diffusers_" + file + ".json");
        if (!path) QSKIP("the key lists are not here");
        const auto map = keyMap(*path, ldm, diffusers);
        QVERIFY2(map.size() >= std::size_t(least), qPrintable(QString::number(map.size())));
        std::set<std::string> stored;
        for (const auto& [name, key] : map) stored.insert(key);
        for (const auto& [name, key] : map) {
            std::string first;
            for (const auto& candidate : NameTable::named(table.toStdString())->candidates(name))
                if (first.empty() && stored.contains(candidate.parts.front())) first = candidate.parts.front();
            QVERIFY2(first == key, (name + ": " + first + ", not " + key).c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestRenamed)
#include "tst_renamed.moc"
