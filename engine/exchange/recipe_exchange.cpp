#include "engine/exchange/recipe_exchange.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "engine/core/durable_file.h"
#include "engine/core/json.h"
#include "engine/core/switched.h"
#include "engine/exchange/file_kind.h"
#include "engine/exchange/noise_text.h"
#include "engine/exchange/peer_names.h"
#include "engine/exchange/table.h"
#include "meander_version.h"

namespace meander {
namespace {

std::string lower(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return s;
}

std::string trimmed(const std::string& s) {
    const auto first = s.find_first_not_of(" \t\r\n"), last = s.find_last_not_of(" \t\r\n");
    return first == std::string::npos ? std::string() : s.substr(first, last - first + 1);
}

// "Steps: 20, Sampler: Euler a, Note: "a, b"" as pairs; values may be quoted.
std::vector<std::pair<std::string, std::string>> settingsOf(const std::string& line) {
    std::vector<std::pair<std::string, std::string>> pairs;
    std::size_t at = 0;
    while (at < line.size() && pairs.size() < 256) {
        const auto colon = line.find(':', at);
        if (colon == std::string::npos) break;
        const std::string key = trimmed(line.substr(at, colon - at));
        std::size_t from = line.find_first_not_of(' ', colon + 1);
        if (from == std::string::npos) from = line.size();
        std::string value;
        if (from < line.size() && line[from] == '"') {
            std::size_t i = from + 1;
            for (; i < line.size() && line[i] != '"'; ++i) {
                if (line[i] == '\\' && i + 1 < line.size()) ++i;
                value += line[i];
            }
            at = line.find(',', i);
        } else {
            at = line.find(',', from);
            value = trimmed(line.substr(from, at == std::string::npos ? at : at - from));
        }
        pairs.emplace_back(key, value);
        if (at == std::string::npos) break;
        ++at;
    }
    return pairs;
}

template <class T> bool number(const std::string& s, T& into) {
    T v{};
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
    if (error != std::errc() || end != s.data() + s.size()) return false;
    into = v;
    return true;
}

// What the line of settings says about names until all of it is read.
struct Names {
    Peer peer = Peer::A1111;
    std::optional<Choice> automatic;
};

void sampler(const std::string& value, Names& names, ReadRecipe& r) {
    auto known = samplerNamed(value, names.peer);
    if (!known) {
        r.notUnderstood.push_back("Sampler: " + value);
        return;
    }
    r.recipe.sampler = std::move(known->sampler);
    if (known->schedule) r.recipe.schedule = std::move(*known->schedule);
    names.automatic = std::move(known->automatic);
}

void setting(const std::string& key, const std::string& value, Names& names, ReadRecipe& r) {
    Recipe& recipe = r.recipe;
    const std::string k = lower(key);
    double scale = 0;
    int steps = 0;
    if (k == "steps" && number(value, steps) && steps > 0 && steps <= 10000) {
        recipe.steps = steps;
    } else if (k == "seed" && number(value, recipe.seed)) {
    } else if (k == "cfg scale" && number(value, scale)) {
        recipe.guidance.clear();
        if (scale != 1) recipe.guidance.push_back({"cfg", {{"scale", scale}}});
    } else if (k == "sampler") {
        sampler(value, names, r);
    } else if (k == "schedule type" || k == "scheduler") {
        const auto known = lower(value) == "automatic" ? names.automatic : scheduleNamed(value, names.peer);
        if (known) recipe.schedule = *known;
        else if (lower(value) != "automatic") r.notUnderstood.push_back(key + ": " + value);
    } else if (readNoiseSetting(k, value, recipe.noise)) {
    } else if (k == "version") {
    } else {
        r.notUnderstood.push_back(key + ": " + value);
    }
}

}  // namespace

Result<Recipe> readRecipeFile(const std::string& path) {
    auto j = readJsonFile(path);
    if (!j) return j.error();
    // A recipe alone, or the description of a run that holds one.
    const Json& recipe = j->is_object() && j->contains("recipe") ? (*j)["recipe"] : *j;
    auto r = recipeFromJson(recipe);
    if (!r) return Error{"Cannot use '" + path + "' as a recipe: " + r.error().text, r.error().detail};
    return r;
}

Status writeRecipeFile(const std::string& path, const Recipe& recipe) {
    return writeWholeFile(path, toJson(recipe).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string parametersText(const Recipe& r, int width, int height, const std::string& modelName) {
    std::string s = r.prompt + "\n";
    if (!r.negativePrompt.empty()) s += "Negative prompt: " + r.negativePrompt + "\n";
    s += "Steps: " + std::to_string(r.steps) + ", Sampler: " + peerNameOfSampler(r.sampler)
         + ", Schedule type: " + peerNameOfSchedule(r.schedule);
    double scale = 1;
    for (const auto& g : r.guidance)
        if (const auto it = g.params.find("scale"); g.id == "cfg" && !isSwitchedOff(g) && it != g.params.end())
            scale = std::holds_alternative<double>(it->second) ? std::get<double>(it->second)
                                                               : double(std::get<std::int64_t>(it->second));
    s += ", CFG scale: " + numberText(scale) + ", Seed: " + std::to_string(r.seed) + ", Size: " + std::to_string(width)
         + "x" + std::to_string(height) + noiseSettingsText(r.noise);
    return s + ", Model: " + modelName + ", Version: Meander " MEANDER_VERSION;
}

PngTexts textsOf(const Run& run, int image) {
    Json ours = {
        {"program", "Meander " MEANDER_VERSION}, {"run", run.id}, {"image", image}, {"recipe", toJson(run.recipe)}};
    const Shape& s = run.images.shape();
    const int width = s.rank() == 4 ? int(s[2]) : 0, height = s.rank() == 4 ? int(s[1]) : 0;
    return {{"meander", ours.dump(-1, ' ', false, Json::error_handler_t::replace)},
            {"parameters",
             parametersText(run.recipe, width, height, run.model.name.empty() ? run.recipe.model : run.model.name)}};
}

ReadRecipe recipeFromParameters(const std::string& text) {
    ReadRecipe r;
    r.source = "parameters";
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line) && lines.size() < 10000;) lines.push_back(trimmed(line));
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    std::string settings;
    if (!lines.empty() && lines.back().find("Steps:") != std::string::npos) {
        settings = lines.back();
        lines.pop_back();
    }
    bool isNegative = false;
    for (std::string line : lines) {
        if (line.starts_with("Negative prompt:")) {
            isNegative = true;
            line = trimmed(line.substr(16));
        }
        std::string& into = isNegative ? r.recipe.negativePrompt : r.recipe.prompt;
        into += (into.empty() ? "" : "\n") + line;
    }
    const auto pairs = settingsOf(settings);
    Names names;
    for (const auto& [key, value] : pairs)
        if (lower(key) == "version" && value.find("stable-diffusion.cpp") != std::string::npos)
            names.peer = Peer::SdCpp;
    for (const auto& [key, value] : pairs) setting(key, value, names, r);
    if (settings.empty()) r.notUnderstood.push_back("The text has no line of settings (Steps, Sampler ...).");
    return r;
}

Result<ReadRecipe> recipeFromTexts(const PngTexts& texts, const std::string& what) {
    if (const auto ours = texts.find("meander"); ours != texts.end()) {
        auto j = parseJson(ours->second, "the recipe in " + what);
        if (!j) return j.error();
        if (!j->is_object() || !j->contains("recipe")) return Error{"The recipe in " + what + " is incomplete."};
        auto recipe = recipeFromJson((*j)["recipe"]);
        if (!recipe) return Error{"The recipe in " + what + " cannot be used: " + recipe.error().text};
        return ReadRecipe{*recipe, "meander", {}};
    }
    if (const auto theirs = texts.find("parameters"); theirs != texts.end() && !theirs->second.starts_with("{"))
        return recipeFromParameters(theirs->second);
    std::string keys;
    for (const auto& [key, value] : texts) keys += (keys.empty() ? "" : ", ") + key;
    return Error{"There is no recipe in " + what + " that Meander can read"
                 + (keys.empty() ? ": the image carries no text." : " (it carries: " + keys + ").")};
}

Result<ReadRecipe> readRecipeFrom(const std::string& path) {
    if (fileKindOf(path) == FileKind::Image) {
        auto texts = readPngTexts(path);
        if (!texts) return texts.error();
        return recipeFromTexts(*texts, "'" + path + "'");
    }
    auto recipe = readRecipeFile(path);
    if (!recipe) return recipe.error();
    return ReadRecipe{*recipe, "meander", {}};
}

}  // namespace meander
