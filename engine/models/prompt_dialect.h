// How a prompt is read: as plain text, or with the syntax of another program.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meander {

enum class PromptDialect : std::uint8_t { Plain, A1111, A1111NoNorm, ComfyUi };
constexpr bool isA1111(PromptDialect d) { return d == PromptDialect::A1111 || d == PromptDialect::A1111NoNorm; }

struct PromptDialectInfo {
    PromptDialect dialect;
    const char *id, *label, *help;
};
const std::vector<PromptDialectInfo>& promptDialects();
// Of an id of the table; Plain for any other text.
PromptDialect promptDialect(std::string_view id);

// A prompt of A1111 is one text after the other in the course of a run, and several at once:
//
//   [from:to:when]  `from` up to the step `when`, then `to`; a number with a point is a share of the steps
//   [a|b|c]         one after the other, another at every step
//   a :1.2 AND b    a and b at once: D = D(∅) + Σ wᵢ (D(cᵢ) − D(∅)) (Liu et al. 2022)
//
// What does not fit the syntax is text. The other dialects have none of it.

// The prompt as it is at `step` of `steps`, both counted from 0.
std::string promptAt(std::string_view prompt, PromptDialect dialect, int step, int steps);

struct JoinedPrompt {
    std::string text;
    double weight = 1;
};
// At least one.
std::vector<JoinedPrompt> joinedPrompts(std::string_view prompt, PromptDialect dialect);
// More than one, or one with a weight.
bool isJoined(const std::vector<JoinedPrompt>& prompts);

}  // namespace meander
