// meander-run inspect on files of weights: the card with reasons and what is missing, the list of tensors, both as
// JSON, and nothing in them that would steer a terminal.
#include <QTemporaryDir>
#include <QtTest>

#include "engine/core/json.h"
#include "engine/weights/formats/safetensors_writer.h"
#include "tests/engine/cli/command_line.h"

using namespace meander;
using meander::test::call;

class TestInspect : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string path(const char* name) const { return m_folder.filePath(name).toStdString(); }

private slots:
    void initTestCase() {
        qputenv("MEANDER_MODELS", m_folder.filePath("none").toUtf8());
        qputenv("HF_HUB_CACHE", m_folder.filePath("none").toUtf8());
        const auto tensor = [](Shape s) {
            return HostTensor::fromFloats(s, std::vector<float>(std::size_t(s.count())));
        };
        const std::map<std::string, HostTensor> flux{{"double_blocks.0.img_attn.norm.key_norm.scale", tensor({128})},
                                                     {"guidance_in.in_layer.weight", tensor({8, 8})},
                                                     {"img_in.weight", tensor({256, 64})},
                                                     {"txt_in.weight", tensor({256, 16})},
                                                     {"odd\x1b[31mname", tensor({2, 3})}};
        QVERIFY(writeSafetensors(path("flux.safetensors"), flux).ok());
        QVERIFY(writeSafetensors(path("wan.safetensors"), {{"head.modulation", tensor({1, 2, 8})},
                                                           {"patch_embedding.weight", tensor({1536, 16, 1, 2, 2})}})
                    .ok());
        QVERIFY(writeSafetensors(path("other.safetensors"), {{"a", tensor({2})}}).ok());
    }

    void card() {
        const auto a = call({"inspect", path("flux.safetensors")});
        QCOMPARE(a.status, 0);
        for (const char* words : {"FLUX.1 dev", "FluxTransformer2DModel", "single file", "Missing", "CLIP-L", "T5 XXL",
                                  "KL autoencoder", "assumed", "F32", "flow velocity"})
            QVERIFY2(a.out.find(words) != std::string::npos, (std::string(words) + "\n" + a.out).c_str());
        QVERIFY(a.out.find('\x1b') == std::string::npos);
        const auto json = Json::parse(call({"inspect", path("flux.safetensors"), "--json"}).out);
        QCOMPARE(json["files"]["family"], Json("FLUX.1 dev"));
        QCOMPARE(json["files"]["network"]["config"]["in_channels"], Json(64));
        QVERIFY(json["files"]["missing"].size() == 3);
        for (const auto& f : json["files"]["findings"]) QVERIFY(f["reason"].get<std::string>().size() > 20);
        // Known by name, and not run.
        const auto wan = call({"inspect", path("wan.safetensors")});
        QCOMPARE(wan.status, 0);
        QVERIFY(wan.out.find("Wan 2.1 1.3B") != std::string::npos && wan.out.find("cannot run") != std::string::npos);
        // Not known at all.
        const auto other = call({"inspect", path("other.safetensors")});
        QVERIFY(other.status == 1 && other.err.find("does not say of which network") != std::string::npos);
    }

    void tensors() {
        const auto all = call({"inspect", path("flux.safetensors"), "--tensors"});
        QCOMPARE(all.status, 0);
        QCOMPARE(std::count(all.out.begin(), all.out.end(), '\n'), 6);
        QVERIFY(all.out.find("256 × 64") != std::string::npos && all.out.find("5 of 5 tensors") != std::string::npos);
        QVERIFY(all.out.find('\x1b') == std::string::npos && all.out.find("odd\\u001b[31mname") != std::string::npos);
        QVERIFY(call({"inspect", path("flux.safetensors"), "--tensors", "in.weight"}).out.find("2 of 5")
                != std::string::npos);
        QVERIFY(call({"inspect", path("flux.safetensors"), "--tensors", "*_in.*weight"}).out.find("3 of 5")
                != std::string::npos);
        const auto one = Json::parse(call({"inspect", path("flux.safetensors"), "--tensors", "img_in", "--json"}).out);
        QCOMPARE(one, Json({{"name", "img_in.weight"}, {"type", "F32"}, {"shape", {256, 64}}, {"bytes", 65536}}));
        QCOMPARE(call({"inspect", path("none.safetensors"), "--tensors"}).status, 1);
    }

    void otherModels() {
        for (const char* id : {"builtin:sprites-unet", "builtin:flow2d-moons", "analytic:ring8"}) {
            const auto a = call({"inspect", id});
            QVERIFY2(a.status == 0 && a.out.find("Process") != std::string::npos, a.err.c_str());
        }
        const auto folder = call({"inspect", std::string(MEANDER_SOURCE_DIR) + "/resources/models/sprites-unet"});
        QVERIFY2(folder.out.find("diffusers folder") != std::string::npos, folder.out.c_str());
        QVERIFY(folder.out.find("The scheduler of the folder is DDIMScheduler.") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestInspect)
#include "tst_inspect.moc"
