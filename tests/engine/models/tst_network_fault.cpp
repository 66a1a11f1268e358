// Broken weights: the run that meets them says which weight of which layer it is, and numbers beyond their type from
// which layer on.
#include <QtTest>
#include <filesystem>
#include <fstream>

#include "engine/core/resources.h"
#include "engine/weights/formats/safetensors_writer.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

// Element `at` of one weight of a file becomes `value`, or all become `value` times what they were.
void spoil(const fs::path& path, const std::string& weight, float value, std::optional<std::size_t> at) {
    std::map<std::string, HostTensor> tensors;
    std::map<std::string, std::string> metadata;
    {
        const auto file = WeightFile::open(path.string());
        if (!file) qFatal("%s", file.error().text.c_str());
        metadata = file->metadata();
        for (const auto& [name, entry] : file->entries()) {
            const HostWeight w = file->read(name);
            auto floats = w.floats();
            if (name == weight && at) floats[*at] = value;
            if (name == weight && !at)
                for (float& v : floats) v *= value;
            tensors[name] = HostTensor::fromFloats(w.shape, floats);
        }
        if (!tensors.contains(weight)) qFatal("no %s", weight.c_str());
    }
    if (const Status s = writeSafetensors(path.string(), tensors, metadata); !s) qFatal("%s", s.error().text.c_str());
}

std::string problemOf(const std::string& model) {
    Recipe r = recommendedRecipe(*inspectModel(model));
    r.steps = 2;
    r.images = 1;
    r.attention = AttentionLevel::Off;
    const auto run = fixture::carryOut(fixture::planned(r));
    return run && run->status == RunStatus::Failed ? run->problem : "";
}

}  // namespace

class TestNetworkFault : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

    std::string copied(const char* resource) {
        static int n = 0;
        const fs::path to = fs::path(m_folder.path().toStdString()) / std::to_string(++n);
        fs::create_directories(to);
        const fs::path from = *findResource(resource);
        if (fs::is_directory(from)) fs::copy(from, to, fs::copy_options::recursive);
        else fs::copy_file(from, to / from.filename());
        return (fs::is_directory(from) ? to : to / from.filename()).string();
    }
private slots:
    void weights_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("weight");
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("owner");
        constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
        constexpr const char *unet = "unet/diffusion_pytorch_model.safetensors",
                             *text = "text_encoder/model.safetensors";
        const auto row = [](const char* file, const char* weight, double value, const char* owner) {
            QTest::newRow(qPrintable(QString("%1 %2").arg(weight).arg(value))) << file << weight << value << owner;
        };
        for (const char* weight : {"conv_in.weight", "time_embedding.linear_1.bias", "mid_block.resnets.0.norm1.weight",
                                   "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", "conv_out.bias"}) {
            row(unet, weight, nan, "the network");
            row(unet, weight, -inf, "the network");
        }
        row(text, "text_model.final_layer_norm.weight", nan, "the text encoder");
    }
    void weights() {
        QFETCH(QString, file);
        QFETCH(QString, weight);
        QFETCH(double, value);
        QFETCH(QString, owner);
        const std::string folder = copied("models/sprites-unet");
        spoil(fs::path(folder) / file.toStdString(), weight.toStdString(), float(value), 3);
        const QString said = QString::fromStdString(problemOf(folder));
        const QString layer = weight.left(weight.lastIndexOf('.'));
        for (const QString& word : {"'" + weight + "'", "'" + layer + "'", owner, QString("element 4 of"),
                                    QString(std::isnan(value) ? "NaN" : "infinite"), QString("another copy")})
            QVERIFY2(said.contains(word), qPrintable(word + " in: " + said));
        QVERIFY2(!said.contains("guidance"), qPrintable(said));
    }

    // Finite weights whose numbers grow beyond f32: the first block that shows it.
    void overflow() {
        const std::string folder = copied("models/sprites-unet");
        spoil(fs::path(folder) / "unet/diffusion_pytorch_model.safetensors",
              "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.weight", 3e38f, {});
        const QString said = QString::fromStdString(problemOf(folder));
        QVERIFY2(said.contains("All weights are finite") || said.contains("infinite"), qPrintable(said));
        QVERIFY2(said.contains("mid_block.attentions.0"), qPrintable(said));
    }

    // Small networks are looked through when they are opened.
    void planar() {
        const std::string path = copied("models/flow2d/moons-flow.safetensors");
        spoil(path, "layers.1.bias", std::numeric_limits<float>::quiet_NaN(), 2);
        const QString said = QString::fromStdString(problemOf(path));
        QVERIFY2(said.contains("'layers.1.bias'") && said.contains("element 3 of"), qPrintable(said));
    }
};

QTEST_GUILESS_MAIN(TestNetworkFault)
#include "tst_network_fault.moc"
