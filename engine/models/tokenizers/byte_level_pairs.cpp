// Byte-level byte pairs in vocab.json and merges.txt, as Qwen and GPT-2 write them (CLIP's are in clip_bpe.h).
#include <algorithm>
#include <filesystem>

#include "engine/models/tokenizers/split_rule.h"
#include "engine/models/tokenizers/tokenizer_files.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

// Special tokens behind Qwen's vocabulary, which bare files do not name.
constexpr int qwenTokens = 151643;
constexpr const char* qwenSpecials[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};

std::unique_ptr<TextPipeline> read(const std::string& folder) {
    const std::filesystem::path path(folder);
    auto pipeline = std::make_unique<TextPipeline>();
    auto model = std::make_unique<BytePairModel>();
    const std::string vocabularyPath = (path / "vocab.json").string(), what = "'" + vocabularyPath + "'";
    const auto vocabulary = jsonOf(vocabularyPath, 2);
    if (!vocabulary.is_object())
        throw Failure("The vocabulary " + what + " is not a list of tokens. Download it again.");
    for (const auto& [token, id] : vocabulary.items()) model->add(token, idIn(id, what));
    model->pairs.readMerges(textOf((path / "merges.txt").string()));
    if (const auto token = roleToken(folder, "unk_token")) model->unknown = model->idOf(*token);
    model->finish();
    const int size = model->vocabularySize();
    pipeline->model = std::move(model);

    auto added = addedTokensIn(folder);
    if (added.empty() && size == qwenTokens)
        for (int i = 0; i < 3; ++i) added.push_back({.text = qwenSpecials[i], .id = qwenTokens + i});
    for (AddedToken& t : added) pipeline->added.add(std::move(t));

    const bool isGpt2 = tokenizerClass(folder).starts_with("GPT2");
    if (!isGpt2) pipeline->normalise.push_back([](std::string s, bool) { return composed(s); });
    pipeline->splits.push_back(splitBy(isGpt2 ? gpt2Split() : qwenSplit()));
    return pipeline;
}

}  // namespace

const TokenizerKind& byteLevelPairs() {
    static const TokenizerKind row{
        "byte-level byte pairs (vocab.json and merges.txt)",
        [](const std::string& path) { return hasFile(path, "vocab.json") && hasFile(path, "merges.txt"); },
        [](const std::string& path) -> Result<std::unique_ptr<Tokenizer>> {
            try {
                return std::unique_ptr<Tokenizer>(read(path));
            } catch (const Failure& f) {
                return Error{f.what(), {}};
            }
        }};
    return row;
}

}  // namespace meander
