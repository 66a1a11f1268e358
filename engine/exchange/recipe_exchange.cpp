#include "engine/exchange/recipe_exchange.h"

#include <algorithm>

#include "engine/core/durable_file.h"
#include "engine/core/file_identity.h"
#include "engine/core/json.h"
#include "engine/core/switched.h"
#include "engine/exchange/file_kind.h"
#include "engine/exchange/import/comfy_settings.h"
#include "engine/exchange/import/infotext.h"
#include "engine/exchange/import/json_settings.h"
#include "engine/exchange/import/noise_text.h"
#include "engine/exchange/table.h"
#include "engine/imaging/image_texts.h"
#include "engine/recipe/peer_names.h"
#include "meander_version.h"

namespace meander {
namespace {

constexpr std::size_t largestText = std::size_t(64) << 20, largestImage = std::size_t(1) << 30;

bool isImage(FileFormat f) { return f == FileFormat::Png || f == FileFormat::Jpeg || f == FileFormat::WebP; }

// JSON and settings are text; what is not recognised may be text of an odd kind.
bool mayBeText(FileFormat f) {
    return f == FileFormat::Unknown || f == FileFormat::Empty || f == FileFormat::Json || f == FileFormat::Text
           || f == FileFormat::Html || f == FileFormat::Onnx;
}

// A mark at the beginning, or a NUL beside the first character.
bool isUtf16(const std::string& text) {
    return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")
           || (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0'));
}

bool startsWithBrace(const std::string& text) {
    const auto at = text.find_first_not_of(" \t\r\n");
    return at != std::string::npos && text[at] == '{';
}

std::optional<ReadRecipe> recipeFromPeerJson(const Json& j, const std::string& source) {
    if (auto settings = readJsonSettings(j, source)) return recipeOf(*settings);
    const std::string format = j.contains("nodes") ? "workflow" : "prompt";
    if (const auto graph = ComfyGraph::fromJson(j))
        if (auto settings = readComfyGraph(*graph, source.empty() ? format : source)) return recipeOf(*settings);
    return std::nullopt;
}

ReadRecipe withRepeats(ReadRecipe read, const std::string& text) {
    for (const std::string& key : repeatedKeys(text))
        read.settings.push_back({SettingOrigin::NotUnderstood, key, {}, "given more than once; the last one counts"});
    return read;
}

// A text of parameters or JSON, by what it is; nothing when it is JSON that no program here is known to write.
std::optional<ReadRecipe> recipeFromPeerText(const std::string& text, const std::string& source) {
    if (startsWithBrace(text))
        if (const auto j = parsePeerJson(text, source)) {
            auto read = recipeFromPeerJson(*j, source);
            if (read) read = withRepeats(std::move(*read), text);
            return read;
        }
    if (text.starts_with('"') && text.find("\" -") != std::string::npos) return recipeOf(readDream(text));
    PeerText settings = readInfotext(text);
    settings.source = source;
    return recipeOf(settings);
}

bool hasSettings(const ReadRecipe& r) {
    return std::any_of(r.settings.begin(), r.settings.end(), [](const ImportedSetting& s) {
        return s.origin == SettingOrigin::Read && !s.name.starts_with("Prompt") && s.name != "Negative prompt";
    });
}

// "prompt:{…}" and "workflow:{…}" in fields of EXIF, under their own names.
PngTexts withGraphsOfExif(PngTexts texts) {
    for (const char* field : {"Make", "Model", "ImageDescription", "UserComment"}) {
        const auto it = texts.find(field);
        if (it == texts.end()) continue;
        for (const char* key : {"prompt", "workflow"}) {
            const std::string prefix = std::string(key) + ":";
            if (lowerText(it->second.substr(0, prefix.size())) == prefix
                && startsWithBrace(it->second.substr(prefix.size())))
                texts.emplace(key, it->second.substr(prefix.size()));
        }
    }
    return texts;
}

// The texts that may hold settings, the surest first. Plain comments count only as JSON.
struct TextKey {
    const char* key;
    bool onlyJson;
};
constexpr TextKey textKeys[] = {
    {"parameters", false}, {"UserComment", false},    {"invokeai_metadata", true}, {"sd-metadata", true},
    {"Dream", false},      {"dream", false},          {"Comment", true},           {"prompt", true},
    {"workflow", true},    {"generation_data", true}, {"ImageDescription", false}, {"Description", false}};

void addProvenance(ReadRecipe& r, const PngTexts& texts, const std::string& usedKey) {
    for (const auto& [key, value] : texts) {
        if (key == usedKey) continue;
        const bool isRepeat = key.starts_with(usedKey + " (");
        r.settings.push_back({isRepeat ? SettingOrigin::NotUnderstood : SettingOrigin::Read,
                              isRepeat ? "Another text \"" + usedKey + "\"" : "Also in the file",
                              isRepeat ? value.substr(0, 80) : key, isRepeat ? "the first one is read" : ""});
    }
    // NovelAI keeps the prompt beside its settings.
    const auto description = texts.find("Description");
    if (r.program == "NovelAI" && r.recipe.prompt.empty() && description != texts.end()) {
        r.recipe.prompt = trimmedText(description->second);
        r.settings.push_back({SettingOrigin::Read, "Prompt", r.recipe.prompt, {}});
    }
}

std::string keysOf(const PngTexts& texts) {
    std::string keys;
    for (const auto& [key, value] : texts) keys += (keys.empty() ? "" : ", ") + key;
    return keys;
}

// JSON whose values are the texts of an image ("stealth" metadata).
PngTexts textsIn(const std::string& hidden) {
    PngTexts texts;
    if (startsWithBrace(hidden))
        if (const auto j = parsePeerJson(hidden, "the hidden text"))
            for (const auto& [key, v] : j->items())
                if (v.is_string()) texts.emplace(key, v.get<std::string>());
    if (!texts.contains("Comment") && !texts.contains("parameters")) texts = {{"parameters", hidden}};
    return texts;
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
    if (r.clipSkip > 1) s += ", Clip skip: " + std::to_string(r.clipSkip);
    if (r.promptDialect == "a1111_no_norm") s += ", Emphasis: No norm";
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

ReadRecipe recipeFromParameters(const std::string& text) { return recipeOf(readInfotext(text)); }

Result<ReadRecipe> recipeFromTexts(const PngTexts& given, const std::string& what) {
    const PngTexts texts = withGraphsOfExif(given);
    std::vector<ImportedSetting> problems;
    if (const auto ours = texts.find("meander"); ours != texts.end()) {
        const auto j = parseJson(ours->second, "the recipe in " + what);
        const bool holdsOne = j && j->is_object() && j->contains("recipe");
        auto recipe =
            holdsOne ? recipeFromJson((*j)["recipe"]) : Result<Recipe>(j ? Error{"It is incomplete."} : j.error());
        if (recipe) return ReadRecipe{*recipe, "meander", "Meander"};
        problems.push_back({SettingOrigin::NotUnderstood, "Recipe of Meander", {}, recipe.error().text});
    }
    std::optional<ReadRecipe> best;
    std::string bestKey;
    for (const TextKey& k : textKeys) {
        const auto it = texts.find(k.key);
        if (it == texts.end() || trimmedText(it->second).empty() || (k.onlyJson && !startsWithBrace(it->second)))
            continue;
        auto read = recipeFromPeerText(it->second, k.key);
        if (!read || (!hasSettings(*read) && best)) continue;
        const bool isWhole = hasSettings(*read);
        best = std::move(read);
        bestKey = k.key;
        if (isWhole) break;
    }
    // A description alone, without any setting, is no recipe.
    const bool isOnlyWords = best && !hasSettings(*best) && bestKey != "parameters";
    if (best && !isOnlyWords) {
        addProvenance(*best, texts, bestKey);
        best->settings.insert(best->settings.begin(), problems.begin(), problems.end());
        return std::move(*best);
    }
    if (!problems.empty()) return Error{"The recipe in " + what + " cannot be used: " + problems.front().reason};
    return Error{"There is no recipe in " + what + " that Meander can read"
                 + (texts.empty() ? ": the image carries no text." : " (it carries: " + keysOf(texts) + ").")};
}

Result<ReadRecipe> recipeFromText(const std::string& given, const std::string& what) {
    if (isUtf16(given))
        return Error{"Cannot read a recipe from " + what + ": it is text in UTF-16. Save it as UTF-8 and try again."};
    const std::string text = given.starts_with("\xef\xbb\xbf") ? given.substr(3) : given;
    if (!startsWithBrace(text)) {
        if (trimmedText(text).empty()) return Error{"Cannot read a recipe from " + what + ": it is empty."};
        ReadRecipe read = recipeFromParameters(text);
        if (hasSettings(read)) return read;
        return Error{"There is no recipe in " + what
                     + ": it is neither JSON nor a text with settings (Steps, Sampler ...)."};
    }
    const auto ours = parseJson(text, what);
    const auto j = ours ? ours : parsePeerJson(text, what);
    if (!j) {
        ReadRecipe read = recipeFromParameters(text);  // a prompt that begins with a brace
        return hasSettings(read) ? Result<ReadRecipe>(std::move(read)) : Result<ReadRecipe>(j.error());
    }
    const Json& inner = j->contains("recipe") ? (*j)["recipe"] : *j;
    auto recipe = recipeFromJson(inner);
    if (recipe) return withRepeats({*recipe, "meander", "Meander"}, text);
    if (auto read = recipeFromPeerJson(*j, {})) return withRepeats(std::move(*read), text);
    return Error{"Cannot use " + what + " as a recipe: " + recipe.error().text, recipe.error().detail};
}

static Result<ReadRecipe> recipeFromImage(const std::string& bytes, const std::string& what, FileFormat format) {
    auto list = imageTextsOf(bytes, what);
    if (!list) return list.error();
    auto read = recipeFromTexts(list->texts, what);
    if (!read && format == FileFormat::Png)
        if (const std::string hidden = hiddenText(bytes); !hidden.empty()) {
            read = recipeFromTexts(textsIn(hidden), what);
            if (read) read->settings.push_back({SettingOrigin::Read, "Settings", "hidden in the pixels", {}});
        }
    if (read && list->skipped > 0)
        read->settings.push_back(
            {SettingOrigin::NotUnderstood, "Texts of the image", std::to_string(list->skipped), "damaged or too long"});
    return read;
}

Result<ReadRecipe> recipeFromBytes(const std::string& bytes, const std::string& what) {
    const FileFormat format = formatOf(std::string_view(bytes).substr(0, identityBytes), bytes.size());
    if (isImage(format)) return recipeFromImage(bytes, what, format);
    if (mayBeText(format)) return recipeFromText(bytes, what);
    return Error{"There is no recipe in " + what + ": it is " + nameOf(format) + "."};
}

Result<ReadRecipe> readRecipeFrom(const std::string& path) {
    const std::string what = "'" + path + "'";
    // A damaged image is still one by its name.
    if (fileKindOf(path) == FileKind::Image && !isImage(formatOfFile(path)))
        if (auto list = readImageTexts(path); !list) return list.error();
    const auto bytes = readTextFile(path, isImage(formatOfFile(path)) ? largestImage : largestText);
    return bytes ? recipeFromBytes(*bytes, what) : Result<ReadRecipe>(bytes.error());
}

}  // namespace meander
