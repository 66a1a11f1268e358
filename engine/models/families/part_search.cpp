#include "engine/models/families/part_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/models/families/family.h"

namespace meander {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t mostFiles = 400;  // of one folder that are opened

// `files`: sets of files, separated by "|", one of which a vocabulary has. `folders`: below tokenizers/ in the folder
// of models. `hub`: repositories in the cache of the hub, with the folder of the tokenizer. `padded`: appended to the
// path where the vocabulary is that of another encoder, which pads otherwise.
struct TokenizerPlace {
    const char *kind, *files, *folders, *hub;
    const char* substitute = "";
    const char* padded = "";
};
const TokenizerPlace tokenizerPlaces[] = {
    {"clip", "vocab.json merges.txt|tokenizer.json", "clip clip_l",
     "openai--clip-vit-large-patch14 stable-diffusion-v1-5--stable-diffusion-v1-5/tokenizer "
     "stabilityai--stable-diffusion-xl-base-1.0/tokenizer"},
    {"openclip", "vocab.json merges.txt|tokenizer.json", "openclip clip_g clip_h",
     "stabilityai--stable-diffusion-xl-base-1.0/tokenizer_2 stabilityai--stable-diffusion-2-1/tokenizer", "clip",
     "#pad=0"},
    {"t5", "spiece.model|tokenizer.json", "t5 t5xxl",
     "google--t5-v1_1-xxl black-forest-labs--FLUX.1-dev/tokenizer_2 black-forest-labs--FLUX.1-schnell/tokenizer_2"},
    {"umt5", "spiece.model|tokenizer.json", "umt5 umt5xxl", "google--umt5-xxl"},
    {"qwen", "vocab.json merges.txt|tokenizer.json", "qwen qwen3 qwen2",
     "Qwen--Qwen3-4B Qwen--Qwen3-8B Tongyi-MAI--Z-Image-Turbo/tokenizer Qwen--Qwen2.5-VL-7B-Instruct"},
    {"gemma", "tokenizer.json|tokenizer.model", "gemma gemma2",
     "google--gemma-2-2b-it google--gemma-2-2b Alpha-VLLM--Lumina-Image-2.0/tokenizer"},
    {"mistral", "tokenizer.json", "mistral", "mistralai--Mistral-Small-3.2-24B-Instruct-2506"},
};

const TokenizerPlace* placeOf(const std::string& kind) {
    const auto it = std::find_if(std::begin(tokenizerPlaces), std::end(tokenizerPlaces),
                                 [&](const TokenizerPlace& p) { return kind == p.kind; });
    return it == std::end(tokenizerPlaces) ? nullptr : it;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

fs::path homeFolder() {
    const std::string home = environment("HOME");
    return home.empty() ? environment("USERPROFILE") : home;
}

fs::path hubFolder() {
    if (const std::string cache = environment("HF_HUB_CACHE"); !cache.empty()) return cache;
    if (const std::string home = environment("HF_HOME"); !home.empty()) return fs::path(home) / "hub";
    return homeFolder() / ".cache" / "huggingface" / "hub";
}

bool holdsVocabulary(const fs::path& folder, std::string sets) {
    std::replace(sets.begin(), sets.end(), ' ', '&');
    std::replace(sets.begin(), sets.end(), '|', ' ');
    for (std::string set : wordsOf(sets)) {
        std::replace(set.begin(), set.end(), '&', ' ');
        const auto files = wordsOf(set);
        std::error_code error;
        if (std::all_of(files.begin(), files.end(),
                        [&](const std::string& f) { return fs::is_regular_file(folder / f, error); }))
            return true;
    }
    return false;
}

// The folders of a kind, best first: those meant for this text encoder.
std::vector<fs::path> tokenizerFolders(const TokenizerPlace& place, const fs::path& model, int index) {
    const std::string suffix = index == 0 ? "" : "_" + std::to_string(index + 1);
    const fs::path beside = model.parent_path();
    std::vector<fs::path> folders{beside / ("tokenizer" + suffix),
                                  beside / (model.stem().string() + "_tokenizer" + suffix)};
    for (const auto& name : wordsOf(place.folders)) folders.push_back(fs::path(modelsFolder()) / "tokenizers" / name);
    std::error_code error;
    for (const auto& entry : wordsOf(place.hub)) {
        const auto slash = entry.find('/');
        const fs::path repository = hubFolder() / ("models--" + entry.substr(0, slash)) / "snapshots";
        std::vector<fs::path> snapshots;
        for (const auto& s : fs::directory_iterator(repository, error)) snapshots.push_back(s.path());
        std::sort(snapshots.begin(), snapshots.end());
        if (snapshots.empty()) snapshots.push_back(repository / "*");
        for (const auto& s : snapshots) folders.push_back(slash == std::string::npos ? s : s / entry.substr(slash + 1));
    }
    return folders;
}

bool isWeightFile(const fs::path& path) {
    static const char* const endings[] = {".safetensors", ".gguf", ".sft", ".pt", ".pth", ".ckpt", ".bin"};
    const std::string ending = path.extension().string();
    return std::find(std::begin(endings), std::end(endings), ending) != std::end(endings);
}

std::vector<fs::path> weightFilesIn(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end && files.size() < mostFiles;
         it.increment(error))
        if (isWeightFile(it->path()) && it->is_regular_file(error)) files.push_back(it->path());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

std::string modelsFolder() {
    if (const std::string named = environment("MEANDER_MODELS"); !named.empty()) return named;
#if defined(_WIN32)
    return (fs::path(environment("LOCALAPPDATA")) / "meander" / "models").string();
#elif defined(__APPLE__)
    return (homeFolder() / "Library" / "Application Support" / "meander" / "models").string();
#else
    const std::string data = environment("XDG_DATA_HOME");
    return ((data.empty() ? homeFolder() / ".local" / "share" : fs::path(data)) / "meander" / "models").string();
#endif
}

std::string listed(const Places& places) {
    std::string text;
    for (const auto& place : places) text += (text.empty() ? "'" : ", '") + place + "'";
    return text;
}

std::optional<std::string> findTokenizer(const std::string& kind, const std::string& modelPath, int index,
                                         Places& looked) {
    const TokenizerPlace* place = placeOf(kind);
    if (!place) return {};
    for (const fs::path& folder : tokenizerFolders(*place, modelPath, index)) {
        if (holdsVocabulary(folder, place->files)) return folder.string();
        looked.push_back(folder.string());
    }
    if (!*place->substitute) return {};
    const auto other = findTokenizer(place->substitute, modelPath, 0, looked);
    return other ? std::optional(*other + place->padded) : std::nullopt;
}

std::optional<FoundWeights> findWeights(const std::string& modelPath, const std::vector<std::string>& folders,
                                        const std::vector<std::string>& prefixes,
                                        const std::function<bool(const TensorList&)>& isWanted, Places& looked) {
    const fs::path beside = fs::path(modelPath).parent_path();
    for (const fs::path& root : {beside, beside.parent_path(), fs::path(modelsFolder())})
        for (const auto& name : folders) {
            const fs::path folder = root / name;
            for (const fs::path& path : weightFilesIn(folder)) {
                auto weights = FileWeights::open(path.string());
                if (!weights) continue;
                const std::shared_ptr<FileWeights> shared = std::move(*weights);
                for (const auto& prefix : prefixes) {
                    const TensorList list(shared, prefix);
                    if (!list.isEmpty() && isWanted(list)) return FoundWeights{shared, path.string(), prefix};
                }
            }
            looked.push_back(folder.string());
        }
    return {};
}

}  // namespace meander
