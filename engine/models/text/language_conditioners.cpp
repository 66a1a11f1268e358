// Families whose text encoder is a language model: the prompt is a turn of a chat, and states of one or several layers
// are the context.
#include <algorithm>

#include "engine/models/text/conditioner_common.h"
#include "engine/models/text/language_model.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

const std::string qwenUser = "<|im_start|>user\n", qwenAnswer = "<|im_end|>\n<|im_start|>assistant\n";

// Z-Image: the penultimate states of Qwen 3, with thinking enabled, which adds nothing to the template.
Conditions encodeZImage(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    constexpr std::size_t most = 512;
    requireStages(text, 1, "Z-Image");
    tokens = ChatTemplate{qwenUser, qwenAnswer}.tokens(*text[0].tokenizer, prompt.text, most);
    return {{{condition::context, asRow(text[0].encoder->encode(idsOf(tokens), {{-2}, false}).states)}}};
}

// Qwen-Image: the last states of Qwen 2.5 VL without those of the system message and the head of the user's turn.
Conditions encodeQwenImage(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    constexpr std::size_t most = 1024, dropped = 34;
    const ChatTemplate chat{"<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, "
                            "quantity, text, spatial relationships of the objects and background:<|im_end|>\n"
                                + qwenUser,
                            qwenAnswer};
    requireStages(text, 1, "Qwen-Image");
    tokens = chat.tokens(*text[0].tokenizer, prompt.text, most + dropped);
    const Tensor states = text[0].encoder->encode(idsOf(tokens), {}).states;
    if (tokens.size() <= dropped)
        throw Failure(
            "The tokenizer of this model makes fewer tokens of the template of Qwen-Image than it has. It may "
            "belong to another model.");
    tokens.erase(tokens.begin(), tokens.begin() + std::ptrdiff_t(dropped));
    return {{{condition::context, asRow(states.slice(std::int64_t(dropped), std::int64_t(tokens.size())))}}};
}

// Lumina Image 2: the penultimate states of Gemma 2; what is led away from stands without the instruction.
Conditions encodeLumina2(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    constexpr std::size_t most = 256;
    const std::string instruction =
        "You are an assistant designed to generate superior images with the superior degree "
        "of image-text alignment based on textual prompts or user prompts. <Prompt Start> ";
    requireStages(text, 1, "Lumina Image 2");
    const ChatTemplate chat{prompt.isNegative ? "" : instruction, ""};
    tokens = chat.tokens(*text[0].tokenizer, prompt.text, most);
    return {{{condition::context, asRow(text[0].encoder->encode(idsOf(tokens), {{-2}, false}).states)}}};
}

// SANA (Xie et al. 2024): an instruction for language models before the prompt, and of the last states of Gemma 2 the
// first and those of the prompt, with the end of the instruction, at most 300. What is led away from stands alone.
Conditions encodeSana(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    constexpr std::size_t most = 300;
    const std::string instruction =
        "Given a user prompt, generate an 'Enhanced prompt' that provides detailed visual descriptions suitable for "
        "image generation. Evaluate the level of detail in the user prompt:\n"
        "- If the prompt is simple, focus on adding specifics about colors, shapes, sizes, textures, and spatial "
        "relationships to create vivid and concrete scenes.\n"
        "- If the prompt is already detailed, refine and enhance the existing details slightly without "
        "overcomplicating.\n"
        "Here are examples of how to transform or refine prompts:\n"
        "- User Prompt: A cat sleeping -> Enhanced: A small, fluffy white cat curled up in a round shape, sleeping "
        "peacefully on a warm sunny windowsill, surrounded by pots of blooming red flowers.\n"
        "- User Prompt: A busy city street -> Enhanced: A bustling city street scene at dusk, featuring glowing street "
        "lamps, a diverse crowd of people in colorful clothing, and a double-decker bus passing by towering glass "
        "skyscrapers.\n"
        "Please generate only the enhanced description for the prompt below and avoid including any additional "
        "commentary or evaluations:\n"
        "User Prompt: ";
    requireStages(text, 1, "SANA");
    std::string lower;
    for (std::size_t at = 0; at < prompt.text.size();) appendLowerCase(lower, decodeUtf8(prompt.text, at));
    const Tokenizer& tokenizer = *text[0].tokenizer;
    const ChatTemplate chat{prompt.isNegative ? "" : instruction, ""};
    const std::size_t before = prompt.isNegative ? 2 : std::max<std::size_t>(tokenizer.encode(instruction).size(), 2);
    tokens = chat.tokens(tokenizer, lower, before + most - 2);
    const Tensor states = text[0].encoder->encode(idsOf(tokens), {}).states;
    const std::size_t first = std::min(before - 1, tokens.size());  // after the start of the text
    if (first <= 1) return {{{condition::context, asRow(states)}}};
    tokens.erase(tokens.begin() + 1, tokens.begin() + std::ptrdiff_t(first));
    const Tensor parts[] = {states.slice(0, 1), states.slice(std::int64_t(first), states.rows() - std::int64_t(first))};
    return {{{condition::context, asRow(parts[1].rows() > 0 ? stackRows(parts) : parts[0])}}};
}

struct Flux2Text {
    ChatTemplate chat;
    std::vector<int> layers;
    const char* padding;
    bool padsBefore;
};

// Flux.2 dev reads Mistral, klein reads Qwen 3 without thinking.
Flux2Text flux2Text(const Tokenizer& tokenizer) {
    const auto knows = [&](const std::string& token) {
        const auto tokens = tokenizer.encode(token);
        return std::any_of(tokens.begin(), tokens.end(), [&](const Token& t) { return t.special && t.text == token; });
    };
    if (knows("<|im_start|>"))
        return {{qwenUser, qwenAnswer + "<think>\n\n</think>\n\n"}, {9, 18, 27}, "<|endoftext|>", false};
    const auto empty = tokenizer.encode("");
    const std::string start = empty.empty() ? "<s>" : "";  // where the tokenizer does not set it
    return {{start
                 + "[SYSTEM_PROMPT]You are an AI that reasons about image descriptions. You give structured responses "
                   "focusing on object relationships, object\nattribution and actions without "
                   "speculation.[/SYSTEM_PROMPT][INST]",
             "[/INST]"},
            {10, 20, 30},
            "<pad>",
            true};
}

// Always 512 tokens: padding has states too, which the network attends to.
Conditions encodeFlux2(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    constexpr std::size_t length = 512;
    requireStages(text, 1, "Flux.2");
    const auto* model = dynamic_cast<const LanguageModel*>(text[0].encoder.get());
    if (!model)
        throw Failure("Flux.2 takes a language model (Mistral or Qwen 3) as text encoder, but this model has another "
                      "one. Its parts do not belong together.");
    const Tokenizer& tokenizer = *text[0].tokenizer;
    const Flux2Text how = flux2Text(tokenizer);
    tokens = how.chat.tokens(tokenizer, prompt.text, length);
    const std::int64_t count = std::int64_t(tokens.size()), padding = std::int64_t(length) - count;
    Token pad = specialToken(tokenizer, how.padding);
    pad.begin = pad.end = 0;
    tokens.insert(how.padsBefore ? tokens.begin() : tokens.end(), std::size_t(padding), pad);
    const Tensor states =
        model->encodePadded(idsOf(tokens), how.padsBefore ? padding : 0, count, {how.layers, false}).states;
    return {{{condition::context, asRow(states)}}};
}

}  // namespace

const Conditioner& zImageConditioner() {
    static const Conditioner row{"z_image", "Qwen 3, penultimate states", 1, encodeZImage};
    return row;
}
const Conditioner& qwenImageConditioner() {
    static const Conditioner row{"qwen_image", "Qwen 2.5 VL", 1, encodeQwenImage};
    return row;
}
const Conditioner& lumina2Conditioner() {
    static const Conditioner row{"lumina2", "Gemma 2, penultimate states", 1, encodeLumina2};
    return row;
}
const Conditioner& sanaConditioner() {
    static const Conditioner row{"sana", "Gemma 2 after an instruction", 1, encodeSana};
    return row;
}
const Conditioner& flux2Conditioner() {
    static const Conditioner row{"flux2", "Mistral or Qwen 3, states of three layers", 1, encodeFlux2};
    return row;
}

}  // namespace meander
