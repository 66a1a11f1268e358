#include "engine/exchange/import/prompt_syntax.h"

#include <regex>

namespace meander {
namespace {

struct Syntax {
    const char *pattern, *reason;
    bool novelAiOnly = false;
    bool invokeOnly = false;
};

// Earlier rows take their text away from later ones.
const Syntax syntaxes[] = {
    {R"(<(?:lora|lyco|hypernet|segment|random|wildcard|alternate|fromto|param|preset|object|region|break|var|embed))"
     R"([^<>\n]{0,200}>)",
     "a tag of the program; it has no effect here"},
    {R"(\bembedding:[^\s,()]+)", "a textual inversion; its name is read as plain words"},
    {R"(__[\w/*-]{1,80}__)", "a wildcard; it is read as plain words"},
    {R"([-+]?\d+(?:\.\d+)?::[^:\n]{1,200}::)", "a weight; it is read as plain words", true},
    {R"(\{\{+[^{}\n]{1,200}\}\}+)", "emphasis; brackets are read as plain characters"},
    {R"(\{[^{}\n]{0,200}\|[^{}\n]{0,200}\})", "alternatives; they are read as plain words"},
    {R"(\{[^{}\n]{1,200}\})", "emphasis; brackets are read as plain characters", true},
    {R"(\[[^\[\]\n]{0,200}\|[^\[\]\n]{0,200}\])", "alternating words; they are read as plain words"},
    {R"(\[[^\[\]\n:]{0,200}:[^\[\]\n]{0,200}:?\s*\d*\.?\d+\s*\])", "prompt editing by step; it is read as plain words"},
    {R"(\((?:[^()\\\n]|\\.){1,200}:\s*[-+]?\d*\.?\d+\s*\))", "a weight; it is read as plain characters"},
    {R"((?:[\w]+|\([^()\n]{1,200}\))(?:\+{1,4}|-{2,4}|[+-]?\d\.\d+)(?=[\s,.)]|$))",
     "a weight; it is read as plain characters", false, true},
    {R"(\((?:[^()\\\n]|\\.){1,200}\))", "emphasis; brackets are read as plain characters"},
    {R"(\[(?:[^\[\]\\\n]|\\.){1,200}\])", "emphasis; brackets are read as plain characters"},
    {R"(\\[()\[\]])", "escaped brackets; the backslash is read too"},
    {R"(\bBREAK\b)", "a new chunk; it is read as a word"},
    {R"(\bAND\b)", "joined prompts; it is read as a word"},
};

constexpr std::size_t longestScanned = 4000;  // of a prompt; what follows is beyond every text encoder

const std::vector<std::regex>& patterns() {
    static const std::vector<std::regex> compiled = [] {
        std::vector<std::regex> list;
        for (const Syntax& s : syntaxes) list.emplace_back(s.pattern, std::regex::ECMAScript | std::regex::optimize);
        return list;
    }();
    return compiled;
}

}  // namespace

std::vector<ImportedSetting> promptSyntax(const std::string& prompt, Peer peer, const std::string& where) {
    std::string rest = prompt.substr(0, longestScanned);
    std::vector<ImportedSetting> found;
    for (std::size_t i = 0; i < std::size(syntaxes); ++i) {
        const Syntax& s = syntaxes[i];
        const std::regex& pattern = patterns()[i];
        if ((s.novelAiOnly && peer != Peer::NovelAi) || (s.invokeOnly && peer != Peer::InvokeAi)) continue;
        std::smatch match;
        if (!std::regex_search(rest, match, pattern)) continue;
        found.push_back({SettingOrigin::NotUnderstood, where, match.str(), s.reason});
        rest = std::regex_replace(rest, pattern, " ");
    }
    return found;
}

}  // namespace meander
