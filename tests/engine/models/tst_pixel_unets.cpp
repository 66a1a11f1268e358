// U-Nets of pixels against diffusers: small ones with random weights (tests/golden/pixel_unets), under the names of
// diffusers and of guided diffusion, two rows at different times; and a whole run without a condition.
#include <QtTest>
#include <cmath>

#include "engine/models/architectures/architecture.h"
#include "engine/models/families/family.h"
#include "engine/models/model_files.h"
#include "engine/weights/renamed.h"
#include "tests/engine/models/small_models.h"
#include "tests/engine/models/trunk_check.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using namespace meander::fixture;
using namespace meander::test;

namespace {

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
        worst = std::max(worst, std::isfinite(d) ? d : 1e9);
        square += b.at(i) * b.at(i);
    }
    return worst / std::sqrt(square / double(b.count()));
}

struct Case {
    Case(Backend& backend, const std::string& name, DType type) {
        auto opened = FileWeights::open(MEANDER_SOURCE_DIR "/tests/golden/pixel_unets/" + name + ".safetensors");
        if (!opened) qFatal("%s", opened.error().text.c_str());
        weights = std::move(*opened);
        const WeightFile& file = weights->files().front();
        config = *parseJson(file.metadata().at("config"), "config");
        times = parseJson(file.metadata().at("times"), "times")->get<std::vector<double>>();
        std::shared_ptr<WeightSource> source = weights;
        if (name == "adm") {
            config["interleaved_heads"] = true;
            source = std::make_shared<Renamed>(source, NameTable(pixelUnetNames(TensorList(weights, ""))));
        }
        const Architecture* architecture = findArchitecture("UNet2DModel");
        architecture->describe(config, "the test's configuration", info);
        NetworkBuilder builder(backend, *source, type);
        net = architecture->build(config, "the test's configuration", builder);
        std::vector<Conditions> rows(2);
        for (std::size_t r = 0; r < 2; ++r) {
            Conditions raw;
            if (file.entries().contains("golden.classes"))
                raw.tensors[condition::label] =
                    upload(backend, tensorIn(file, "golden.classes").rows(std::int64_t(r), 1));
            rows[r] = net->prepare(raw);
        }
        conditions = stacked({&rows[0], &rows[1]});
        x = upload(backend, tensorIn(file, "golden.x"));
        y = tensorIn(file, "golden.y");
    }
    HostTensor output(const nn::Hooks& hooks = {}) const {
        return download(net->forward({x, times, conditions, hooks, {}}));
    }

    std::shared_ptr<FileWeights> weights;
    Json config;
    std::vector<double> times;
    ModelInfo info;
    std::unique_ptr<Denoiser> net;
    Conditions conditions;
    Tensor x;
    HostTensor y;
};

}  // namespace

class TestPixelUNets : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});
    QTemporaryDir m_folder;

    void eachNetwork() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"ddpm", "adm"}) QTest::newRow(name) << QString(name);
    }

private slots:
    void parity_data() { eachNetwork(); }
    void parity() {
        QFETCH(QString, name);
        const Case exact(*m_backend, name.toStdString(), DType::F32),
            coarse(*m_backend, name.toStdString(), DType::BF16);
        const double f32 = relativeDifference(exact.output(), exact.y),
                     bf16 = relativeDifference(coarse.output(), coarse.y);
        qInfo("%s: f32 %.1e, bf16 %.1e of the root mean square, at the worst element", qPrintable(name), f32, bf16);
        QVERIFY2(f32 < 1e-5, qPrintable(QString::number(f32)));
        QVERIFY2(bf16 < 0.1, qPrintable(QString::number(bf16)));
        std::int64_t stored = 0;
        for (const auto& [key, entry] : exact.weights->files().front().entries())
            if (!key.starts_with("golden.")) stored += entry.count;
        QCOMPARE(exact.net->parameters, stored);
        QCOMPARE(exact.info.classes.size(), std::size_t(name == "adm" ? 5 : 0));
    }

    // Every trunk is a site, and one that is kept is not computed again.
    void trunks_data() { eachNetwork(); }
    void trunks() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const std::string fault =
            trunkFault(*m_backend, *c.net, c.info, [&](const nn::Hooks& hooks) { return c.output(hooks); });
        QVERIFY2(fault.empty(), fault.c_str());
    }

    // A folder of diffusers without text and codec, and the same network twice as a file of guided diffusion: a run
    // each.
    void wholeRuns() {
        const Case ddpm(*m_backend, "ddpm", DType::F32), adm(*m_backend, "adm", DType::F32);
        const auto tensorsOf = [](const Case& c, const std::string& prefix) {
            Tensors all;
            for (const auto& [key, entry] : c.weights->files().front().entries())
                if (!key.starts_with("golden.")) all[prefix + key] = tensorIn(c.weights->files().front(), key);
            return all;
        };
        const QString folder = m_folder.filePath("ddpm");
        Json config = ddpm.config;
        config["_class_name"] = "UNet2DModel";
        writePart(folder + "/unet", "diffusion_pytorch_model", config, tensorsOf(ddpm, ""));
        writeText(folder + "/scheduler/scheduler_config.json",
                  R"({"_class_name": "DPMSolverMultistepScheduler", "num_train_timesteps": 1000, "beta_start": 0.0001,
                      "beta_end": 0.02, "beta_schedule": "linear", "lambda_min_clipped": -Infinity})");
        writeText(folder + "/model_index.json", R"({"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"],
                                                    "scheduler": ["diffusers", "DDPMScheduler"]})");
        const auto info = inspectModel(folder.toStdString());
        QVERIFY2(info.ok(), info.ok() ? "" : info.error().text.c_str());
        QVERIFY(info->conditioning == ConditioningKind::None && info->missing.empty());
        Recipe r = recommendedRecipe(*info);
        QVERIFY(r.guidance.empty());
        r.steps = 3;
        auto run = carryOut(planned(r));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QCOMPARE(run->images.shape(), Shape({1, 8, 8, 3}));

        const std::string file = m_folder.filePath("adm.safetensors").toStdString();
        writeText(QString::fromStdString(file), safetensorsBytes(tensorsOf(adm, "")));
        const ModelFiles files = openModelFile(file);
        QCOMPARE(files.family, std::string("U-Net of pixels"));
        QVERIFY(files.parametrization == Parametrization::Epsilon && files.missing.empty());
        // What shapes tell; groups and heads of so small a network are others.
        for (const char* key :
             {"block_out_channels", "down_block_types", "up_block_types", "layers_per_block", "downsample_type",
              "upsample_type", "in_channels", "out_channels", "num_class_embeds", "resnet_time_scale_shift"})
            QVERIFY2(files.network.config[key] == adm.config[key], key);
    }
};

QTEST_GUILESS_MAIN(TestPixelUNets)
#include "tst_pixel_unets.moc"
