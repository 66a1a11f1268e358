// Settings of other programs: read, assumed and said, or not understood and said; never dropped or pasted into a
// prompt. The walk makes every writer's settings and leaves out, moves, repeats and breaks each key.
#include <QtTest>

#include "engine/exchange/recipe_exchange.h"

using namespace meander;

namespace {

using Setting = std::pair<std::string, std::string>;

// A writer of the text of parameters: its settings, in its order.
struct Writer {
    const char* name;
    std::vector<Setting> settings;
    const char* noise;
};
const std::vector<Writer>& writers() {
    static const std::vector<Writer> list = {
        {"AUTOMATIC1111",
         {{"Steps", "28"},
          {"Sampler", "DPM++ 2M"},
          {"Schedule type", "Exponential"},
          {"CFG scale", "6.5"},
          {"Seed", "1234567"},
          {"Size", "512x768"},
          {"Model hash", "0123456789"},
          {"Model", "any"},
          {"RNG", "CPU"},
          {"Wildcard prompt", "\"a __colour__\\nball, Steps: 3\""},
          {"Hashes", "{\"model\": \"01\", \"lora:x, y\": \"ab\"}"},
          {"Version", "v1.10.1"}},
         "torch_cpu"},
        {"Forge",
         {{"Steps", "20"},
          {"Sampler", "Euler"},
          {"Schedule type", "Simple"},
          {"CFG scale", "2"},
          {"Distilled CFG Scale", "3.5"},
          {"Seed", "5"},
          {"Size", "896x1152"},
          {"Model", "flux1-dev"},
          {"Module 1", "ae"},
          {"Version", "f2.0.1v1.10.1-previous-659-gc055f2d4"}},
         "torch_cuda"},
        {"SD.Next",
         {{"Steps", "20"},
          {"Size", "512x512"},
          {"Sampler", "Euler a"},
          {"Seed", "123"},
          {"CFG scale", "6"},
          {"App", "SD.Next"},
          {"Version", "abc"},
          {"Pipeline", "StableDiffusionPipeline"},
          {"Operations", "txt2img"}},
         "torch_cuda"},
        {"stable-diffusion.cpp",
         {{"Steps", "20"},
          {"CFG scale", "7.000000"},
          {"Guidance", "3.500000"},
          {"Eta", "0.000000"},
          {"Seed", "42"},
          {"Size", "512x512"},
          {"Model", "x.safetensors"},
          {"RNG", "cuda"},
          {"Sampler", "dpm++2m karras"},
          {"Version", "stable-diffusion.cpp"}},
         "nv_philox"},
        {"ComfyUI",
         {{"Steps", "25"},
          {"Sampler", "dpmpp_2m_karras"},
          {"CFG Scale", "8"},
          {"Seed", "456"},
          {"Size", "512x512"},
          {"Model", "m"},
          {"Version", "ComfyUI"}},
         "torch_cpu"},
    };
    return list;
}

// A writer of JSON: its keys, in its order. Prompts have keys of their own.
struct JsonWriter {
    const char *name, *promptKey, *negativeKey;
    std::vector<std::pair<std::string, Json>> entries;
    const char* wrap = nullptr;  // of an object around it
};
const std::vector<JsonWriter>& jsonWriters() {
    static const std::vector<JsonWriter> list = {
        {"SwarmUI",
         "prompt",
         "negativeprompt",
         {{"model", "any"},
          {"seed", 581626448},
          {"steps", 25},
          {"cfgscale", 4.5},
          {"aspectratio", "1:1"},
          {"width", 1024},
          {"height", 1024},
          {"sampler", "dpmpp_2m"},
          {"scheduler", "karras"},
          {"swarm_version", "0.9.5"}},
         "sui_image_params"},
        {"Fooocus",
         "prompt",
         "negative_prompt",
         {{"seed", 6952411511246973023u},
          {"steps", 30},
          {"guidance_scale", 4},
          {"sampler", "dpmpp_2m_sde_gpu"},
          {"scheduler", "karras"},
          {"adm_guidance", "(1.5, 0.8, 0.3)"},
          {"base_model", "any"},
          {"resolution", "(1152, 896)"},
          {"metadata_scheme", "fooocus"},
          {"version", "Fooocus v2.3.1"}}},
        {"InvokeAI",
         "positive_prompt",
         "negative_prompt",
         {{"generation_mode", "txt2img"},
          {"width", 512},
          {"height", 768},
          {"seed", 9},
          {"rand_device", "cpu"},
          {"cfg_scale", 7.5},
          {"cfg_rescale_multiplier", 0.25},
          {"steps", 30},
          {"scheduler", "euler_a"},
          {"model", {{"name", "any"}}},
          {"app_version", "4.2.0"}}},
        {"NovelAI",
         "prompt",
         "uc",
         {{"steps", 28},
          {"seed", 77},
          {"scale", 5},
          {"sampler", "k_euler_ancestral"},
          {"noise_schedule", "karras"},
          {"sm", false},
          {"sm_dyn", false},
          {"cfg_rescale", 0.5},
          {"width", 832},
          {"height", 1216},
          {"request_type", "PromptGenerateRequest"}}},
        {"Draw Things",
         "c",
         "uc",
         {{"seed", 5},
          {"steps", 20},
          {"scale", 4.5},
          {"sampler", "DPM++ 2M Karras"},
          {"seed_mode", "Scale Alike"},
          {"shift", 1},
          {"size", "1024x1024"},
          {"model", "any.ckpt"}}},
        {"stable-diffusion.cpp",
         "prompt",
         "negative_prompt",
         {{"seed", 42},
          {"sample_steps", 20},
          {"txt_cfg", 7},
          {"distilled_guidance", 3.5},
          {"sample_method", "euler_a"},
          {"scheduler", "karras"},
          {"rng_type", "cuda"},
          {"width", 512},
          {"height", 512}}},
    };
    return list;
}

const std::string prompt = "a red circle, how to draw: two steps\nand a square", negative = "blurry, dark";

std::string lower(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return s;
}

std::string textOf(const std::vector<Setting>& settings, const std::string& separator = ", ") {
    std::string line;
    for (const auto& [key, value] : settings) line += (line.empty() ? "" : separator) + key + ": " + value;
    return prompt + "\nNegative prompt: " + negative + "\n" + line;
}

bool has(const ReadRecipe& r, SettingOrigin origin, const std::string& name) {
    return std::any_of(r.settings.begin(), r.settings.end(), [&](const ImportedSetting& s) {
        return s.origin == origin && lower(s.name).find(lower(name)) != std::string::npos;
    });
}
std::string dump(const ReadRecipe& r) { return toJson(r).dump(1); }

}  // namespace

class TestImport : public QObject {
    Q_OBJECT

    int m_cases = 0;
    // Prompts stay themselves and every setting of the file ends as one of the three.
    std::optional<ReadRecipe> checked(const std::string& text, const std::vector<Setting>& settings,
                                      const std::string& what) {
        ++m_cases;
        const ReadRecipe r = recipeFromParameters(text);
        const auto complain = [&](const std::string& problem) {
            QTest::qFail((what + ": " + problem + "\n" + text + "\n" + dump(r)).c_str(), __FILE__, __LINE__);
            return std::nullopt;
        };
        if (r.recipe.prompt != prompt) return complain("another prompt");
        if (r.recipe.negativePrompt != negative) return complain("another negative prompt");
        for (const auto& [key, value] : settings)
            if (!has(r, SettingOrigin::Read, key) && !has(r, SettingOrigin::NotUnderstood, key)
                && !has(r, SettingOrigin::Assumed, key))
                return complain(key + " was dropped");
        for (const ImportedSetting& s : r.settings)
            if (s.origin != SettingOrigin::Read && s.text().empty()) return complain("an entry without words");
        return r;
    }

    static bool sameSampling(const Recipe& a, const Recipe& b) {
        return a.steps == b.steps && a.sampler == b.sampler && a.schedule == b.schedule && a.guidance == b.guidance
               && a.seed == b.seed && a.noise == b.noise && a.scheduleOperators == b.scheduleOperators;
    }

private slots:
    void everyWriterAndKey() {
        for (const Writer& w : writers()) {
            const auto whole = checked(textOf(w.settings), w.settings, w.name);
            if (!whole) return;
            QCOMPARE(QString::fromStdString(whole->program), QString(w.name));
            QCOMPARE(QString::fromStdString(whole->recipe.noise.id), QString(w.noise));
            // Other separators: every setting on a line of its own, with and without the comma; no spaces; CRLF.
            for (const char* separator : {",\n", "\n", ",", ",\r\n", " ,  ", ",\n\n"}) {
                const auto r = checked(textOf(w.settings, separator), w.settings, std::string(w.name) + ", separator");
                if (!r) return;
                QVERIFY2(sameSampling(r->recipe, whole->recipe), (textOf(w.settings, separator) + dump(*r)).c_str());
            }
            for (std::size_t k = 0; k < w.settings.size(); ++k) {
                const std::string key = w.settings[k].first, of = std::string(w.name) + ", " + key;
                auto without = w.settings;
                without.erase(without.begin() + std::ptrdiff_t(k));
                const auto left = checked(textOf(without), without, of + " left out");
                if (!left) return;
                // A setting that every recipe has is assumed and said.
                const bool isNeeded =
                    QStringList{"steps", "sampler", "cfg scale", "seed"}.contains(QString::fromStdString(lower(key)));
                QVERIFY2(!isNeeded || has(*left, SettingOrigin::Assumed, key), (of + dump(*left)).c_str());
                if (lower(key) == "schedule type")
                    QVERIFY2(has(*left, SettingOrigin::Assumed, "Schedule"), (of + dump(*left)).c_str());
                // Moved to every other place: the same recipe.
                for (std::size_t to = 0; to <= without.size(); ++to) {
                    auto moved = without;
                    moved.insert(moved.begin() + std::ptrdiff_t(to), w.settings[k]);
                    const auto r = checked(textOf(moved), moved, of + " moved");
                    if (!r) return;
                    QVERIFY2(sameSampling(r->recipe, whole->recipe), (of + textOf(moved) + dump(*r)).c_str());
                }
                // Repeated, equal and different.
                auto twice = w.settings;
                twice.push_back(w.settings[k]);
                const auto equal = checked(textOf(twice), twice, of + " repeated");
                if (!equal) return;
                QVERIFY2(sameSampling(equal->recipe, whole->recipe), (of + dump(*equal)).c_str());
                twice.back().second = "7";
                const auto other = checked(textOf(twice), twice, of + " repeated differently");
                if (!other) return;
                QVERIFY2(has(*other, SettingOrigin::NotUnderstood, key), (of + dump(*other)).c_str());
                // Line ends before the key, after its colon, and further lines behind all.
                const std::string text = textOf(w.settings), entry = key + ": " + w.settings[k].second;
                const auto at = text.rfind(entry);
                std::string before = text, after = text;
                before.replace(at, 0, "\n");
                after.replace(at + key.size() + 1, 1, "\n");
                const std::string behind = text + "\nTemplate: a {red|blue} ball, [x|y]\nNegative Template: b";
                for (const std::string& broken : {before, after, behind}) {
                    const auto r = checked(broken, w.settings, of + " line-broken");
                    if (!r) return;
                    QVERIFY2(sameSampling(r->recipe, whole->recipe), (broken + dump(*r)).c_str());
                }
            }
        }
        qInfo() << m_cases << "texts";
        QVERIFY(m_cases > 700);
    }

    // The same of the writers of JSON; a key given twice is told, whichever of the two counts.
    void everyJsonWriterAndKey() {
        const auto textOf = [](const JsonWriter& w, const std::vector<std::pair<std::string, Json>>& entries,
                               const char* between, const char* colon) {
            std::string text = "{" + std::string(between);
            const auto add = [&](const std::string& key, const Json& value) {
                if (text.back() != '{' && !text.ends_with("{" + std::string(between)))
                    text += "," + std::string(between);
                text += Json(key).dump() + colon + value.dump();
            };
            add(w.promptKey, prompt);
            add(w.negativeKey, negative);
            for (const auto& [key, value] : entries) add(key, value);
            text += std::string(between) + "}";
            return w.wrap ? "{\"" + std::string(w.wrap) + "\":" + text + "}" : text;
        };
        int cases = 0;
        const auto readOf = [&](const JsonWriter& w, const std::vector<std::pair<std::string, Json>>& entries,
                                const std::string& text, const std::string& what) -> std::optional<ReadRecipe> {
            ++cases;
            const auto r = recipeFromText(text, "a text");
            std::string problem;
            if (!r) problem = r.error().text;
            else if (r->recipe.prompt != prompt) problem = "another prompt";
            else if (r->recipe.negativePrompt != negative) problem = "another negative prompt";
            else
                for (const auto& [key, value] : entries)
                    if (!has(*r, SettingOrigin::Read, key) && !has(*r, SettingOrigin::NotUnderstood, key)
                        && !has(*r, SettingOrigin::Assumed, key))
                        problem = key + " was dropped";
            if (problem.empty()) return *r;
            QTest::qFail(
                (std::string(w.name) + ", " + what + ": " + problem + "\n" + text + (r ? dump(*r) : "")).c_str(),
                __FILE__, __LINE__);
            return {};
        };
        for (const JsonWriter& w : jsonWriters()) {
            const auto whole = readOf(w, w.entries, textOf(w, w.entries, "", ":"), "whole");
            if (!whole) return;
            QCOMPARE(QString::fromStdString(whole->program), QString(w.name));
            for (const auto& [between, colon] : {std::pair("\n", ":\n"), {"\r\n  ", " : "}, {" \t", ": "}}) {
                const auto r = readOf(w, w.entries, textOf(w, w.entries, between, colon), "line-broken");
                if (!r) return;
                QVERIFY2(sameSampling(r->recipe, whole->recipe), dump(*r).c_str());
            }
            for (std::size_t k = 0; k < w.entries.size(); ++k) {
                const auto& [key, value] = w.entries[k];
                auto without = w.entries;
                without.erase(without.begin() + std::ptrdiff_t(k));
                const auto left = readOf(w, without, textOf(w, without, "", ":"), key + " left out");
                if (!left) return;
                const std::map<std::string, std::string> needed{
                    {"steps", "Steps"},          {"sample_steps", "Steps"},  {"seed", "Seed"},
                    {"cfgscale", "CFG scale"},   {"cfg_scale", "CFG scale"}, {"guidance_scale", "CFG scale"},
                    {"scale", "CFG scale"},      {"txt_cfg", "CFG scale"},   {"sampler", "Sampler"},
                    {"sample_method", "Sampler"}};
                if (const auto it = needed.find(key); it != needed.end())
                    QVERIFY2(has(*left, SettingOrigin::Assumed, it->second), (key + dump(*left)).c_str());
                for (std::size_t to = 0; to <= without.size(); ++to) {
                    auto moved = without;
                    moved.insert(moved.begin() + std::ptrdiff_t(to), w.entries[k]);
                    const auto r = readOf(w, moved, textOf(w, moved, "", ":"), key + " moved");
                    if (!r) return;
                    QVERIFY2(sameSampling(r->recipe, whole->recipe), (key + dump(*r)).c_str());
                }
                // As text, as some writers have it.
                if (value.is_number()) {
                    auto asText = w.entries;
                    asText[k].second = value.dump();
                    const auto r = readOf(w, asText, textOf(w, asText, "", ":"), key + " as text");
                    if (!r) return;
                    QVERIFY2(sameSampling(r->recipe, whole->recipe), (key + dump(*r)).c_str());
                }
                auto twice = w.entries;
                twice.push_back(w.entries[k]);
                const auto equal = readOf(w, twice, textOf(w, twice, "", ":"), key + " repeated");
                if (!equal) return;
                QVERIFY2(sameSampling(equal->recipe, whole->recipe), (key + dump(*equal)).c_str());
                twice.back().second = "7";
                const auto other = readOf(w, twice, textOf(w, twice, "", ":"), key + " repeated differently");
                if (!other) return;
                QVERIFY2(has(*other, SettingOrigin::NotUnderstood, key), (key + dump(*other)).c_str());
            }
        }
        qInfo() << cases << "texts";
        QVERIFY(cases > 600);
    }

    // What a missing word means differs between programs.
    void ownDefaults() {
        const auto schedule = [](const char* text) { return recipeFromParameters(text).recipe.schedule.id; };
        QCOMPARE(schedule("x\nSteps: 20, Sampler: DPM++ 3M SDE"), std::string("exponential"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: DPM++ 2M"), std::string("karras"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: DPM++ 2M, Version: v1.5.1"), std::string("normal"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: Euler a"), std::string("normal"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: DDIM"), std::string("ddim_uniform"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: dpmpp_2m"), std::string("normal"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: dpmpp_2m_sde_gpu_exponential"), std::string("exponential"));
        QCOMPARE(schedule("x\nSteps: 20, Sampler: euler_a, Version: stable-diffusion.cpp"), std::string("normal"));
        const auto noise = [](const char* text) { return recipeFromParameters(text).recipe.noise; };
        QCOMPARE(noise("x\nSteps: 20, Sampler: Euler a").id, std::string("torch_cuda"));
        const Choice sde =
            noise("x\nSteps: 20, Sampler: DPM++ SDE, RNG: NV, Variation seed: 3, Variation seed strength: 0.2");
        QCOMPARE(sde.id, std::string("brownian"));
        QCOMPARE(std::get<std::string>(sde.params.at("base")), std::string("nv_philox"));
        QCOMPARE(std::get<std::string>(sde.params.at("nodes")), std::string("nv_philox"));
        QCOMPARE(std::get<double>(sde.params.at("variation_strength")), 0.2);
        QCOMPARE(std::get<std::string>(noise("x\nSteps: 2, Sampler: dpmpp_sde").params.at("nodes")),
                 std::string("torch_cpu"));
        QCOMPARE(std::get<std::string>(noise("x\nSteps: 2, Sampler: dpmpp_sde_gpu").params.at("nodes")),
                 std::string("torch_cuda"));
        QCOMPARE(noise("x\nSteps: 2, Sampler: dpm++2m_sde, Version: stable-diffusion.cpp").id,
                 std::string("nv_philox"));
        // A1111's Restart below 20 steps is Heun; from 20 on another rule than ours.
        const auto few = recipeFromParameters("x\nSteps: 12, Sampler: Restart"),
                   many = recipeFromParameters("x\nSteps: 20, Sampler: Restart");
        QCOMPARE(few.recipe.sampler.id, std::string("heun"));
        QVERIFY(few.notUnderstood().empty() && many.notUnderstood().size() == 1);
        // One level more, of which the one before the last is left out.
        const auto dpm2 = recipeFromParameters("x\nSteps: 20, Sampler: DPM2, Schedule type: Karras").recipe;
        QCOMPARE(dpm2.steps, 21);
        QCOMPARE(dpm2.scheduleOperators.at(0).id, std::string("discard_penultimate"));
        const auto churn =
            recipeFromParameters("x\nSteps: 20, Sampler: Euler, Sigma churn: 3, Sigma noise: 1.01").recipe;
        QCOMPARE(churn.sampler.id, std::string("edm_churn"));
        QCOMPARE(std::get<double>(churn.sampler.params.at("s_churn")), 3.0);
        QCOMPARE(std::get<double>(churn.sampler.params.at("s_noise")), 1.01);
    }

    // What the dialect of the program reads is a setting; what nobody reads is named.
    void promptSyntaxIsNamed() {
        const std::string prompt =
            "(masterpiece:1.2), ((ball)), [dull], snake \\(toy\\), <lora:style_v1:0.8>, [cat:dog:0.5], a AND b, "
            "BREAK red, {x|y}, embedding:foo, [a|b]";
        const auto named = [](const ReadRecipe& r, const char* piece) {
            return std::any_of(r.settings.begin(), r.settings.end(), [&](const ImportedSetting& s) {
                return s.origin == SettingOrigin::NotUnderstood && s.name == "Prompt"
                       && s.value.find(piece) != std::string::npos;
            });
        };
        const auto read = [&](const std::string& text, const char* more = "") {
            return recipeFromParameters(text + "\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1" + more);
        };
        const ReadRecipe a1111 = read(prompt);
        QCOMPARE(a1111.recipe.promptDialect, std::string("a1111"));
        for (const char* piece : {"<lora:style_v1:0.8>", "{x|y}", "embedding:foo"})
            QVERIFY2(named(a1111, piece), (piece + dump(a1111)).c_str());
        for (const char* piece : {"masterpiece", "dull", "cat:dog", "AND", "BREAK", "[a|b]", "(ball)"})
            QVERIFY2(!named(a1111, piece), (piece + dump(a1111)).c_str());
        const ReadRecipe comfy = read(prompt, ", Version: ComfyUI");
        QCOMPARE(comfy.recipe.promptDialect, std::string("comfyui"));
        for (const char* piece : {"[dull]", "[cat:dog:0.5]", "AND", "BREAK", "[a|b]", "<lora:"})
            QVERIFY2(named(comfy, piece), (piece + dump(comfy)).c_str());
        for (const char* piece : {"masterpiece", "(ball)"})
            QVERIFY2(!named(comfy, piece), (piece + dump(comfy)).c_str());
        QCOMPARE(read("(a:1.2)", ", Emphasis: No norm").recipe.promptDialect, std::string("a1111_no_norm"));
        QCOMPARE(read("(a:1.2)", ", Clip skip: 2").recipe.clipSkip, 2);
        QVERIFY(read("(a:1.2)", ", Clip skip: 2").notUnderstood().empty());
        // Texts without syntax are plain.
        const ReadRecipe plain = read("a red circle above a blue square, one - two");
        QVERIFY(plain.notUnderstood().empty());
        QCOMPARE(plain.recipe.promptDialect, std::string("plain"));
    }

    void odd() {
        // A prompt that begins with a brace, damaged JSON, control characters, very long and hostile texts.
        QCOMPARE(recipeFromText("{red|blue} ball\nSteps: 3, Sampler: Heun, Seed: 4", "a text")->recipe.steps, 3);
        QVERIFY(!recipeFromText("{\"a\": 1}", "a text").ok());
        QVERIFY(!recipeFromText("a photo", "a text").ok());
        QVERIFY(!recipeFromText("", "a text").ok());
        const auto bell = recipeFromParameters("x\nSteps: 3, Sampler: \x1b[31mred\x07, Seed: 4");
        for (const std::string& s : bell.notUnderstood()) QVERIFY(s.find('\x1b') == s.npos && s.find('\x07') == s.npos);
        std::string hostile;
        for (int i = 0; i < 5000; ++i) hostile += "Steps: 1, Sampler: (((((([[[[{{{{\"\\\n";
        static_cast<void>(recipeFromParameters(hostile));
        static_cast<void>(recipeFromParameters(std::string(200000, '(')));
        static_cast<void>(recipeFromParameters("x\nSteps: 20, A: " + std::string(100000, '[')));
        // Line ends lost.
        const auto flat =
            recipeFromParameters("a ball Negative prompt: dark Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5");
        QCOMPARE(flat.recipe.prompt, std::string("a ball"));
        QCOMPARE(flat.recipe.negativePrompt, std::string("dark"));
        QCOMPARE(flat.recipe.seed, std::uint64_t(5));
    }

    // Bytes changed, cut and doubled in every kind of text: an answer, never a crash (run under ASan).
    void damagedTexts() {
        std::vector<std::string> texts;
        for (const Writer& w : writers()) texts.push_back(textOf(w.settings));
        texts.push_back(
            R"({"sui_image_params": {"prompt": "a", "seed": 5, "steps": 25, "cfgscale": 4.0, "sampler": "heun"}})");
        texts.push_back(R"({"3": {"inputs": {"seed": 1, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler":
            "normal", "denoise": 1.0, "positive": ["6", 0], "model": ["3", 0]}, "class_type": "KSampler"},
            "6": {"inputs":
            {"text": ["6", 0]}, "class_type": "ComfySwitchNode"}})");
        texts.push_back("\"a [b]\" -s 50 -S 2980747362 -W 512 -H 768 -C 5 -A k_lms -G 0.9");
        std::mt19937 random(5);
        for (int round = 0; round < 4000; ++round) {
            std::string t = texts[random() % texts.size()];
            if (round % 3 == 0)
                for (unsigned k = 0; k < 1 + random() % 8; ++k) t[random() % t.size()] = char(random());
            else if (round % 3 == 1) t.resize(random() % t.size());
            else t.insert(random() % t.size(), t.substr(random() % t.size(), random() % 60));
            static_cast<void>(recipeFromText(t, "a damaged text"));
        }
    }
};

QTEST_GUILESS_MAIN(TestImport)
#include "tst_import.moc"
