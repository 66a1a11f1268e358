// A latent diffusion model from prompt to pixels as a recipe, against the pipeline of diffusers: small random weights
// and its images stand in tests/golden/end_to_end; and its variants for inpainting and for editing.
#include <QtTest>
#include <cmath>

#include "engine/exchange/run_export.h"
#include "engine/imaging/png.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/models/small_models.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using namespace meander::fixture;
using namespace meander::test;

namespace {

constexpr double tolerance = 1e-4;  // of a pixel in [0, 1]

}  // namespace

class TestEndToEnd : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    WeightFile m_file = [] {
        auto file = WeightFile::open(MEANDER_SOURCE_DIR "/tests/golden/end_to_end/end_to_end.safetensors");
        if (!file) qFatal("%s", file.error().text.c_str());
        return std::move(*file);
    }();

    HostTensor tensor(const std::string& name) const {
        const HostWeight w = m_file.read(name);
        return HostTensor::fromFloats(w.shape, w.floats());
    }
    Json json(const std::string& name) const { return Json::parse(m_file.metadata().at(name)); }

    // The parts as a folder of diffusers; `variant`: whose first filters the network has.
    std::string writeFolder(const QString& name, const std::string& variant = {}, bool hasCodec = true) const {
        const QString folder = m_folder.filePath(name);
        std::map<std::string, Tensors> parts;
        for (const auto& [key, entry] : m_file.entries()) {
            const std::string part = key.substr(0, key.find('.'));
            if (part == "text" || part == "unet" || part == "vae")
                parts[part][key.substr(part.size() + 1)] = tensor(key);
        }
        writePart(folder + "/text_encoder", "model", json("text"), parts["text"]);
        Json unet = json("unet");
        if (!variant.empty()) {
            const HostTensor filters = tensor(variant + ".conv_in.weight");
            unet["in_channels"] = filters.shape()[1];
            parts["unet"]["conv_in.weight"] = filters;
        }
        writePart(folder + "/unet", "diffusion_pytorch_model", unet, parts["unet"]);
        if (hasCodec) writePart(folder + "/vae", "diffusion_pytorch_model", json("vae"), parts["vae"]);
        copyTokenizer(folder + "/tokenizer");
        writeText(folder + "/scheduler/scheduler_config.json", json("scheduler").dump());
        const auto part = [](const char* library, const char* kind) { return Json::array({library, kind}); };
        Json index{{"_class_name", "StableDiffusionPipeline"},
                   {"scheduler", part("diffusers", "EulerDiscreteScheduler")},
                   {"text_encoder", part("transformers", "CLIPTextModel")},
                   {"tokenizer", part("transformers", "CLIPTokenizer")},
                   {"unet", part("diffusers", "UNet2DConditionModel")}};
        if (hasCodec) index["vae"] = part("diffusers", "AutoencoderKL");
        writeText(folder + "/model_index.json", index.dump());
        return folder.toStdString();
    }

    Recipe recipe(const std::string& model) const {
        const Json s = json("settings");
        Recipe r;
        r.model = model;
        r.prompt = s["prompt"].get<std::string>();
        r.negativePrompt = s["negative_prompt"].get<std::string>();
        r.seed = s["seed"].get<std::uint64_t>();
        r.steps = s["steps"].get<int>();
        r.sampler = {"euler", {}};
        r.schedule = {"karras", {}};
        r.noise = {"torch_cpu", {}};
        r.guidance = {{"cfg", {{"scale", s["guidance"].get<double>()}}}};
        r.precision = "f32";
        r.attention = AttentionLevel::Off;
        return r;
    }

    // The source image or its mask as a file.
    std::string writeImage(const std::string& name) const {
        const HostTensor t = tensor("golden." + name);
        Image image;
        image.height = int(t.shape()[0]);
        image.width = int(t.shape()[1]);
        for (std::int64_t i = 0; i < 3 * image.height * image.width; ++i)
            image.rgb.push_back(std::uint8_t(std::lround(255 * t.at(t.shape().rank() == 3 ? i : i / 3))));
        const std::string path = m_folder.filePath(QString::fromStdString(name) + ".png").toStdString();
        if (!writePng(path, image).ok()) qFatal("cannot write %s", path.c_str());
        return path;
    }

    // Of values between two limits, which the pipeline cuts its images to.
    static double difference(const HostTensor& a, const HostTensor& b, double low = -1e9, double high = 1e9) {
        if (a.count() != b.count()) return 1e9;
        double worst = 0;
        for (std::int64_t i = 0; i < a.count(); ++i)
            worst = std::max(worst, std::abs(std::clamp(a.at(i), low, high) - b.at(i)));
        return worst;
    }

private slots:
    void promptToPixels() {
        const auto run = carryOut(planned(recipe(writeFolder("model"))));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        const double latent = difference(run->trajectory->last(), tensor("golden.latent")),
                     pixel = difference(run->images, tensor("golden.image"), 0, 1);
        qInfo("latent (of standard deviation 18) %.2e, pixels %.2e", latent, pixel);
        QVERIFY2(pixel < tolerance, qPrintable(QString::number(pixel)));
        QVERIFY2(latent < 2e-3, qPrintable(QString::number(latent)));
    }

    // Without its codec a model runs and keeps its states; that there will be no images is said before.
    void withoutCodec() {
        const Plan p = planned(recipe(writeFolder("no codec", {}, false)));
        QVERIFY(std::any_of(p.notes.begin(), p.notes.end(), [](const PlanNote& n) {
            return n.kind == NoteKind::Warning && n.text.find("no image codec") != std::string::npos;
        }));
        const auto run = carryOut(p);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QVERIFY(!run->images);
        QVERIFY(difference(run->trajectory->last(), tensor("golden.latent")) < 2e-3);
        QTemporaryDir out;
        const auto exported = exportRun(*run, out.path().toStdString());
        QVERIFY2(exported.ok(), exported.ok() ? "" : exported.error().text.c_str());
    }

    void imageToPixels_data() {
        QTest::addColumn<QString>("variant");
        QTest::addColumn<QString>("golden");
        QTest::newRow("inpainting") << "inpaint"
                                    << "inpaint";
        QTest::newRow("editing, led by the text") << "edit"
                                                  << "edit";
        QTest::newRow("editing, led by text and image") << "edit"
                                                        << "edit_two";
    }
    void imageToPixels() {
        QFETCH(QString, variant);
        QFETCH(QString, golden);
        Recipe r = recipe(writeFolder(golden, variant.toStdString()));
        r.source = {"image", {{"file", writeImage("source")}}};
        if (variant == "inpaint") r.source.params["mask"] = writeImage("mask");
        if (golden == "edit_two") {
            const Json s = json("settings");
            r.guidance = {
                {"dual",
                 {{"scale", s["guidance"].get<double>()}, {"middle_scale", s["image_guidance"].get<double>()}}}};
        }
        const auto run = carryOut(planned(r));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QCOMPARE(run->evaluations, r.steps * (golden == "edit_two" ? 3 : 2));
        const double pixel = difference(run->images, tensor("golden." + golden.toStdString()), 0, 1);
        qInfo("pixels %.2e", pixel);
        QVERIFY2(pixel < tolerance, qPrintable(QString::number(pixel)));
    }

    // The image that the run starts from serves as the source too; what is missing or too much is said before the run.
    void sources() {
        const std::string inpaint = writeFolder("of sources", "inpaint"), edit = writeFolder("edited", "edit"),
                          plain = writeFolder("without", ""), image = writeImage("source"), mask = writeImage("mask");
        const auto problem = [](const Recipe& r) {
            const auto p = plan(r);
            return p ? std::string() : p.error().text;
        };
        Recipe r = recipe(inpaint);
        QVERIFY(problem(r).find("source.file") != std::string::npos);
        r.source = {"image", {{"file", image}}};
        QVERIFY(problem(r).find("source.mask") != std::string::npos);
        r.source.params["mask"] = mask;
        QCOMPARE(problem(r), std::string());
        QVERIFY(plan(r)->source);
        r.source.params["file"] = std::string("/nowhere.png");
        QVERIFY(problem(r).find("/nowhere.png") != std::string::npos);
        r.source.params["file"] = image;
        r.model = plain;
        QVERIFY(problem(r).find("takes no source image") != std::string::npos);
        r.model = edit;
        QVERIFY(problem(r).find("takes no mask") != std::string::npos);
        r.source = {"none", {}};
        QVERIFY(problem(r).find("source.file") != std::string::npos);
        r.start = {"data", {{"file", image}, {"strength", 0.5}}};
        QCOMPARE(problem(r), std::string());
        const auto run = carryOut(planned(r));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        // The recommended rule leads by text and image.
        QCOMPARE(recommendedRecipe(*inspectModel(edit)).guidance.front().id, std::string("dual"));
    }
};

QTEST_GUILESS_MAIN(TestEndToEnd)
#include "tst_end_to_end.moc"
