// meander-run convert: every format of both kinds of file and back, a model that runs from what was written, files that
// appear whole or not at all.
#include <QtTest>
#include <cmath>

#include "engine/imaging/png.h"
#include "engine/weights/convert.h"
#include "engine/weights/scaled_weights.h"
#include "tests/engine/cli/command_line.h"
#include "tests/engine/models/small_models.h"

using namespace meander;
using namespace meander::test;

class TestConvert : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    Tensors m_tensors;
    std::string at(const std::string& name) const {
        return m_folder.filePath(QString::fromStdString(name)).toStdString();
    }

    // Of the bytes of two images.
    static double meanDifference(const Image& a, const Image& b) {
        if (a.rgb.size() != b.rgb.size()) return 255;
        double sum = 0;
        for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int(a.rgb[i]) - int(b.rgb[i]));
        return sum / double(a.rgb.size());
    }

    static HostTensor random(kernels::Shape shape, std::uint32_t seed) {
        return HostTensor::fromFloats(shape, randomFloats(std::size_t(shape.count()), seed));
    }

    // The largest error of an element, relative to the root mean square of its tensor, over all tensors.
    double error(const std::string& path) const {
        auto weights = FileWeights::open(path);
        if (!weights) qFatal("%s", weights.error().text.c_str());
        ScaledWeights source(std::shared_ptr<FileWeights>(std::move(*weights)));
        double worst = 0;
        for (const auto& [name, tensor] : m_tensors) {
            const std::vector<float> got = source.read(name, tensor.shape()).floats(), own = tensor.toFloats();
            double square = 0, largest = 0;
            for (std::size_t i = 0; i < own.size(); ++i) {
                square += double(own[i]) * own[i];
                largest = std::max(largest, std::abs(double(got[i]) - own[i]));
            }
            worst = std::max(worst, largest / std::sqrt(square / double(own.size())));
        }
        return worst;
    }

private slots:
    void initTestCase() {
        m_tensors = {{"a.weight", random({48, 512}, 1)},
                     {"a.bias", random({48}, 2)},
                     {"conv.weight", random({8, 4, 3, 3}, 3)},
                     {"odd.weight", random({5, 7}, 4)},
                     {"deep.weight", random({4, 3, 2, 2, 2}, 5)}};
        writeText(m_folder.filePath("source.safetensors"), safetensorsBytes(m_tensors));
    }

    // Progress is the program's own: nothing of it is escaped, file names still are.
    void whatIsPrinted() {
        const auto made = call({"convert", at("source.safetensors"), at("a\x1b[31m.safetensors"), "-f", "f16"});
        QCOMPARE(made.status, 0);
        QVERIFY2(made.err.empty(), made.err.c_str());
        QVERIFY2(made.out.find("\\u000d") == std::string::npos && made.out.find("\\u001b[31m") != std::string::npos,
                 made.out.c_str());
    }

    // Bounds: half a step of the format at the largest elements, which are 4 to 5 times the root mean square.
    void everyFormat_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("format");
        QTest::addColumn<double>("bound");
        for (const auto& [file, format, bound] : {std::tuple{"f32.safetensors", "f32", 0.0},
                                                  {"f16.safetensors", "f16", 2e-3},
                                                  {"bf16.safetensors", "bf16", 2e-2},
                                                  {"fp8.safetensors", "fp8", 0.25},
                                                  {"int8.safetensors", "int8", 0.02},
                                                  {"f32.gguf", "f32", 0.0},
                                                  {"f16.gguf", "f16", 2e-3},
                                                  {"bf16.gguf", "bf16", 2e-2},
                                                  {"q8_0.gguf", "q8_0", 0.02},
                                                  {"q4_0.gguf", "q4_0", 0.4},
                                                  {"q4_k.gguf", "q4_k", 0.35}})
            QTest::newRow(file) << QString(file) << QString(format) << bound;
    }
    // Written, read again within the precision of the format, and from there to f32 without another change.
    void everyFormat() {
        QFETCH(QString, file);
        QFETCH(QString, format);
        QFETCH(double, bound);
        const std::string path = at(file.toStdString()), back = at("back.safetensors");
        const Output made = call({"convert", at("source.safetensors"), path, "-f", format.toStdString(), "--json"});
        QVERIFY2(made.status == 0, made.err.c_str());
        const Json last = Json::parse(made.out.substr(made.out.rfind('{')));
        QCOMPARE(last["bytes"].get<qint64>(), QFileInfo(QString::fromStdString(path)).size());
        QVERIFY(!QFile::exists(QString::fromStdString(path + ".new")));
        const double e = error(path);
        QVERIFY2(e <= bound, qPrintable(QString::number(e)));
        QCOMPARE(call({"convert", path, back, "-f", "f32"}).status, 0);
        QCOMPARE(error(back), e);
        qInfo("largest error %.1e", e);
    }

    // A model whose network was converted without a loss gives the same bits; with 8 bits nearly the same image.
    void modelRuns() {
        const QDir from(QString::fromStdString(*findResource("models/sprites-unet")));
        const auto copy = [&](const QString& name) {
            for (const QString& part : from.entryList(QDir::Dirs | QDir::NoDotAndDotDot))
                for (const QString& f : QDir(from.filePath(part)).entryList(QDir::Files))
                    writeText(m_folder.filePath(name + "/" + part + "/" + f), fileBytes(from.filePath(part + "/" + f)));
            writeText(m_folder.filePath(name + "/model_index.json"), fileBytes(from.filePath("model_index.json")));
        };
        const auto run = [&](const std::string& model) {
            const Output o = call({"run", "--set", "model=" + at(model), "--set", "steps=2", "--set", "precision=f32",
                                   "--set", "prompt=a red circle", "-o", at(model + "-out")});
            if (o.status != 0) qFatal("%s", o.err.c_str());
            const auto png = readPng(at(model + "-out/image-1.png"));
            if (!png) qFatal("%s", png.error().text.c_str());
            return png->image;
        };
        copy("plain");
        const std::string weights = "/unet/diffusion_pytorch_model.safetensors";
        const Image image = run("plain");
        for (const auto& [name, ending, format, isSame] : {std::tuple{"f32", ".safetensors", "f32", true},
                                                           {"gguf", ".gguf", "f32", true},
                                                           {"int8", ".safetensors", "int8", false},
                                                           {"q8", ".gguf", "q8_0", false}}) {
            copy(name);
            const std::string stored = at(name + weights), made = at(name + std::string("/made") + ending);
            QCOMPARE(call({"convert", stored, made, "-f", format}).status, 0);
            QVERIFY(QFile::remove(QString::fromStdString(stored)));
            QVERIFY(QFile::rename(
                QString::fromStdString(made),
                QString::fromStdString(at(name + std::string("/unet/diffusion_pytorch_model") + ending))));
            const Image converted = run(name);
            if (isSame) QVERIFY2(converted == image, name);
            QVERIFY2(meanDifference(converted, image) < 4, name);
        }
    }

    void cancelled() {
        int calls = 0;
        const ConvertedFile c = convertWeights(at("source.safetensors"), at("cancelled.gguf"),
                                               {.container = WeightContainer::Gguf,
                                                .format = WeightFormat::Q8_0,
                                                .architecture = "sd1",
                                                .progress = [&](double) { return ++calls < 3; }});
        QVERIFY(c.isCancelled);
        QVERIFY(!QFile::exists(m_folder.filePath("cancelled.gguf"))
                && !QFile::exists(m_folder.filePath("cancelled.gguf.new")));
        // What stood there stays.
        writeText(m_folder.filePath("kept.safetensors"), "before");
        convertWeights(at("source.safetensors"), at("kept.safetensors"), {.progress = [](double) { return false; }});
        QCOMPARE(fileBytes(m_folder.filePath("kept.safetensors")), std::string("before"));
    }

    void refusals() {
        const auto refused = [&](std::vector<std::string> arguments, const char* word) {
            arguments.insert(arguments.begin(), "convert");
            const Output o = call(arguments);
            QVERIFY(o.status != 0);
            QVERIFY2(QString::fromStdString(o.err).contains(word), o.err.c_str());
        };
        const std::string source = at("source.safetensors");
        refused({source, at("x.bin"), "-f", "f16"}, ".safetensors or .gguf");
        refused({source, at("x.gguf"), "-f", "int8"}, "GGUF");
        refused({source, at("x.safetensors"), "-f", "q4_k"}, "safetensors");
        refused({source, at("x.gguf"), "-f", "q9"}, "q8_0");
        refused({source, source, "-f", "f16"}, "another name");
        refused({source, at("none/x.gguf"), "-f", "f16"}, "folder");
        refused({at("none.safetensors"), at("x.gguf"), "-f", "f16"}, "none.safetensors");
    }
};

QTEST_GUILESS_MAIN(TestConvert)
#include "tst_convert.moc"
