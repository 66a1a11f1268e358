#include "engine/exchange/import/prompt_syntax.h"

#include <regex>

namespace meander {
namespace {

enum Reader : unsigned { Nobody = 0, InA1111 = 1, InComfy = 2 };

struct Syntax {
    const char *pattern, *reason;
    bool novelAiOnly = false;
    bool invokeOnly = false;
    unsigned readers = Nobody;  // dialects that read it
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
    {R"(\[[^\[\]\n]{0,200}\|[^\[\]\n]{0,200}\])", "alternating words; they are read as plain words", false, false,
     InA1111},
    {R"(\[[^\[\]\n:]{0,200}:[^\[\]\n]{0,200}:?\s*\d*\.?\d+\s*\])", "prompt editing by step; it is read as plain words",
     false, false, InA1111},
    {R"(\((?:[^()\\\n]|\\.){1,200}:\s*[-+]?\d*\.?\d+\s*\))", "a weight; it is read as plain characters", false, false,
     InA1111 | InComfy},
    {R"((?:[\w]+|\([^()\n]{1,200}\))(?:\+{1,4}|-{2,4}|[+-]?\d\.\d+)(?=[\s,.)]|$))",
     "a weight; it is read as plain characters", false, true},
    {R"(\((?:[^()\\\n]|\\.){1,200}\))", "emphasis; brackets are read as plain characters", false, false,
     InA1111 | InComfy},
    {R"(\[(?:[^\[\]\\\n]|\\.){1,200}\])", "emphasis; brackets are read as plain characters", false, false, InA1111},
    {R"(\\[()\[\]])", "escaped brackets; the backslash is read too", false, false, InA1111 | InComfy},
    {R"(\bBREAK\b)", "a new chunk; it is read as a word", false, false, InA1111},
    {R"(\bAND\b)", "joined prompts; it is read as a word", false, false, InA1111},
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

bool reads(PromptDialect dialect, const Syntax& s) {
    return s.readers & (isA1111(dialect) ? InA1111 : dialect == PromptDialect::ComfyUi ? InComfy : Nobody);
}

}  // namespace

std::vector<ImportedSetting> promptSyntax(const std::string& prompt, Peer peer, PromptDialect dialect,
                                          const std::string& where) {
    std::string rest = prompt.substr(0, longestScanned);
    std::vector<ImportedSetting> found;
    for (std::size_t i = 0; i < std::size(syntaxes); ++i) {
        const Syntax& s = syntaxes[i];
        const std::regex& pattern = patterns()[i];
        if ((s.novelAiOnly && peer != Peer::NovelAi) || (s.invokeOnly && peer != Peer::InvokeAi)) continue;
        if (reads(dialect, s)) continue;
        std::smatch match;
        if (!std::regex_search(rest, match, pattern)) continue;
        found.push_back({SettingOrigin::NotUnderstood, where, match.str(), s.reason});
        rest = std::regex_replace(rest, pattern, " ");
    }
    return found;
}

bool hasSyntax(const std::string& prompt, PromptDialect dialect) {
    if (dialect == PromptDialect::Plain) return false;
    constexpr std::size_t longestPlain = 200;  // characters that surely fit into the tokens of CLIP
    if (prompt.size() > longestPlain) return true;
    for (std::size_t i = 0; i < std::size(syntaxes); ++i)
        if (reads(dialect, syntaxes[i]) && std::regex_search(prompt, patterns()[i])) return true;
    // "a cat :1.2" is a prompt with a weight; a bracket that is not closed weighs all that follows.
    return isJoined(joinedPrompts(prompt, dialect))
           || (isA1111(dialect) && prompt.find_first_of("([\\") != prompt.npos);
}

}  // namespace meander
