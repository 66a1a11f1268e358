// Inputs that stand beside the repository: small ones that people's reports led to (cases) and real images, graphs and
// configurations of other programs (real). Skipped by name where they are absent; MEANDER_REFERENCE names another
// place.
#include <QtTest>

#include "engine/exchange/recipe_exchange.h"
#include "engine/guidance/guidance.h"
#include "engine/models/scheduler_config.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;

namespace {

QString reference() { return qEnvironmentVariable("MEANDER_REFERENCE", MEANDER_SOURCE_DIR "/../shared/reference"); }
QStringList filesOf(const QString& folder, const QStringList& patterns = {"*"}) {
    return QDir(reference() + folder).entryList(patterns, QDir::Files, QDir::Name);
}
bool isThere() { return QDir(reference() + "/cases/pictures").exists() && QDir(reference() + "/real").exists(); }

// What must be read of one file; empty and 0 where the file does not say it.
struct Case {
    const char *file, *program, *prompt, *negative;
    int steps;
    const char *sampler, *schedule;
    double scale;
    std::uint64_t seed;
};

// Files of cases/pictures that differ from the plain one: every other is read as `plain`.
const Case plain = {"", "AUTOMATIC1111", "a red circle above a blue square", "blurry", 28, "euler_ancestral", "normal",
                    7,  1234567};
const Case cases[] = {
    {"a02_multiline_extra.png", "AUTOMATIC1111", "a ball", "blurry", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a03_template_lines.png", "AUTOMATIC1111", "a red ball", "blurry", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a04_empty_value.png", "AUTOMATIC1111", "a ball", "blurry", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a05_settings_only.png", "AUTOMATIC1111", "", "", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a06_negative_only.png", "AUTOMATIC1111", "", "blurry, dark", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a07_hashes_json.png", "AUTOMATIC1111", "a ball", "blurry", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a08_civitai_json.png", "AUTOMATIC1111", "a ball", "blurry", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a09_prompt_steps_word.png", "AUTOMATIC1111", "how to draw. Steps: first a circle", "blurry", 28,
     "euler_ancestral", "normal", 7, 1234567},
    {"a10_no_settings_steps_word.png", "AUTOMATIC1111", "stairs of stone, Steps: many", "", 20, "dpmpp_2m", "karras", 7,
     42},
    {"a11_brace_prompt.png", "AUTOMATIC1111", "{red|blue} ball, night", "blurry", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"a12_old_euler_no_schedule.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 5},
    {"a13_old_dpmpp2m_no_schedule.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_2m", "normal", 7, 5},
    {"a14_schedule_before_sampler.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "karras", 7, 5},
    {"a15_automatic_before_sampler.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_3m_sde", "exponential", 7, 5},
    {"a16_comma_decimal.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7.5, 5},
    {"a17_crlf_trailing.png", "AUTOMATIC1111", "a ball", "blurry", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a18_big_seed.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 18446744073709551615u},
    {"a19_seed_too_big.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 42},
    {"a20_seed_minus1.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 42},
    {"a21_weights_lora.png", "AUTOMATIC1111", nullptr, "(worst quality:1.4)", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"a22_comfy_saver_suffix.png", "ComfyUI", "a ball", "", 25, "dpmpp_2m", "karras", 8, 456},
    {"a23_comfy_saver_gpu_suffix.png", "ComfyUI", "a ball", "", 25, "dpmpp_2m_sde", "exponential", 8, 456},
    {"a24_sdcpp.png", "stable-diffusion.cpp", "a ball", "blurry", 20, "euler_ancestral", "karras", 7, 42},
    {"a25_sdnext.png", "SD.Next", "a ball", "blurry", 20, "euler_ancestral", "model_steps", 6, 123},
    {"a26_cfg0.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 0, 5},
    {"a27_cfg_negative.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 5},
    {"a28_cfg100.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 5},
    {"a29_img2img.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 5},
    {"a30_cfg_int_steps_float.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 5},
    {"a31_lower_keys.png", "AUTOMATIC1111", "a ball", "blurry", 20, "euler_ancestral", "normal", 7, 5},
    {"a32_forge_distilled.png", "Forge", "a ball", "", 20, "euler", "simple", 1, 5},
    {"a33_negative_marker_inside.png", "AUTOMATIC1111", "a ball with the words Negative prompt: none",
     "one\nsecond Negative prompt: two", 28, "euler_ancestral", "normal", 7, 1234567},
    {"a34_blank_lines.png", "AUTOMATIC1111", "a ball\n\n\nred", "blurry\n\ndark", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"a35_unclosed_quote.png", "AUTOMATIC1111", "a ball", "", 20, "euler_ancestral", "normal", 7, 5},
    {"a36_escaped_newline_quote.png", "AUTOMATIC1111", "a ball", "x", 20, "euler_ancestral", "normal", 7, 5},
    {"b01_tEXt_raw_utf8.png", "AUTOMATIC1111", "テスト, café, 🐱 cat", "дом", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"b02_tEXt_latin1.png", "AUTOMATIC1111", "café naïve", "", 28, "euler_ancestral", "normal", 7, 1234567},
    {"b03_iTXt.png", "AUTOMATIC1111", "テスト, café, 🐱 cat", "дом", 28, "euler_ancestral", "normal", 7, 1234567},
    {"b04_iTXt_compressed.png", "AUTOMATIC1111", "テスト, café, 🐱 cat", "дом", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"b14_two_parameters.png", "AUTOMATIC1111", "first", "", 28, "euler_ancestral", "normal", 7, 1234567},
    {"b15_big_ztxt_5MB.png", "AUTOMATIC1111", nullptr, nullptr, 28, "euler_ancestral", "normal", 7, 1234567},
    {"b20_null_in_text.png", "AUTOMATIC1111", "a b", "", 28, "euler_ancestral", "normal", 7, 1234567},
    {"c01_swarm.png", "SwarmUI", "a ball", "blurry", 25, "dpmpp_2m", "karras", 4, 581626448},
    {"c02_comfy_nan.png", "ComfyUI", "a ball", "blurry", 20, "dpmpp_2m", "normal", 8, 1102676403634909},
    {"c04_novelai.png", "NovelAI", "a ball", "blurry", 28, "euler_ancestral", "normal", 5, 77},
    {"c05_invoke.png", "InvokeAI", "a ball", "", 30, "euler_ancestral", "model_steps", 7.5, 9},
    {"c06_fooocus.png", "Fooocus", "a ball", "", 30, "dpmpp_2m_sde", "karras", 4, 5},
    {"e01_no_schedule_Euler.png", "AUTOMATIC1111", "a ball", "", 20, "euler", "normal", 7, 5},
    {"e02_no_schedule_Heun.png", "AUTOMATIC1111", "a ball", "", 20, "heun", "normal", 7, 5},
    {"e03_no_schedule_DPM2_a.png", "AUTOMATIC1111", "a ball", "", 21, "dpm_2_ancestral", "karras", 7, 5},
    {"e04_no_schedule_LMS.png", "AUTOMATIC1111", "a ball", "", 20, "lms", "normal", 7, 5},
    {"e05_no_schedule_DDIM.png", "AUTOMATIC1111", "a ball", "", 20, "ddim", "ddim_uniform", 7, 5},
    {"e06_no_schedule_PLMS.png", "AUTOMATIC1111", "a ball", "", 20, "plms", "ddim_uniform", 7, 5},
    {"e08_no_schedule_LCM.png", "AUTOMATIC1111", "a ball", "", 20, "lcm", "normal", 7, 5},
    {"e09_no_schedule_DPMpp_3M_SDE.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_3m_sde", "exponential", 7, 5},
    {"e11_no_schedule_dpmpp_sde.png", "ComfyUI", "a ball", "", 20, "dpmpp_sde", "normal", 7, 5},
    {"e12_no_schedule_DPMpp_2M_SDE_Heun.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_2m_sde_heun", "exponential", 7,
     5},
    {"f02_settings_over_two_lines.png", "AUTOMATIC1111", "a ball", "blurry", 20, "euler_ancestral", "normal", 7, 5},
    {"f03_no_steps_key.png", "AUTOMATIC1111", "a ball", "blurry", 20, "euler_ancestral", "normal", 7, 5},
    {"f04_steps_second.png", "AUTOMATIC1111", "a ball", "blurry", 20, "euler_ancestral", "normal", 7, 5},
    {"f06_prompt_double_brace.png", "AUTOMATIC1111", "{{ball}}, night", "", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"f08_prompt_starts_space_brace.png", "AUTOMATIC1111", "{red|blue} ball", "", 28, "euler_ancestral", "normal", 7,
     1234567},
    {"f09_negative_multiline_only_settings_word.png", "AUTOMATIC1111", "a ball", "no Steps: please", 28,
     "euler_ancestral", "normal", 7, 1234567},
    {"f10_schedule_names.png", "AUTOMATIC1111", "a ball", "", 20, "euler", "karras", 7, 5},
    {"f11_scheduler_key.png", "AUTOMATIC1111", "a ball", "", 20, "euler", "sgm_uniform", 7, 5},
    {"f12_sampler_unknown_schedule_known.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_2m", "beta", 7, 5},
    {"f13_sampler_with_other_schedule_after.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_2m", "exponential", 7, 5},
    {"f14_schedule_then_sampler_with_karras.png", "AUTOMATIC1111", "a ball", "", 20, "dpmpp_2m", "exponential", 7, 5},
};
const QStringList withoutRecipe = {"b19_exif_only.png", "h2_jpeg.jpg", "h3_webp.webp"};

// Of real images and graphs: the first pass from noise.
const Case realCases[] = {
    {"png_metadata/parsers__AUTOMATIC1111__automatic1111_cropped.png", "AUTOMATIC1111", "photo of a duck", "monochrome",
     15, "uni_pc", "ddim_uniform", 5, 235284042},
    {"png_metadata/parsers__AUTOMATIC1111__automatic1111_cropped.jpg", "AUTOMATIC1111", "photo of a duck", "monochrome",
     15, "uni_pc", "ddim_uniform", 5, 235284042},
    {"png_metadata/parsers__AUTOMATIC1111__automatic1111_stealth.png", "AUTOMATIC1111", "a circle", "a square", 20,
     "euler", "normal", 7, 2015833630},
    {"png_metadata/parsers__Fooocus__fooocus1_cropped.png", "Fooocus", "a smiling goldfish", "", 30, "dpmpp_2m_sde",
     "karras", 4, 6952411511246973023u},
    {"png_metadata/parsers__InvokeAI__invokeai_dream1.png", "InvokeAI", nullptr, "rendering, glowing eyes, skinny", 50,
     "lms", "model_steps", 5, 2980747362},
    {"png_metadata/parsers__InvokeAI__invokeai_imeta1.png", "InvokeAI", nullptr, nullptr, 35, "euler", "model_steps", 8,
     3293022630},
    {"png_metadata/parsers__NovelAI__novelai1_cropped.png", "NovelAI", "masterpiece, best quality,  cat, space, icon",
     nullptr, 50, "euler_ancestral", "normal", 10, 2253955223},
    {"png_metadata/comfy__lora.png", "ComfyUI", "masterpiece best quality girl", "bad hands", 20, "euler", "normal", 8,
     851616030078638},
    {"png_metadata/comfy__sdxlturbo_example.png", "ComfyUI", nullptr, "text, watermark", 1, "euler_ancestral",
     "sd_turbo", 1, 0},
    {"png_metadata/parsers__ComfyUI__img2img_cropped.png", "ComfyUI",
     "photograph of victorian woman with wings, sky clouds, meadow grass", "watermark, text", 20, "dpmpp_2m", "normal",
     8, 280823642470253},
    {"comfy_prompts/embedding_example.prompt.json", "ComfyUI", nullptr, "bad hands", 21, "uni_pc_bh2", "normal", 8,
     193694018275622},
    {"comfy_prompts/flux_dev_example.prompt.json", "ComfyUI", nullptr, "", 20, "euler", "simple", 1, 219670278747233},
    {"comfy_prompts/flux2_example.prompt.json", "ComfyUI", nullptr, "", 20, "euler", "flux2", 1, 435922656034510},
    {"comfy_prompts/lumina2_basic_example.prompt.json", "ComfyUI", nullptr, "blurry ugly bad", 25, "res_multistep",
     "simple", 4, 854547257397629},
    {"comfy_templates/image_z_image_turbo.json", "ComfyUI", nullptr, "", 8, "res_multistep", "simple", 1, 0},
    {"comfy_templates/image_qwen_image.json", "ComfyUI", nullptr, "", 20, "euler", "simple", 4, 50347169638278},
    {"comfy_templates/image_flux2.json", "ComfyUI", nullptr, "", 20, "euler", "flux2", 1, 342971778941390},
    {"comfy_templates/sd3.5_simple_example.json", "ComfyUI", nullptr, "", 20, "euler", "sgm_uniform", 4.01,
     585483408983215},
};

double scaleOf(const Recipe& r) {
    for (const Choice& g : r.guidance)
        if (g.id == "cfg") return real(g.params, "scale");
    return 1;
}

// Empty, or what differs.
std::string difference(const ReadRecipe& r, const Case& c) {
    const auto text = [](const char* what, const std::string& found, const char* wanted) {
        return wanted && found != wanted ? std::string(what) + " '" + found + "' instead of '" + wanted + "'; "
                                         : std::string();
    };
    const auto number = [](const char* what, double found, double wanted) {
        return found != wanted ? std::string(what) + " " + std::to_string(found) + "; " : std::string();
    };
    return text("program", r.program, c.program) + text("prompt", r.recipe.prompt, c.prompt)
           + text("negative prompt", r.recipe.negativePrompt, c.negative)
           + text("sampler", r.recipe.sampler.id, c.sampler) + text("schedule", r.recipe.schedule.id, c.schedule)
           + number("steps", r.recipe.steps, c.steps) + number("scale", scaleOf(r.recipe), c.scale)
           + (r.recipe.seed != c.seed ? "seed; " : "");
}

// The choices of an imported recipe are ones of our tables, in our ranges.
std::string impossible(const Recipe& r) {
    const auto check = [](const auto* info, const Choice& c) {
        if (!info) return "no '" + c.id + "'; ";
        const auto p = resolveParams(info->params, c.params, c.id);
        return p ? std::string() : p.error().text;
    };
    std::string s = check(findSampler(r.sampler.id), r.sampler) + check(findSchedule(r.schedule.id), r.schedule)
                    + check(findNoise(r.noise.id), r.noise);
    for (const Choice& o : r.scheduleOperators) s += check(findScheduleOperator(o.id), o);
    for (const Choice& g : r.guidance) s += check(findGuidance(g.id), g);
    const auto back = recipeFromJson(toJson(r));
    return s + (back && *back == r ? "" : "another recipe after JSON");
}

bool isSkipped() { return !isThere(); }

}  // namespace

class TestReferenceFiles : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        if (isSkipped()) QSKIP("no reference inputs beside the repository");
    }

    void pictures() {
        int read = 0;
        for (const QString& name : filesOf("/cases/pictures")) {
            const auto r = readRecipeFrom((reference() + "/cases/pictures/" + name).toStdString());
            if (withoutRecipe.contains(name)) {
                QVERIFY2(!r.ok() && r.error().text.find("no recipe") != std::string::npos, qPrintable(name));
                continue;
            }
            QVERIFY2(r.ok(), r ? "" : r.error().text.c_str());
            const auto* c =
                std::find_if(std::begin(cases), std::end(cases), [&](const Case& k) { return name == k.file; });
            const std::string wrong = difference(*r, c == std::end(cases) ? plain : *c) + impossible(r->recipe);
            QVERIFY2(wrong.empty(), (name.toStdString() + ": " + wrong + toJson(*r).dump(1)).c_str());
            QVERIFY2(r->recipe.prompt.find("Sampler:") == std::string::npos
                         && r->recipe.negativePrompt.find("Sampler:") == std::string::npos,
                     qPrintable(name));
            ++read;
        }
        qInfo() << read << "files read";
        QVERIFY(read >= 89);
    }

    void realImagesAndGraphs() {
        int read = 0;
        for (const QString folder : {"png_metadata", "comfy_prompts", "comfy_templates"})
            for (const QString& name : filesOf("/real/" + folder, {"*.png", "*.jpg", "*.json"})) {
                const auto r = readRecipeFrom((reference() + "/real/" + folder + "/" + name).toStdString());
                if (name.startsWith("bad_images")) {
                    QVERIFY2(!r.ok() && r.error().text.size() > 20, qPrintable(name));
                    continue;
                }
                QVERIFY2(r.ok(), r ? "" : r.error().text.c_str());
                const std::string wrong = impossible(r->recipe);
                QVERIFY2(wrong.empty(), (name.toStdString() + ": " + wrong).c_str());
                QVERIFY2(!r->notUnderstood().empty() && !r->settings.empty(), qPrintable(name));
                ++read;
            }
        for (const Case& c : realCases) {
            const auto r = readRecipeFrom((reference() + "/real/" + c.file).toStdString());
            const std::string wrong = r ? difference(*r, c) : r.error().text;
            QVERIFY2(wrong.empty(), (std::string(c.file) + ": " + wrong + (r ? toJson(*r).dump(1) : "")).c_str());
        }
        qInfo() << read << "images and graphs";
        QVERIFY(read >= 44);
        // Both formats of a graph give one recipe.
        for (const QString& name : filesOf("/real/comfy_prompts", {"*.prompt.json"})) {
            QString other = name;
            other.replace(".prompt.json", ".workflow.json");
            const std::string folder = (reference() + "/real/comfy_prompts/").toStdString();
            const auto api = readRecipeFrom(folder + name.toStdString()),
                       editor = readRecipeFrom(folder + other.toStdString());
            QVERIFY2(api->recipe == editor->recipe, qPrintable(name));
        }
    }

    // Read, or refused with a sentence that names the setting.
    void schedulerConfigs() {
        const std::map<QString, const char*> refused = {{"e07_trained_betas_short.json", "trained_betas"},
                                                        {"e11_schedule_laplace.json", "laplace"},
                                                        {"e12_steps_string.json", "num_train_timesteps"},
                                                        {"e14_steps_1.json", "two training steps"},
                                                        {"e15_steps_0.json", "num_train_timesteps"},
                                                        {"e17_class_edm.json", "v_prediction"},
                                                        {"e18_class_none.json", "not named"},
                                                        {"e19_class_unknown.json", "FooScheduler"},
                                                        {"e20_class_custom_list.json", "_class_name"},
                                                        {"e28_comment_json.json", "JSON"},
                                                        {"e29_trailing_comma.json", "JSON"},
                                                        {"e31_beta_one.json", "rise"},
                                                        {"e32_beta_rev.json", "rise"},
                                                        {"e33_snr_shift_scale.json", "snr_shift_scale"}};
        int count = 0;
        for (const QString& name : filesOf("/cases/scheduler_configs")) {
            if (name.contains("tokenizer")) continue;
            ++count;
            std::string problem;
            std::optional<SchedulerMeaning> meaning;
            try {
                const auto j = readJsonFile((reference() + "/cases/scheduler_configs/" + name).toStdString());
                if (!j) throw Failure(j.error().text);
                meaning = meaningOfScheduler(*j, "'" + name.toStdString() + "'");
            } catch (const Failure& f) {
                problem = f.what();
            }
            const auto expected = refused.find(name);
            if (expected != refused.end())
                QVERIFY2(problem.find(expected->second) != std::string::npos,
                         qPrintable(name + ": " + QString::fromStdString(problem)));
            else QVERIFY2(meaning.has_value(), (name.toStdString() + ": " + problem).c_str());
            if (name.startsWith("e09")) QVERIFY(meaning->parametrization == Parametrization::X0);
            if (name.startsWith("e24") || name.startsWith("e25")) {
                QVERIFY(meaning->process.kind() == ProcessKind::RectifiedFlow);
                QCOMPARE(meaning->process.timeShift(), 3.0);
            }
        }
        qInfo() << count << "configurations";
        QVERIFY(count >= 30);
        // A continuous time is another process.
        const Json continuous = {
            {"_class_name", "EulerDiscreteScheduler"}, {"timestep_type", "continuous"}, {"sigma_max", 700.0}};
        QVERIFY_THROWS_EXCEPTION(Failure, meaningOfScheduler(continuous, "a file"));
    }

    // Sound files of other kinds are called what they are; only cut or contradictory ones are called damaged.
    void weightFiles() {
        struct Expected {
            const char *file, *word;  // of the sentence; empty: it opens
            bool mayBeDamaged;
        };
        const Expected expected[] = {{"dtype_c64.safetensors", "", false},
                                     {"dtype_f4.safetensors", "", false},
                                     {"dtype_f8_e8m0.safetensors", "", false},
                                     {"only_metadata.safetensors", "", false},
                                     {"model.gguf", "", false},
                                     {"model.ckpt", "", false},
                                     {"empty.safetensors", "empty", false},
                                     {"lfs_pointer.safetensors", "LFS", false},
                                     {"page_404.safetensors", "HTML", false},
                                     {"duplicate_key.safetensors", "two entries", true},
                                     {"metadata_number.safetensors", "", false}};
        int count = 0;
        for (const Expected& e : expected) {
            const std::string path = (reference() + "/cases/files/").toStdString() + e.file;
            QVERIFY(QFile::exists(QString::fromStdString(path)));
            const auto file = WeightFile::open(path);
            const std::string said = file ? "" : file.error().text;
            if (*e.word) QVERIFY2(said.find(e.word) != std::string::npos, (std::string(e.file) + ": " + said).c_str());
            QVERIFY2(e.mayBeDamaged || said.find("damaged") == std::string::npos,
                     (std::string(e.file) + ": " + said).c_str());
            // As a model none of them opens; the sentence says why.
            const auto model = inspectModel(path);
            QVERIFY2(!model.ok() && model.error().text.size() > 30, e.file);
            QVERIFY2(e.mayBeDamaged || model.error().text.find("damaged") == std::string::npos,
                     model.error().text.c_str());
            ++count;
        }
        qInfo() << count << "files";
    }

    // A sentence of the reader or of the plan, or a run to its end; never an internal word.
    void recipes() {
        int count = 0, refused = 0, ran = 0;
        for (const QString& name : filesOf("/cases/recipes")) {
            const auto r = readRecipeFrom((reference() + "/cases/recipes/" + name).toStdString());
            ++count;
            std::string said = r ? "" : r.error().text;
            if (r) {
                QVERIFY2(r->source == "meander", qPrintable(name));
                Recipe recipe = r->recipe;
                recipe.attention = AttentionLevel::Off;
                auto made = plan(recipe);
                if (!made) said = made.error().text;
                else if (double(made->evaluations) * recipe.images < 20'000) {
                    const auto run = fixture::carryOut(*made);
                    QVERIFY2(run && run->status == RunStatus::Finished,
                             (name.toStdString() + ": " + (run ? run->problem : "no end")).c_str());
                    ++ran;
                }
            }
            refused += !said.empty();
            QVERIFY2(said.empty() || (said.size() > 20 && said.find('.') != std::string::npos), said.c_str());
            for (const char* word : {"std::", "nlohmann", "json.exception", "type_error", "combine:", "map::at"})
                QVERIFY2(said.find(word) == std::string::npos, said.c_str());
        }
        qInfo() << count << "recipes," << ran << "carried out," << refused << "refused";
        QVERIFY(count >= 30 && ran >= 8);
    }
};

QTEST_GUILESS_MAIN(TestReferenceFiles)
#include "tst_reference_files.moc"
