// A latent diffusion model from prompt to pixels as a recipe, against the pipeline of diffusers: small random weights
// and its images stand in tests/golden/end_to_end.
#include <QtTest>
#include <cmath>

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

    // The parts as a folder of diffusers.
    std::string writeFolder(const QString& name) const {
        const QString folder = m_folder.filePath(name);
        std::map<std::string, Tensors> parts;
        for (const auto& [key, entry] : m_file.entries()) {
            const std::string part = key.substr(0, key.find('.'));
            if (part == "text" || part == "unet" || part == "vae")
                parts[part][key.substr(part.size() + 1)] = tensor(key);
        }
        writePart(folder + "/text_encoder", "model", json("text"), parts["text"]);
        writePart(folder + "/unet", "diffusion_pytorch_model", json("unet"), parts["unet"]);
        writePart(folder + "/vae", "diffusion_pytorch_model", json("vae"), parts["vae"]);
        copyTokenizer(folder + "/tokenizer");
        writeText(folder + "/scheduler/scheduler_config.json", json("scheduler").dump());
        const auto part = [](const char* library, const char* kind) { return Json::array({library, kind}); };
        writeText(folder + "/model_index.json", Json{{"_class_name", "StableDiffusionPipeline"},
                                                     {"scheduler", part("diffusers", "EulerDiscreteScheduler")},
                                                     {"text_encoder", part("transformers", "CLIPTextModel")},
                                                     {"tokenizer", part("transformers", "CLIPTokenizer")},
                                                     {"unet", part("diffusers", "UNet2DConditionModel")},
                                                     {"vae", part("diffusers", "AutoencoderKL")}}
                                                    .dump());
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
};

QTEST_GUILESS_MAIN(TestEndToEnd)
#include "tst_end_to_end.moc"
