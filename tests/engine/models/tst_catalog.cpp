// Names, descriptions and the sentences for what cannot be opened.
#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <fstream>

#include "engine/core/resources.h"
#include "engine/models/architectures/unet_config.h"
#include "engine/models/model.h"
#include "engine/models/scheduler_config.h"

using namespace meander;
namespace fs = std::filesystem;

class TestCatalog : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});
private slots:
    void everyEntryCanBeInspected() {
        const auto entries = builtInModels();
        QVERIFY(entries.size() >= 5);
        for (const auto& e : entries) {
            const auto info = inspectModel(e.id);
            QVERIFY2(info.ok(), info.ok() ? "" : info.error().text.c_str());
            QCOMPARE(info->id, e.id);
            QVERIFY(!info->name.empty() && !info->summary.empty() && !info->family.empty());
            QVERIFY(info->state.shape.count() > 0 && info->recommended.is_object());
            for (const char* key : {"sampler", "schedule", "steps", "images"})
                QVERIFY2(info->recommended.contains(key), e.id.c_str());
            QCOMPARE(info->state.kind == StateKind::Image, info->state.image.rank() == 3);
        }
    }
    void inspectionAgreesWithLoading() {
        for (const char* id :
             {"builtin:sprites-unet", "builtin:sprites-dit", "builtin:flow2d-moons", "analytic:ring8"}) {
            const auto info = inspectModel(id);
            const auto model = loadModel(id, *m_backend);
            QVERIFY2(info.ok() && model.ok(), id);
            const ModelInfo& loaded = (*model)->info();
            QVERIFY(info->state.shape == loaded.state.shape && info->parametrization == loaded.parametrization
                    && info->textTokens == loaded.textTokens);
            QCOMPARE(info->parameters, loaded.parameters);
            QVERIFY(loaded.parameters == 0 || loaded.weightBytes >= std::size_t(loaded.parameters));
            QVERIFY(loaded.bytesPerRow > 0);
        }
    }
    void errorsAreSentences() {
        for (const char* id :
             {"builtin:nothing", "analytic:nothing", "/nowhere/model", "/", "builtin:sprites-unet?x=1", ""}) {
            const auto info = inspectModel(id);
            QVERIFY2(!info.ok(), id);
            QVERIFY2(info.error().text.size() > 20 && info.error().text.find('.') != std::string::npos,
                     info.error().text.c_str());
            QVERIFY(!loadModel(id, *m_backend).ok());
        }
        QVERIFY(!loadModel("builtin:sprites-unet", *m_backend, {.precision = "f8"}).ok());
    }
    void tokens() {
        const auto t = tokenizePrompt("builtin:sprites-unet", "a red circle");
        QVERIFY(t.ok());
        QCOMPARE(int(t->size()), 24);
        QCOMPARE((*t)[3].text, std::string("circle"));
        const auto none = tokenizePrompt("analytic:ring8", "a red circle");
        QVERIFY(none.ok() && none->empty());
    }
    // A copy of a model folder with one file cut or changed: an error, never a crash.
    void damagedFolders() {
        const auto source = findResource("models/sprites-unet");
        QVERIFY(source);
        const auto attempt = [&](const std::string& file, auto change) {
            QTemporaryDir folder;
            const fs::path copy = fs::path(folder.path().toStdString()) / "model";
            fs::copy(*source, copy, fs::copy_options::recursive);
            std::string text;
            {
                std::ifstream in(copy / file, std::ios::binary);
                text.assign(std::istreambuf_iterator<char>(in), {});
            }
            change(text);
            std::ofstream(copy / file, std::ios::binary | std::ios::trunc) << text;
            return loadModel(copy.string(), *m_backend).ok();
        };
        QVERIFY(attempt("model_index.json", [](std::string&) {}));
        for (const char* file : {"model_index.json", "unet/config.json", "scheduler/scheduler_config.json",
                                 "text_encoder/config.json", "codec/config.json", "tokenizer/vocab.json",
                                 "unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"}) {
            QVERIFY2(!attempt(file, [](std::string& t) { t.resize(t.size() / 2); }), file);
            QVERIFY2(!attempt(file, [](std::string& t) { t.clear(); }), file);
        }
        const auto replaced = [&](const char* file, const std::string& from, const std::string& to) {
            return attempt(file, [&](std::string& t) {
                const auto at = t.find(from);
                if (at == std::string::npos) qFatal("%s does not contain %s", file, from.c_str());
                t.replace(at, from.size(), to);
            });
        };
        QVERIFY(!replaced("unet/config.json", "\"in_channels\": 12", "\"in_channels\": -12"));
        QVERIFY(!replaced("unet/config.json", "\"in_channels\": 12", "\"in_channels\": 13"));
        QVERIFY(!replaced("unet/config.json", "\"layers_per_block\": 1", "\"layers_per_block\": 2"));
        QVERIFY(!replaced("unet/config.json", "\"norm_num_groups\": 8", "\"norm_num_groups\": 7"));
        QVERIFY(!replaced("unet/config.json", "UNet2DConditionModel", "UNet3DConditionModel"));
        QVERIFY(!replaced("scheduler/scheduler_config.json", "v_prediction", "w_prediction"));
        QVERIFY(!replaced("scheduler/scheduler_config.json", "DDIMScheduler", "EDMEulerScheduler"));
        QVERIFY(!replaced("tokenizer/tokenizer_config.json", "\"model_max_length\": 24", "\"model_max_length\": -1"));
        QVERIFY(!replaced("text_encoder/config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5"));
    }
    // What a description says and Meander does not compute is refused, in place of an image of something else.
    void planarNetworksThatDiffer() {
        std::ifstream in(*findResource("models/flow2d/moons-flow.safetensors"), std::ios::binary);
        const std::string good(std::istreambuf_iterator<char>(in), {});
        QTemporaryDir folder;
        const auto inspected = [&](const std::string& from, const std::string& to) {
            std::string bytes = good;
            const auto at = bytes.find(from);
            if (at == std::string::npos || from.size() != to.size()) qFatal("not replaceable: %s", from.c_str());
            const auto path = folder.filePath("m.safetensors").toStdString();
            std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.replace(at, from.size(), to);
            return inspectModel(path).ok();
        };
        QVERIFY(inspected("silu", "silu"));
        QVERIFY(!inspected("silu", "tanh"));
        QVERIFY(!inspected("data_scale\\\": 1.0", "data_scale\\\": 0.0"));
        QVERIFY(!inspected("sin(2^0*pi*x/2)", "sin(2^3*pi*x/2)"));
        QVERIFY(!inspected("\"layers.1.bias\":", "\"layers.7.bias\":"));
    }
    void schedulers() {
        for (const char* known : {"DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "UniPCMultistepScheduler",
                                  "LCMScheduler", "TCDScheduler", "FlowMatchEulerDiscreteScheduler"})
            QVERIFY(meaningOfScheduler({{"_class_name", known}}, "a test").process.maximum() > 0);
        for (const char* unknown : {"KarrasVeScheduler", "ScoreSdeVeScheduler", "FlowMatchSomething", "x", ""})
            QVERIFY_THROWS_EXCEPTION(Failure, meaningOfScheduler({{"_class_name", unknown}}, "a test"));
        struct Row {
            const char* scheduler;
            Parametrization prediction;
            Distillation kind;
        };
        for (const Row& r :
             {Row{"LCMScheduler", Parametrization::LcmEpsilon, Distillation::Lcm},
              Row{"TCDScheduler", Parametrization::Epsilon, Distillation::Trajectory},
              Row{"EDMEulerScheduler", Parametrization::Edm, Distillation::None},
              Row{"EDMDPMSolverMultistepScheduler", Parametrization::Edm, Distillation::None},
              Row{"CMStochasticIterativeScheduler", Parametrization::Consistency, Distillation::Consistency},
              Row{"SCMScheduler", Parametrization::TrigFlow, Distillation::ContinuousConsistency}}) {
            const SchedulerMeaning m = meaningOfScheduler({{"_class_name", r.scheduler}}, "a test");
            QVERIFY2(m.parametrization == r.prediction && m.distillation == r.kind, r.scheduler);
        }
        // What the file leaves out is diffusers' default, and not read.
        const Json whole = {{"_class_name", "DDIMScheduler"},
                            {"prediction_type", "epsilon"},
                            {"beta_schedule", "linear"},
                            {"beta_start", 1e-4},
                            {"beta_end", 0.02}};
        const auto silent = [&](const char* key, bool isNull) {
            Json j = whole;
            if (isNull) j[key] = nullptr;
            else j.erase(key);
            const SchedulerMeaning m = meaningOfScheduler(j, "a test");
            return std::pair(m.unstatedPrediction, m.unstatedProcess);
        };
        using Keys = std::vector<std::string>;
        QVERIFY(meaningOfScheduler(whole, "a test").unstatedPrediction.empty());
        QVERIFY(meaningOfScheduler(whole, "a test").unstatedProcess.empty());
        for (const bool isNull : {false, true}) {
            QVERIFY(silent("prediction_type", isNull) == std::pair(Keys{"prediction_type"}, Keys()));
            for (const char* key : {"beta_schedule", "beta_start", "beta_end"})
                QVERIFY2(silent(key, isNull) == std::pair(Keys(), Keys{key}), key);
        }
        QVERIFY(meaningOfScheduler({{"_class_name", "FlowMatchEulerDiscreteScheduler"}}, "a test")
                    .unstatedPrediction.empty());
        const SchedulerMeaning edm = meaningOfScheduler(
            {{"_class_name", "EDMEulerScheduler"}, {"sigma_min", 0.01}, {"sigma_max", 120}, {"sigma_data", 1}},
            "a test");
        QVERIFY(edm.process.minimum() == 0.01 && edm.process.maximum() == 120 && edm.sigmaData == 1);
        for (const auto& [key, value] : {std::pair<const char*, Json>("prediction_type", "v_prediction"),
                                         {"sigma_min", 0},
                                         {"sigma_max", 0.001},
                                         {"sigma_data", -1}})
            QVERIFY_THROWS_EXCEPTION(
                Failure, meaningOfScheduler({{"_class_name", "EDMEulerScheduler"}, {key, value}}, "a test"));
        QVERIFY(inspectModel("analytic:foo").error().text.find("hyperboloid") != std::string::npos);
    }
    void unsupportedNetworks() {
        for (
            const char* text :
            {R"({"addition_embed_type":"text_image"})",
             R"({"down_block_types":["AttnDownBlock2D"],"up_block_types":["AttnUpBlock2D"],"block_out_channels":[32]})",
             R"({"block_out_channels":"many"})", R"({"act_fn":"gelu"})",
             R"({"down_block_types":[],"up_block_types":[]})", R"({"sample_size":63})", R"({"norm_eps":1e308})",
             R"({"norm_eps":0})", R"({"layers_per_block":1000000})"})
            QVERIFY_THROWS_EXCEPTION(Failure, unetConfig(Json::parse(text), "'config.json'"));
    }
};

QTEST_GUILESS_MAIN(TestCatalog)
#include "tst_catalog.moc"
