#include "engine/models/text/embeddings.h"

#include <algorithm>
#include <filesystem>

#include "engine/models/families/part_search.h"
#include "engine/weights/weight_file.h"

namespace meander {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t mostFiles = 20000;  // of one folder
constexpr std::size_t mostTensors = 16;   // of a file with vectors of words
constexpr std::int64_t mostVectors = 1024, leastWidth = 16;
constexpr std::string_view mark = "embedding:";  // of ComfyUI

std::string lower(std::string_view s) {
    std::string out(s);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return out;
}

// Of a name: no name begins or ends inside a word.
bool isInsideWord(char c) {
    return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || static_cast<unsigned char>(c) >= 128;
}

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// An embedding in a text: [begin, end) with its mark; no entry: its name is not known.
struct Named {
    std::size_t begin = 0, end = 0;
    const EmbeddingFolder::Entry* entry = nullptr;
};

const EmbeddingFolder::Entry* entryAt(std::string_view text, std::size_t at, const EmbeddingFolder& folder) {
    for (const auto& e : folder.entries())
        if (text.substr(at).starts_with(e.name)
            && (at + e.name.size() == text.size() || !isInsideWord(text[at + e.name.size()])))
            return &e;
    return nullptr;
}

// In a text in lower case.
std::vector<Named> namedIn(std::string_view text, const EmbeddingFolder& folder, PromptDialect dialect) {
    std::vector<Named> found;
    const bool isMarked = dialect == PromptDialect::ComfyUi;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (at > 0 && isInsideWord(text[at - 1])) continue;
        if (isMarked && !text.substr(at).starts_with(mark)) continue;
        const std::size_t name = at + (isMarked ? mark.size() : 0);
        const auto* entry = entryAt(text, name, folder);
        if (!entry && !isMarked) continue;
        std::size_t end = name + (entry ? entry->name.size() : 0);
        while (!entry && end < text.size() && !isBlank(text[end]) && text[end] != ',') ++end;
        found.push_back({at, end, entry});
        at = end - 1;
    }
    return found;
}

}  // namespace

const Embedding::Matrix* Embedding::ofWidth(int width) const {
    const auto it = std::find_if(matrices.begin(), matrices.end(), [&](const Matrix& m) { return m.width == width; });
    return it == matrices.end() ? nullptr : &*it;
}

Embedding readEmbedding(const std::string& path) {
    auto file = WeightFile::open(path);
    if (!file) throw Failure(file.error().text);
    Embedding e{fs::path(path).stem().string(), path, {}};
    for (const auto& [name, entry] : file->entries()) {
        const auto& s = entry.extents;
        if (s.empty() || s.size() > 2 || entry.count == 0 || entry.count / s.back() > mostVectors
            || s.back() < leastWidth)
            continue;
        // Several tokens that were learned together, each under its own name, stand behind each other.
        const auto same = std::find_if(e.matrices.begin(), e.matrices.end(),
                                       [&](const Embedding::Matrix& m) { return m.width == s.back(); });
        const std::vector<float> values = file->read(name).floats();
        if (same == e.matrices.end()) e.matrices.push_back({int(s.back()), values});
        else same->values.insert(same->values.end(), values.begin(), values.end());
    }
    if (e.matrices.empty() || file->entries().size() > mostTensors)
        throw Failure("The file '" + path
                      + "' lies among the embeddings, but holds no vectors of words. Take it away from there.");
    return e;
}

EmbeddingFolder::EmbeddingFolder(const std::string& modelPath) {
    const fs::path model = modelPath, beside = model.parent_path();
    std::error_code error;
    for (const fs::path& root :
         {fs::is_directory(model, error) ? model : beside, beside, beside.parent_path(), fs::path(modelsFolder())})
        if (const std::string folder = (root / "embeddings").string();
            std::find(m_folders.begin(), m_folders.end(), folder) == m_folders.end())
            m_folders.push_back(folder);
    for (const std::string& folder : m_folders) {
        std::size_t count = 0;
        for (fs::directory_iterator it(folder, error), end; !error && it != end && count < mostFiles;
             it.increment(error), ++count) {
            const std::string ending = it->path().extension().string();
            if (ending != ".safetensors" && ending != ".pt" && ending != ".bin") continue;
            const std::string name = lower(it->path().stem().string());
            const auto isKnown = [&](const Entry& e) { return e.name == name; };
            if (!name.empty() && std::none_of(m_entries.begin(), m_entries.end(), isKnown))
                m_entries.push_back({name, it->path().string()});
        }
    }
    std::sort(m_entries.begin(), m_entries.end(), [](const Entry& a, const Entry& b) {
        return a.name.size() != b.name.size() ? a.name.size() > b.name.size() : a.name < b.name;
    });
}

std::string EmbeddingFolder::places() const { return listed(m_folders); }

std::shared_ptr<const Embedding> EmbeddingFolder::find(const std::string& name) const {
    const auto entry = std::find_if(m_entries.begin(), m_entries.end(), [&](const Entry& e) { return e.name == name; });
    if (entry == m_entries.end()) return nullptr;
    for (const auto& known : m_read)
        if (known->file == entry->path) return known;
    m_read.push_back(std::make_shared<const Embedding>(readEmbedding(entry->path)));
    return m_read.back();
}

std::vector<WeightedText> withEmbeddings(const std::vector<WeightedText>& pieces, const EmbeddingFolder& folder,
                                         int width, PromptDialect dialect) {
    if (dialect == PromptDialect::Plain) return pieces;
    std::vector<WeightedText> all;
    for (const WeightedText& p : pieces) {
        std::size_t at = 0;
        const auto text = [&](std::size_t end) {
            if (end > at) all.push_back({p.text.substr(at, end - at), p.weight, false, {}});
        };
        for (const Named& n : p.isBreak ? std::vector<Named>() : namedIn(lower(p.text), folder, dialect)) {
            text(n.begin);
            at = n.end;
            if (!n.entry) continue;
            const auto e = folder.find(n.entry->name);
            const Embedding::Matrix* m = e->ofWidth(width);
            if (!m)
                throw Failure("The embedding '" + e->name + "' in '" + e->file
                              + "' was made for another family: it has vectors of "
                              + std::to_string(e->matrices.front().width) + " numbers, this text encoder "
                              + std::to_string(width) + ". Remove it from the prompt.");
            all.push_back({e->name, p.weight, false, std::shared_ptr<const std::vector<float>>(e, &m->values)});
        }
        if (p.isBreak) all.push_back(p);
        else text(p.text.size());
    }
    if (all.empty()) all.push_back({});
    return all;
}

std::vector<std::string> missingEmbeddings(std::string_view prompt, const EmbeddingFolder& folder,
                                           PromptDialect dialect) {
    std::vector<std::string> missing;
    if (dialect != PromptDialect::ComfyUi) return missing;
    for (const Named& n : namedIn(lower(prompt), folder, dialect))
        if (!n.entry) missing.emplace_back(prompt.substr(n.begin + mark.size(), n.end - n.begin - mark.size()));
    return missing;
}

}  // namespace meander
