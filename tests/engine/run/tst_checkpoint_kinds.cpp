// What a checkpoint is: every kind and every prediction can be declared in a recipe, folders say theirs by scheduler,
// configuration or name, and what is recommended is right for it: the plan has no word against it, and the run ends.
#include <QtTest>
#include <filesystem>
#include <fstream>

#include "engine/core/json.h"
#include "engine/core/resources.h"
#include "engine/models/checkpoint.h"
#include "engine/models/recommendation.h"
#include "engine/sampling/sampling.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

constexpr const char* processes[] = {"as_stated", "sd15", "vp-linear", "vp-cosine", "edm", "flow"};

Recipe declaredRecipe(const ModelInfo& stated, const Params& facts) {
    Recipe r = recommendedRecipe(stated);
    r.checkpoint = {"declared", facts};
    Recipe own = recommendedRecipe(modelOf(r, stated));
    own.checkpoint = r.checkpoint;
    own.images = 2;
    own.attention = AttentionLevel::Off;
    return own;
}

bool speaksAgainst(const Plan& p) {
    return std::any_of(p.notes.begin(), p.notes.end(), [](const PlanNote& n) {
        return n.kind == NoteKind::Warning && (n.key == "sampler" || n.key == "guidance");
    });
}

std::string notesOf(const Plan& p) {
    std::string all;
    for (const auto& n : p.notes) all += n.key + ": " + n.text + "\n";
    return all;
}

const Finding* findingOf(const ModelInfo& info, const std::string& key) {
    for (const Finding& f : info.findings)
        if (f.key == key) return &f;
    return nullptr;
}

// A copy of a built-in folder with linked weights, whose JSON files can be changed.
class Folder {
public:
    explicit Folder(const std::string& name = "model") : m_path(fs::path(m_folder.path().toStdString()) / name) {
        const fs::path source = *findResource("models/sprites-unet");
        for (const auto& e : fs::recursive_directory_iterator(source)) {
            const fs::path to = m_path / fs::relative(e.path(), source);
            if (e.is_directory()) fs::create_directories(to);
            else if (e.path().extension() == ".safetensors")
                fs::create_directories(to.parent_path()), fs::create_symlink(fs::absolute(e.path()), to);
            else fs::create_directories(to.parent_path()), fs::copy_file(e.path(), to);
        }
    }
    void change(const char* file, const Json& entries) {
        Json j = *readJsonFile((m_path / file).string());
        j.update(entries);
        std::ofstream(m_path / file, std::ios::trunc) << j.dump();
    }
    void replace(const char* file, const Json& j) { std::ofstream(m_path / file, std::ios::trunc) << j.dump(); }
    // As a folder of another program, without what ours say of themselves.
    void forget() {
        Json j = *readJsonFile((m_path / "model_index.json").string());
        j.erase("meander");
        replace("model_index.json", j);
    }
    std::string path() const { return m_path.string(); }

private:
    QTemporaryDir m_folder;
    fs::path m_path;
};

}  // namespace

class TestCheckpointKinds : public QObject {
    Q_OBJECT
private slots:
    void everyKindAndPrediction_data() {
        QTest::addColumn<int>("kind");
        for (int k = 0; k < distillations; ++k) QTest::newRow(checkpointRule(Distillation(k)).key) << k;
    }
    void everyKindAndPrediction() {
        QFETCH(int, kind);
        const CheckpointRule& rule = checkpointRule(Distillation(kind));
        const ModelInfo stated = *inspectModel("builtin:flow2d-moons");
        std::vector<Plan> plans;
        int refused = 0;
        for (const char* process : processes)
            for (int p = 0; p < parametrizationCount; ++p) {
                const Params facts{{"kind", std::string(rule.key)},
                                   {"prediction", std::string(nameOf(Parametrization(p)))},
                                   {"process", std::string(process)}};
                const std::string what = std::string(process) + ", " + nameOf(Parametrization(p));
                Recipe r = recommendedRecipe(stated);
                r.checkpoint = {"declared", facts};
                try {
                    r = declaredRecipe(stated, facts);
                } catch (const Failure& f) {
                    // Rules of curved spaces and of charges need theirs; the sentence says what.
                    QVERIFY2(Distillation(kind) == Distillation::Bridge
                                 || (Distillation(kind) == Distillation::Poisson && std::string(process) != "edm"),
                             (what + ": " + f.what()).c_str());
                    QVERIFY(std::string(f.what()).find("Declare") != std::string::npos);
                    QVERIFY(!plan(r, stated).ok());
                    ++refused;
                    continue;
                }
                const ModelInfo info = modelOf(r, stated);
                QVERIFY(info.distillation == Distillation(kind) && info.parametrization == Parametrization(p));
                QCOMPARE(findingOf(info, "kind")->value, std::string(rule.name));
                QVERIFY(findingOf(info, "kind")->source == Finding::Declared && findingOf(info, "prediction"));
                if (*rule.sampler) QCOMPARE(r.sampler.id, std::string(rule.sampler));
                QCOMPARE(r.steps, rule.usualSteps);
                const auto back = recipeFromJson(Json::parse(toJson(r).dump()));
                QVERIFY(back && *back == r);  // it is saved with the project and with images
                auto made = plan(r, stated);
                if (!made) {  // pure noise, where such a prediction says nothing
                    QVERIFY2(made.error().text.starts_with("At pure noise"), (what + ": " + made.error().text).c_str());
                    QVERIFY(info.process.kind() == ProcessKind::RectifiedFlow);
                    ++refused;
                    continue;
                }
                QVERIFY2(!speaksAgainst(*made), (what + "\n" + notesOf(*made)).c_str());
                plans.push_back(std::move(*made));
            }
        const auto runs = fixture::carryOut(plans);
        for (std::size_t i = 0; i < runs.size(); ++i) {
            // A velocity read as a score, times the variance, can grow beyond all numbers.
            const bool mayDiverge = plans[i].model.parametrization == Parametrization::Score;
            QVERIFY2(runs[i]
                         && (runs[i]->status == RunStatus::Finished
                             || (mayDiverge && runs[i]->problem.starts_with("The estimate became not a number"))),
                     (toJson(plans[i].resolved.checkpoint.params).dump() + (runs[i] ? runs[i]->problem : "")).c_str());
        }
        qInfo("%s: %d carried out, %d refused by name", rule.key, int(runs.size()), refused);
    }

    // A scheduler is that of a kind, or of a solver that any model takes.
    void schedulersOfFolders_data() {
        QTest::addColumn<QString>("scheduler");
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("sampler");
        const auto row = [](const char* scheduler, const char* kind, const char* sampler) {
            QTest::newRow(scheduler) << scheduler << kind << sampler;
        };
        row("LCMScheduler", "lcm", "lcm");
        row("FlowMatchLCMScheduler", "lcm", "lcm");
        row("TCDScheduler", "trajectory", "tcd");
        row("CMStochasticIterativeScheduler", "consistency", "consistency");
        row("SCMScheduler", "scm", "scm");
        for (const char* ordinary :
             {"DDIMScheduler", "DDIMParallelScheduler", "DDPMScheduler", "DEISMultistepScheduler",
              "DPMSolverMultistepScheduler", "DPMSolverSDEScheduler", "DPMSolverSinglestepScheduler",
              "EulerAncestralDiscreteScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler",
              "KDPM2AncestralDiscreteScheduler", "KDPM2DiscreteScheduler", "LMSDiscreteScheduler", "PNDMScheduler",
              "RePaintScheduler", "SASolverScheduler", "UniPCMultistepScheduler", "EDMEulerScheduler",
              "EDMDPMSolverMultistepScheduler"})
            row(ordinary, "none", "dpmpp_2m");
        for (const char* flow : {"FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"})
            row(flow, "none", "euler");
    }
    void schedulersOfFolders() {
        QFETCH(QString, scheduler);
        QFETCH(QString, kind);
        QFETCH(QString, sampler);
        Folder folder;
        folder.forget();
        folder.replace("scheduler/scheduler_config.json", {{"_class_name", scheduler.toStdString()}});
        const auto info = inspectModel(folder.path());
        QVERIFY2(info.ok(), info ? "" : info.error().text.c_str());
        QCOMPARE(checkpointRule(info->distillation).key, kind.toStdString());
        if (kind != "none") {
            QVERIFY(findingOf(*info, "kind"));
            QVERIFY(findingOf(*info, "kind")->reason.find(scheduler.toStdString()) != std::string::npos);
        }
        const Recipe r = recommendedRecipe(*info);
        QCOMPARE(r.sampler.id, sampler.toStdString());
        QCOMPARE(r.guidance.empty(), kind != "none");
        const auto made = plan(r, *info);
        QVERIFY2(made.ok(), made ? "" : made.error().text.c_str());
        QVERIFY2(!speaksAgainst(*made), notesOf(*made).c_str());
    }

    // Distilled networks often keep the scheduler of their teacher; further inputs and names tell them.
    void namesOfFolders_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<int>("steps");
        const auto row = [](const char* key, const char* name, const char* kind, const char* sampler, int steps) {
            QTest::newRow(name) << key << name << kind << sampler << steps;
        };
        constexpr const char* path = "_name_or_path";
        row(path, "stabilityai/sdxl-turbo", "none", "euler_ancestral", 4);
        row(path, "someone/SDXL-Lightning-8step", "none", "euler", 8);
        row(path, "someone/Hyper-SD15-1-step", "trajectory", "tcd", 1);
        row(path, "someone/dmd2_sdxl_4step_unet", "dmd", "dmd", 4);
        row(path, "someone/pcm_sd15_normalcfg_8step", "phased", "pcm", 8);
        row(path, "someone/lcm-sdxl", "lcm", "lcm", 4);
        row(path, "someone/tcd-sd21-base", "trajectory", "tcd", 4);
        row(path, "someone/perflow-sd15", "reflow", "euler", 4);
        row(path, "someone/shortcut-models", "shortcut", "shortcut", 4);
        row("_class_name", "LatentConsistencyModelPipeline", "lcm", "lcm", 4);
        row(path, "someone/turbocharger", "none", "dpmpp_2m", 20);  // parts of words say nothing
        row(path, "/home/lcm/models/stable-diffusion-v1-5", "none", "dpmpp_2m", 20);
    }
    void namesOfFolders() {
        QFETCH(QString, key);
        QFETCH(QString, name);
        QFETCH(QString, kind);
        QFETCH(QString, sampler);
        QFETCH(int, steps);
        Folder folder;
        folder.forget();
        folder.change("model_index.json", {{key.toStdString(), name.toStdString()}});
        folder.change("scheduler/scheduler_config.json", {{"prediction_type", "epsilon"}});
        const auto info = inspectModel(folder.path());
        QVERIFY2(info.ok(), info ? "" : info.error().text.c_str());
        QCOMPARE(checkpointRule(info->distillation).key, kind.toStdString());
        const Recipe r = recommendedRecipe(*info);
        QCOMPARE(r.sampler.id, sampler.toStdString());
        QCOMPARE(r.steps, steps);
        QCOMPARE(r.guidance.empty(), steps < 20);
        const auto made = plan(r, *info);
        QVERIFY2(made.ok(), made ? "" : made.error().text.c_str());
        QVERIFY2(!speaksAgainst(*made), notesOf(*made).c_str());
        if (steps == 20) return;
        QVERIFY(findingOf(*info, "kind") && findingOf(*info, "kind")->source == Finding::Assumed);
        // A scale on top of what is distilled in is warned of.
        Recipe guided = r;
        guided.prompt = "a red circle above a blue square on a green background";
        guided.guidance = {{"cfg", {{"scale", 7.5}}}};
        const auto warned = plan(guided, *info);
        QVERIFY(warned && std::any_of(warned->notes.begin(), warned->notes.end(), [](const PlanNote& n) {
                              return n.key == "guidance" && n.text.find("distilled") != std::string::npos;
                          }) == (kind != "reflow" && kind != "shortcut"));
        // The user's word stands above all.
        Recipe declared = r;
        declared.checkpoint = {"declared", {{"kind", std::string("none")}}};
        QVERIFY(modelOf(declared, *info).distillation == Distillation::None);
    }

    void conditionedOnAScale() {
        Folder folder;
        folder.forget();
        folder.change("scheduler/scheduler_config.json", {{"prediction_type", "epsilon"}});
        folder.change("unet/config.json", {{"time_cond_proj_dim", 256}});
        const auto info = inspectModel(folder.path());
        QVERIFY2(info.ok(), info ? "" : info.error().text.c_str());
        QVERIFY(info->distillation == Distillation::Lcm && info->parametrization == Parametrization::LcmEpsilon);
    }
};

QTEST_GUILESS_MAIN(TestCheckpointKinds)
#include "tst_checkpoint_kinds.moc"
