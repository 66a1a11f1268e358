#include "engine/models/tokenizers/tokenizer_json.h"

#include <filesystem>

#include "engine/models/tokenizers/charsmap.h"
#include "engine/models/tokenizers/split_rule.h"
#include "engine/models/tokenizers/tokenizer_files.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

using Json = nlohmann::json;

constexpr int clipLength = 77;
constexpr std::size_t longestReplacement = 64;  // bytes; published files have 3

std::string spaceBefore(const std::string& s) { return s.empty() || s[0] == ' ' ? s : " " + s; }

class Reader {
public:
    Reader(Json json, std::string what) : m_json(std::move(json)), m_what(std::move(what)) {
        if (!m_json.is_object()) damaged("its beginning");
    }

    std::unique_ptr<TextPipeline> read() {
        readModel(part(m_json, "model"));
        readAddedTokens();
        readNormalizer(part(m_json, "normalizer"));
        readPreTokenizer(part(m_json, "pre_tokenizer"));
        if (!m_isByteLevel) m_pipeline->normalise.push_back([](std::string s, bool) { return withSpaces(s); });
        readPostProcessor(part(m_json, "post_processor"));
        return std::move(m_pipeline);
    }
    const std::string& wordEnd() const { return m_wordEnd; }

private:
    [[noreturn]] void damaged(const std::string& where) const {
        throw Failure("The tokenizer " + m_what + " is damaged at " + where + ". Download it again.");
    }
    [[noreturn]] void unknown(const std::string& kind, const std::string& name) const {
        throw Failure("The tokenizer " + m_what + " uses the " + kind + " '" + name
                      + "', which Meander does not know yet.");
    }
    // A member; null where there is none.
    static const Json& part(const Json& object, const char* key) {
        static const Json none;
        const auto it = object.is_object() ? object.find(key) : object.end();
        return it == object.end() ? none : *it;
    }
    std::string textAt(const Json& object, const char* key, const std::string& fallback = {}) const {
        const Json& v = part(object, key);
        if (v.is_null()) return fallback;
        if (!v.is_string()) damaged(key);
        return v;
    }
    bool flagAt(const Json& object, const char* key, bool fallback) const {
        const Json& v = part(object, key);
        if (v.is_null()) return fallback;
        if (!v.is_boolean()) damaged(key);
        return v;
    }
    const Json& listAt(const Json& object, const char* key) const {
        const Json& list = part(object, key);
        if (!list.is_array()) damaged(key);
        return list;
    }

    std::string replacementAt(const Json& object, const char* key) const {
        std::string text = textAt(object, key);
        if (text.size() > longestReplacement) damaged(key);
        return text;
    }

    // Whether any of the pre-tokenizers works on bytes.
    static bool hasByteLevel(const Json& step) {
        if (!step.is_object()) return false;
        if (part(step, "type") == "ByteLevel") return true;
        const Json& list = part(step, "pretokenizers");
        return list.is_array() && std::any_of(list.begin(), list.end(), hasByteLevel);
    }

    void readModel(const Json& model) {
        const auto merges = model.is_object() ? model.find("merges") : model.end();
        const bool hasMerges = model.is_object() && merges != model.end();
        const std::string type = textAt(model, "type", hasMerges ? "BPE" : "Unigram");
        m_isByteLevel = type == "BPE" && hasByteLevel(part(m_json, "pre_tokenizer"));
        if (type == "BPE") readBytePairs(model);
        else if (type == "Unigram") readUnigram(model);
        else unknown("model", type);
    }

    void readBytePairs(const Json& model) {
        auto pairs = std::make_unique<BytePairModel>();
        pairs->isByteLevel = m_isByteLevel;
        pairs->fallsBackToBytes = flagAt(model, "byte_fallback", false);
        pairs->prefersWholePieces = flagAt(model, "ignore_merges", false);
        pairs->joinsUnknown = flagAt(model, "fuse_unk", false);
        pairs->wordEnd = m_wordEnd = textAt(model, "end_of_word_suffix");
        if (!textAt(model, "continuing_subword_prefix").empty())
            unknown("marker of continued words", textAt(model, "continuing_subword_prefix"));
        const auto vocabulary = model.find("vocab");
        if (vocabulary == model.end() || !vocabulary->is_object()) damaged("vocab");
        for (const auto& [token, id] : vocabulary->items()) pairs->add(token, idIn(id, m_what));
        for (const Json& m : listAt(model, "merges")) readMerge(m, *pairs);
        if (const std::string token = textAt(model, "unk_token"); !token.empty()) {
            pairs->unknown = pairs->idOf(token);
            if (!pairs->unknown) damaged("unk_token");
        }
        pairs->finish();
        m_pipeline->model = std::move(pairs);
    }

    // "a b" or ["a", "b"]
    void readMerge(const Json& merge, BytePairModel& model) {
        std::string left, right;
        if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
            left = merge[0];
            right = merge[1];
        } else if (merge.is_string()) {
            const std::string both = merge;
            const std::size_t space = both.find(' ');
            if (space == std::string::npos) damaged("merges");
            left = both.substr(0, space);
            right = both.substr(space + 1);
        }
        if (left.empty() || right.empty()) damaged("merges");
        if (!m_isByteLevel) {
            left = withSpaces(left);
            right = withSpaces(right);
        }
        model.pairs.addMerge(left, right);
    }

    void readUnigram(const Json& model) {
        auto unigram = std::make_unique<UnigramModel>();
        unigram->fallsBackToBytes = flagAt(model, "byte_fallback", false);
        const Json& vocabulary = listAt(model, "vocab");
        const Json& unknownId = part(model, "unk_id");
        if (vocabulary.empty() || vocabulary.size() > std::size_t(largestTokenId)) damaged("vocab");
        // Without an unknown token, the first stands for it.
        unigram->unknown = unknownId.is_null() ? 0 : idIn(unknownId, m_what);
        if (std::size_t(unigram->unknown) >= vocabulary.size()) damaged("unk_id");
        for (const Json& entry : vocabulary) {
            if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
                damaged("vocab");
            unigram->add(entry[0], entry[1], UnigramModel::Kind::Normal);
        }
        unigram->finish();
        m_pipeline->model = std::move(unigram);
    }

    void readAddedTokens() {
        const Json& list = part(m_json, "added_tokens");
        if (list.is_null()) return;
        if (!list.is_array()) damaged("added_tokens");
        for (const Json& entry : list)
            m_pipeline->added.add({.text = textAt(entry, "content"),
                                   .id = idIn(part(entry, "id"), m_what),
                                   .isWord = flagAt(entry, "single_word", false),
                                   .takesLeft = flagAt(entry, "lstrip", false),
                                   .takesRight = flagAt(entry, "rstrip", false)});
    }

    void normalise(TextPipeline::Normalise step) { m_pipeline->normalise.push_back(std::move(step)); }

    void readNormalizer(const Json& step) {
        if (step.is_null()) return;
        const std::string type = textAt(step, "type");
        if (type == "Sequence") {
            for (const Json& s : listAt(step, "normalizers")) readNormalizer(s);
        } else if (type == "NFC") {
            normalise([](std::string s, bool) { return composed(s); });
        } else if (type == "Lowercase") {
            normalise([](std::string s, bool) {
                std::string lower;
                for (std::size_t at = 0; at < s.size();) appendLowerCase(lower, decodeUtf8(s, at));
                return lower;
            });
        } else if (type == "Prepend") {
            normalise(
                [text = replacementAt(step, "prepend")](std::string s, bool) { return s.empty() ? s : text + s; });
        } else if (type == "Strip") {
            readStrip(flagAt(step, "strip_left", true), flagAt(step, "strip_right", true));
        } else if (type == "Replace") {
            readReplace(part(step, "pattern"), replacementAt(step, "content"));
        } else if (type == "Precompiled") {
            const Json& table = part(step, "precompiled_charsmap");
            if (!table.is_string()) damaged("precompiled_charsmap");
            auto map = std::make_shared<Charsmap>(Charsmap::parseBase64(table.get_ref<const std::string&>(), m_what));
            normalise([map](std::string s, bool) { return map->apply(s); });
        } else {
            unknown("normaliser", type);
        }
    }

    void readStrip(bool left, bool right) {
        normalise([left, right](std::string s, bool) {
            TextPipeline::Ranges words;
            splitAtSpaces(s, 0, s.size(), words);
            if (words.empty()) return std::string();
            const std::size_t begin = left ? words.front().first : 0, end = right ? words.back().second : s.size();
            return s.substr(begin, end - begin);
        });
    }

    void readReplace(const Json& pattern, const std::string& content) {
        if (const std::string text = textAt(pattern, "String"); !text.empty()) {
            normalise([text, content](std::string s, bool) {
                std::string out;
                for (std::size_t at = 0; at < s.size();) {
                    const std::size_t next = std::min(s.find(text, at), s.size());
                    out.append(s, at, next - at);
                    if (next < s.size()) out += content;
                    at = next + text.size();
                }
                return out;
            });
            return;
        }
        const std::string expression = textAt(pattern, "Regex");
        if (expression == R"(\s+)") return replaceRuns(1, isSpace, content);
        if (expression == " {2,}")
            return replaceRuns(
                2, [](char32_t c) { return c == ' '; }, content);
        unknown("replacement of", expression);
    }

    void replaceRuns(int least, bool (*belongs)(char32_t), const std::string& content) {
        normalise([least, belongs, content](std::string s, bool) {
            std::string out;
            for (std::size_t at = 0; at < s.size();) {
                std::size_t end = at;
                int count = 0;
                for (std::size_t next = at; next < s.size() && belongs(decodeUtf8(s, next)); end = next) ++count;
                if (count == 0) decodeUtf8(s, end);
                if (count >= least) out += content;
                else out.append(s, at, end - at);
                at = end;
            }
            return out;
        });
    }

    void readPreTokenizer(const Json& step) {
        if (step.is_null()) return;
        const std::string type = textAt(step, "type");
        if (type == "Sequence") {
            for (const Json& s : listAt(step, "pretokenizers")) readPreTokenizer(s);
        } else if (type == "Split") {
            readSplit(step);
        } else if (type == "ByteLevel") {
            if (flagAt(step, "add_prefix_space", true)) normalise([](std::string s, bool) { return spaceBefore(s); });
            if (flagAt(step, "use_regex", true)) m_pipeline->splits.push_back(splitBy(gpt2Split()));
        } else if (type == "WhitespaceSplit") {
            m_pipeline->splits.push_back(splitAtSpaces);
            m_splitsAtSpaces = true;
        } else if (type == "Metaspace") {
            readMetaspace(step);
        } else {
            unknown("split", type);
        }
    }

    void readSplit(const Json& step) {
        const Json& pattern = part(step, "pattern");
        const std::string behavior = textAt(step, "behavior", "Isolated");
        if (const std::string text = textAt(pattern, "String"); text == " ") {
            // Behind the normaliser that replaces spaces there are none.
            if (behavior != "MergedWithPrevious" || m_isByteLevel) unknown("split at spaces", behavior);
            return;
        }
        const std::string expression = textAt(pattern, "Regex");
        const SplitRule* rule = findSplitRule(expression);
        if (!rule) unknown("pattern", expression);
        const bool isInverted = flagAt(step, "invert", false);
        if (rule->removesSpaces ? behavior != "Removed" || !isInverted : behavior != "Isolated" || isInverted)
            unknown("split behaviour", behavior);
        m_pipeline->splits.push_back(splitBy(*rule));
    }

    // Words begin with a space, also the first ("always"; "first": the first of the text).
    void readMetaspace(const Json& step) {
        if (textAt(step, "replacement", "\u2581") != "\u2581") unknown("space", textAt(step, "replacement"));
        const bool adds = flagAt(step, "add_prefix_space", true);
        const std::string scheme = textAt(step, "prepend_scheme", adds ? "always" : "never");
        const bool isAlways = scheme == "always", isFirstOnly = scheme == "first";
        if (m_splitsAtSpaces) {
            // White space between words goes, and every word begins with a space again.
            if (!isAlways) unknown("spaces before words", scheme);
            m_pipeline->splits.pop_back();
            normalise([](std::string s, bool) {
                TextPipeline::Ranges words;
                splitAtSpaces(s, 0, s.size(), words);
                std::string out;
                for (const auto& [begin, end] : words) out += spaceBefore(withSpaces(s.substr(begin, end - begin)));
                return out;
            });
        } else {
            normalise([isAlways, isFirstOnly](std::string s, bool isFirst) {
                s = withSpaces(s);
                return isAlways || (isFirstOnly && isFirst) ? spaceBefore(s) : s;
            });
        }
        if (flagAt(step, "split", true)) m_pipeline->splits.push_back(splitBeforeSpaces);
    }

    void readPostProcessor(const Json& step) {
        if (step.is_null()) return;
        const std::string type = textAt(step, "type");
        if (type == "Sequence") {
            for (const Json& s : listAt(step, "processors")) readPostProcessor(s);
        } else if (type == "TemplateProcessing") {
            readTemplate(step);
        } else if (type == "RobertaProcessing" || type == "BertProcessing") {
            m_pipeline->before.push_back(pairAt(step, "cls"));
            m_pipeline->after.push_back(pairAt(step, "sep"));
        } else if (type != "ByteLevel") {
            unknown("template", type);
        }
    }

    TextPipeline::Special pairAt(const Json& step, const char* key) const {
        const Json& pair = listAt(step, key);
        if (pair.size() != 2 || !pair[0].is_string()) damaged(key);
        return {idIn(pair[1], m_what), pair[0]};
    }

    void readTemplate(const Json& step) {
        bool isBehind = false;
        const Json& specials = part(step, "special_tokens");
        for (const Json& entry : listAt(step, "single")) {
            if (entry.is_object() && entry.contains("Sequence")) {
                isBehind = true;
                continue;
            }
            const std::string name = textAt(part(entry, "SpecialToken"), "id");
            const Json& ids = part(part(specials, name.c_str()), "ids");
            if (!ids.is_array()) damaged("special_tokens");
            for (const Json& id : ids)
                (isBehind ? m_pipeline->after : m_pipeline->before).push_back({idIn(id, m_what), name});
        }
    }

    const Json m_json;
    const std::string m_what;
    std::unique_ptr<TextPipeline> m_pipeline = std::make_unique<TextPipeline>();
    bool m_isByteLevel = false, m_splitsAtSpaces = false;
    std::string m_wordEnd;
};

}  // namespace

std::unique_ptr<TextPipeline> readTokenizerJson(const std::string& path, const std::string& folder) {
    Reader reader(jsonOf(path), "'" + path + "'");
    auto pipeline = reader.read();
    // CLIP's encoders read texts of a fixed length; each folder has its own padding.
    if (reader.wordEnd() == "</w>") {
        const auto settings = settingsIn(folder, "tokenizer_config.json");
        const auto length = settings.find("model_max_length");
        pipeline->fixedLength = clipLength;
        if (length != settings.end() && length->is_number() && length->get<double>() >= 2
            && length->get<double>() <= 4096)
            pipeline->fixedLength = int(length->get<double>());
        pipeline->padding = pipeline->after.empty() ? TextPipeline::Special{0, "padding"} : pipeline->after.front();
        if (const auto token = roleToken(folder, "pad_token")) {
            const auto* pairs = dynamic_cast<const BytePairModel*>(pipeline->model.get());
            if (const auto id = pairs->idOf(*token); id && *id != pipeline->padding.id)
                pipeline->padding = {*id, "padding"};
        }
    }
    return pipeline;
}

const TokenizerKind& tokenizerJson() {
    static const TokenizerKind row{
        "tokenizer.json",
        [](const std::string& path) { return path.ends_with("tokenizer.json") || hasFile(path, "tokenizer.json"); },
        [](const std::string& path) -> Result<std::unique_ptr<Tokenizer>> {
            try {
                const std::filesystem::path given(path);
                const bool isFile = path.ends_with(".json");
                const std::string folder = isFile ? given.parent_path().string() : path;
                return std::unique_ptr<Tokenizer>(
                    readTokenizerJson(isFile ? path : (given / "tokenizer.json").string(), folder));
            } catch (const Failure& f) {
                return Error{f.what(), {}};
            }
        }};
    return row;
}

}  // namespace meander
