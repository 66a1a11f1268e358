// Recipes through images and files, arrays, tables, and a run as a folder.
#include <QtTest>

#include "engine/core/json.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/exchange/run_export.h"
#include "engine/exchange/table.h"
#include "engine/imaging/npy.h"
#include "engine/recipe/peer_names.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/project/fake_run.h"

using namespace meander;

class TestRecipes : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string at(const char* name) { return m_folder.filePath(name).toStdString(); }

private slots:
    void ourOwnComesBackExactly() {
        const Run run = fake::finished(fake::run(1));
        QVERIFY(writePng(at("p.png"), imageOf(run.images, 1), textsOf(run, 1)).ok());
        const auto read = readRecipeFrom(at("p.png"));
        QVERIFY2(read.ok(), read ? "" : read.error().text.c_str());
        QVERIFY(read->isExact());
        QVERIFY(read->recipe == run.recipe);
        QVERIFY(writeRecipeFile(at("r.json"), run.recipe).ok());
        QVERIFY(readRecipeFrom(at("r.json"))->recipe == run.recipe);
    }

    void parametersOfOthers() {
        const auto r = recipeFromParameters(
            "a cat, (best:1.2)\nsecond line\nNegative prompt: dog,\nblurry\nSteps: 28, Sampler: DPM++ 2M Karras, CFG "
            "scale: 6.5, Seed: 1234567890, Size: 512x768, Model hash: abc, Model: sd15, "
            "Lora hashes: \"a: 1, b: 2\", Version: v1.9");
        QCOMPARE(r.recipe.prompt, std::string("a cat, (best:1.2)\nsecond line"));
        QCOMPARE(r.recipe.negativePrompt, std::string("dog,\nblurry"));
        QCOMPARE(r.recipe.steps, 28);
        QCOMPARE(r.recipe.seed, std::uint64_t(1234567890));
        QCOMPARE(r.recipe.sampler.id, std::string("dpmpp_2m"));
        QCOMPARE(r.recipe.schedule.id, std::string("karras"));
        QCOMPARE(std::get<double>(r.recipe.guidance.at(0).params.at("scale")), 6.5);
        QCOMPARE(r.recipe.width, std::optional(512));
        QCOMPARE(r.recipe.height, std::optional(768));
        QCOMPARE(r.recipe.promptDialect, std::string("a1111"));  // the prompt has a weight
        const std::vector<std::string> left = {"Model: sd15 (choose it in the Model panel)"};
        QVERIFY2(r.notUnderstood() == left, qPrintable(QString::fromStdString(toJson(r).dump(1))));
        const auto other =
            recipeFromParameters("x\nSteps: 4, Sampler: Euler Dy, Schedule type: Fancy, CFG scale: 1, Seed: -1");
        QCOMPARE(other.recipe.guidance.size(), 0u);
        QCOMPARE(other.notUnderstood().size(), 3u);
        for (const char* odd : {"", "Steps:", "Steps: a, b:, \"", "Negative prompt:", "Steps: 5, X: \"unclosed"})
            static_cast<void>(recipeFromParameters(odd));
    }

    // Schedulers of diffusers in flow mode step in λ = log((1 − t)/t) where they step in λ at all.
    void flowModeOfDiffusers_data() {
        QTest::addColumn<QString>("config");
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("clock");
        const auto row = [](const char* kind, bool isFlow, const char* sampler, const char* clock) {
            QTest::addRow("%s, %s", kind, isFlow ? "flow" : "not flow")
                << QString(R"({"_class_name": "%1", "use_flow_sigmas": %2, "flow_shift": 3.0})")
                       .arg(kind, isFlow ? "true" : "false")
                << sampler << clock;
        };
        row("DPMSolverMultistepScheduler", true, "dpm_multistep", "lambda");
        row("DPMSolverSinglestepScheduler", true, "dpm_singlestep", "lambda");
        row("UniPCMultistepScheduler", true, "uni_pc_bh2", "lambda");
        row("DPMSolverMultistepScheduler", false, "dpm_multistep", "");
        row("UniPCMultistepScheduler", false, "uni_pc_bh2", "");
        row("EulerDiscreteScheduler", true, "euler", "");
        row("FlowMatchHeunDiscreteScheduler", true, "heun", "");
    }
    void flowModeOfDiffusers() {
        QFETCH(QString, config);
        QFETCH(QString, sampler);
        QFETCH(QString, clock);
        const auto r = recipeFromText(config.toStdString(), "a file");
        QVERIFY2(r.ok(), r ? "" : r.error().text.c_str());
        QCOMPARE(QString::fromStdString(r->recipe.sampler.id), sampler);
        const Params& p = r->recipe.sampler.params;
        QCOMPARE(p.contains("clock") ? QString::fromStdString(text(p, "clock")) : QString(), clock);
        const bool saysSo = std::any_of(r->settings.begin(), r->settings.end(), [](const ImportedSetting& s) {
            return s.reason.find("λ = log((1 − t)/t)") != std::string::npos;
        });
        QCOMPARE(saysSo, !clock.isEmpty());
        if (!clock.isEmpty()) QCOMPARE(r->recipe.schedule.id, std::string("flow_shift"));
        QVERIFY(resolveParams(*findSampler(r->recipe.sampler.id), p).ok());
        QCOMPARE(samplerNamed("UniPC FlowMatch", Peer::SdNext)->sampler.params.at("clock"),
                 ParamValue(std::string("lambda")));
    }

    // Every title and identifier that A1111/Forge, ComfyUI, stable-diffusion.cpp, InvokeAI and SD.Next write for a
    // sampler or schedule we have.
    void namesOfOthers() {
        const auto sampler = [](const char* name) { return samplerNamed(name).value_or(NamedSampler{}).sampler.id; };
        for (const char* name : {"DPM++ 2M",   "DPM++ SDE",    "DPM++ 2M SDE", "DPM++ 2M SDE Heun",
                                 "DPM++ 2S a", "DPM++ 3M SDE", "Euler a",      "Euler",
                                 "LMS",        "Heun",         "DPM2",         "DPM2 a",
                                 "DPM fast",   "DPM adaptive", "HeunPP2",      "IPNDM",
                                 "IPNDM_V",    "DEIS",         "DDIM",         "DDIM CFG++",
                                 "PLMS",       "UniPC",        "LCM",          "DDPM"}) {
            QVERIFY2(!sampler(name).empty(), name);
            if (std::string(name) != "DDIM CFG++")
                QCOMPARE(peerNameOfSampler({sampler(name), {}}), std::string(name));  // that one is an Euler CFG++ too
        }
        for (const char* name :
             {"euler", "euler_cfg_pp", "euler_ancestral", "euler_ancestral_cfg_pp", "heun", "heunpp2", "dpm_2",
              "dpm_2_ancestral", "lms", "dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral", "dpmpp_2s_ancestral_cfg_pp",
              "dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m", "dpmpp_2m_cfg_pp", "dpmpp_2m_sde", "dpmpp_2m_sde_gpu",
              "dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu", "dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "ddpm", "lcm", "ipndm",
              "ipndm_v", "deis", "res_multistep", "res_multistep_cfg_pp", "res_multistep_ancestral",
              "res_multistep_ancestral_cfg_pp", "gradient_estimation", "gradient_estimation_cfg_pp", "er_sde",
              "seeds_2", "seeds_3", "sa_solver", "sa_solver_pece", "ddim", "uni_pc", "uni_pc_bh2", "exp_heun_2_x0",
              "exp_heun_2_x0_sde",
              // stable-diffusion.cpp
              "euler_a", "dpm2", "dpm++2s_a", "dpm++2m", "dpm++2mv2", "ddim_trailing", "tcd", "res_2s",
              "euler_a_cfg_pp", "euler_ge", "dpm++2m_sde", "dpm++2m_sde_bt",
              // InvokeAI
              "deis_k", "lms_k", "pndm", "heun_k", "euler_k", "kdpm_2", "kdpm_2_k", "kdpm_2_a", "kdpm_2_a_k",
              "dpmpp_2s", "dpmpp_2s_k", "dpmpp_2m_k", "dpmpp_2m_sde_k", "dpmpp_3m", "dpmpp_3m_k", "dpmpp_sde_k",
              "unipc", "unipc_k",
              // SD.Next
              "DPM++ 1S", "DPM++ 3M", "DPM++ Inverse", "DPM SDE", "SA Solver", "KDPM2", "KDPM2 a", "ER-SDE", "PNDM",
              "LMSD", "TCD", "CMSI", "Euler FlowMatch", "Heun FlowMatch", "UniPC FlowMatch"})
            QVERIFY2(findSampler(sampler(name)), name);
        QCOMPARE(sampler("unipc"), std::string("uni_pc_bh2"));  // diffusers' default is bh2, A1111's bh1
        QCOMPARE(sampler("UniPC"), std::string("uni_pc"));
        QCOMPARE(std::get<std::int64_t>(samplerNamed("dpmpp_3m_k")->sampler.params.at("order")), std::int64_t(3));
        QCOMPARE(samplerNamed("dpmpp_3m_k")->schedule->id, std::string("karras"));
        QCOMPARE(samplerNamed("DPM++ 2M SDE Heun Exponential")->sampler.id, std::string("dpmpp_2m_sde_heun"));
        QCOMPARE(samplerNamed("DPM++ 2M SDE Heun Exponential")->schedule->id, std::string("exponential"));
        QVERIFY(!samplerNamed("Euler SMEA Dy") && !samplerNamed("") && !samplerNamed("_k") && !scheduleNamed("")
                && !scheduleNamed("Automatic"));

        for (const char* name :
             {"Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform", "KL Optimal", "Align Your Steps",
              "Align Your Steps 32", "Align Your Steps GITS", "Simple", "DDIM", "Beta", "Turbo", "Phi", "Laplace"}) {
            const auto schedule = scheduleNamed(name);
            QVERIFY2(
                schedule
                    && makeSchedule(schedule->id, Process::vpScaledLinear(1000, 0.00085, 0.012), 8, schedule->params)
                           .ok(),
                name);
            QCOMPARE(peerNameOfSchedule(*schedule), std::string(name));
        }
        for (const char* name :
             {"simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal", "linear_quadratic",
              "kl_optimal", "laplace", "vp", "turbo", "align_your_steps", "gits"}) {
            const auto schedule = scheduleNamed(name);
            QVERIFY2(
                schedule
                    && makeSchedule(schedule->id, Process::vpScaledLinear(1000, 0.00085, 0.012), 8, schedule->params)
                           .ok(),
                name);
        }
        for (const char* name :
             {"discrete", "karras", "exponential", "ays", "gits", "sgm_uniform", "simple", "smoothstep", "kl_optimal",
              "lcm", "bong_tangent", "ltx2", "logit_normal", "flux2", "flux", "beta"}) {
            const auto schedule = scheduleNamed(name, Peer::SdCpp);
            QVERIFY2(schedule, name);
            Params params = schedule->params;
            const bool isFlow = QStringList{"ltx2", "logit_normal", "flux2", "flux"}.contains(name);
            if (isFlow) params["tokens"] = std::int64_t(4096);
            QVERIFY2(
                makeSchedule(schedule->id,
                             isFlow ? Process::rectifiedFlow(1000, 3) : Process::vpScaledLinear(1000, 0.00085, 0.012),
                             8, params)
                    .ok(),
                name);
        }
        // "Beta" of A1111 is linear in σ, "beta" of ComfyUI takes whole steps: 14.61, 13.58 … and 14.61, 10.48 …
        const auto second = [](const char* name) {
            const auto s = scheduleNamed(name);
            return (*makeSchedule(s->id, Process::vpScaledLinear(1000, 0.00085, 0.012), 8, s->params))[1];
        };
        QVERIFY(std::abs(second("Beta") - 13.577) < 1e-3 && std::abs(second("beta") - 10.48347) < 1e-3);

        // "Automatic" is the sampler's own; stable-diffusion.cpp says which program it is and joins the schedule.
        QCOMPARE(
            recipeFromParameters("x\nSteps: 4, Sampler: DPM++ 3M SDE, Schedule type: Automatic").recipe.schedule.id,
            std::string("exponential"));
        QCOMPARE(recipeFromParameters("x\nSteps: 4, Sampler: Euler a, Schedule type: Automatic").recipe.schedule.id,
                 std::string("normal"));
        const auto cpp =
            recipeFromParameters("x\nSteps: 4, Sampler: dpm++2mv2 gits, Seed: 1, Version: stable-diffusion.cpp");
        QVERIFY(cpp.notUnderstood().empty());
        QCOMPARE(cpp.recipe.sampler.id, std::string("dpmpp_2m_v2"));
        QVERIFY(cpp.recipe.schedule == (Choice{"gits", {{"dialect", std::string("sdcpp")}}}));
    }

    void ourParametersReadBack() {
        Recipe r;
        r.prompt = "a red circle";
        r.seed = 77;
        r.steps = 12;
        r.guidance = {{"cfg", {{"scale", 3.0}}}};
        const auto back = recipeFromParameters(parametersText(r, 32, 32, "Sprites"));
        QCOMPARE(back.recipe.prompt, r.prompt);
        QCOMPARE(back.recipe.steps, 12);
        QCOMPARE(back.recipe.seed, r.seed);
        QVERIFY(back.recipe.sampler == r.sampler && back.recipe.schedule == r.schedule
                && back.recipe.guidance == r.guidance);
    }

    void noiseOfOthers() {
        const auto r =
            recipeFromParameters("x\nSteps: 4, Sampler: Euler a, Seed: 5, Variation seed: 77, Variation seed strength: "
                                 "0.25, Seed resize from: 512x384, RNG: NV, ENSD: 31337, SGM noise multiplier: True");
        QVERIFY(r.notUnderstood().empty());
        QCOMPARE(r.recipe.noise.id, std::string("nv_philox"));
        const Params expected = {
            {"variation_seed", std::int64_t(77)},     {"variation_strength", 0.25},
            {"variation_rule", std::string("a1111")}, {"resize_width", std::int64_t(64)},
            {"resize_height", std::int64_t(48)},      {"step_noise", std::string("restart")},
            {"step_seed_delta", std::int64_t(31337)}, {"initial_scale", std::string("unit_variance")}};
        QVERIFY(r.recipe.noise.params == expected);
        QVERIFY(recipeFromParameters(parametersText(r.recipe, 512, 512, "m")).recipe.noise == r.recipe.noise);
        // Without a word about the source A1111's noise is a GPU's.
        QCOMPARE(recipeFromParameters("x\nSteps: 4, ENSD: 3").recipe.noise.id, std::string("torch_cuda"));
        QCOMPARE(recipeFromParameters("x\nSteps: 4, Seed: 3").recipe.noise.id, std::string("torch_cuda"));
        for (const char* odd :
             {"Steps: 4, RNG: dice", "Steps: 4, Seed resize from: 0x0", "Steps: 4, Variation seed strength: 7"})
            QCOMPARE(recipeFromParameters(odd).notUnderstood().size(), 1u);
    }

    void arrays() {
        for (const HostTensor& t : {fake::noise({3, 4}, 1), fake::noise({5}, 2).toF16(),
                                    HostTensor::fromDoubles({2, 1, 2}, std::vector<double>{1, 2, 3, 4})}) {
            QVERIFY(writeNpy(at("a.npy"), t).ok());
            const auto back = readNpy(at("a.npy"));
            QVERIFY2(back.ok(), back ? "" : back.error().text.c_str());
            QVERIFY(back->sameBits(t));
        }
        QFile f(QString::fromStdString(at("a.npy")));
        QVERIFY(f.open(QIODevice::ReadOnly));
        const QByteArray good = f.readAll();
        for (int n = 0; n < good.size(); n += 3) {
            QFile cut(QString::fromStdString(at("cut.npy")));
            QVERIFY(cut.open(QIODevice::WriteOnly));
            cut.write(good.left(n));
            cut.close();
            QVERIFY(!readNpy(at("cut.npy")).ok());
        }
    }

    void tables() {
        Table t({"a", "b,c"});
        t.add({"1", "say \"x\""});
        QCOMPARE(t.csv(), std::string("a,\"b,c\"\r\n1,\"say \"\"x\"\"\"\r\n"));
        QCOMPARE(numberText(0.1), std::string("0.1"));
        QCOMPARE(numberText(std::nan("")), std::string());
        QCOMPARE(numberText(-INFINITY), std::string("-inf"));
    }

    void folderOfARun() {
        const Run run = fake::finished(fake::run(2));
        const auto files = exportRun(run, at("folder"));
        QVERIFY2(files.ok(), files ? "" : files.error().text.c_str());
        for (const char* name : {"image-1.png", "image-2.png", "strip-1.png", "trajectory.csv", "diagnostics.csv",
                                 "about.json", "recipe.json", "run.json", "attention/image-1/1-circle.png",
                                 "attention/image-1/about.json", "attention/image-1/raw.npy"})
            QVERIFY2(QFile::exists(m_folder.filePath("folder/") + name), name);
        for (const auto& f : *files) QVERIFY(QFile::exists(m_folder.filePath("folder/") + QString::fromStdString(f)));
        QCOMPARE(readNpy(at("folder/attention/image-1/raw.npy"))->shape().text(), std::string("(5, 6, 6)"));
        QVERIFY(readPng(at("folder/attention/image-1/1-circle.png"))
                    ->texts.at("Description")
                    .find("mean of 2 layers, 4 heads, steps 0–3")
                != std::string::npos);
        const auto about = readJsonFile(at("folder/about.json"));
        QVERIFY(about && (*about)["coordinates"].contains("states")
                && (*about)["levels"].size() == run.trajectory->levels.size());
        const Image strip = filmStrip(run, 0, 12);
        QCOMPARE(strip.width, 5 * 12 + 4 * 4);
        QVERIFY(!exportRun(run, "/proc/nowhere").ok());
    }
};

QTEST_GUILESS_MAIN(TestRecipes)
#include "tst_recipes.moc"
