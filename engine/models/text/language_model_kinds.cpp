// The classes of transformers that hold such a language model: the model itself, the one that predicts words, and those
// that see images too.
#include "engine/models/text/language_model.h"
#include "engine/models/text/text_common.h"

namespace meander {
namespace {

constexpr LanguageModelSwitches qwen2{.hasQkvBias = true}, qwen3{.hasQkNorm = true}, mistral{},
    gemma2{.hasSandwichNorms = true,
           .addsOneToNorms = true,
           .scalesEmbeddings = true,
           .alternatesWindow = true,
           .activation = "gelu_pytorch_tanh",
           .activationKey = "hidden_activation"};

template <const LanguageModelSwitches& switches>
std::unique_ptr<TextEncoder> build(const Json& j, const std::string& what, NetworkBuilder& b) {
    return std::make_unique<LanguageModel>(languageModelConfig(j, what, switches), b);
}
template <const LanguageModelSwitches& switches> int describe(const Json& j, const std::string& what) {
    languageModelConfig(j, what, switches);
    return usualTextTokens;
}

}  // namespace

#define LANGUAGE_MODEL(function, className, name, switches)                                                            \
    const TextEncoderKind& function() {                                                                                \
        static const TextEncoderKind row{className, name, build<switches>, describe<switches>};                        \
        return row;                                                                                                    \
    }
LANGUAGE_MODEL(qwen2Model, "Qwen2Model", "Qwen 2.5", qwen2)
LANGUAGE_MODEL(qwen2ForCausalLm, "Qwen2ForCausalLM", "Qwen 2.5", qwen2)
LANGUAGE_MODEL(qwen25Vl, "Qwen2_5_VLForConditionalGeneration", "Qwen 2.5 VL", qwen2)
LANGUAGE_MODEL(qwen3Model, "Qwen3Model", "Qwen 3", qwen3)
LANGUAGE_MODEL(qwen3ForCausalLm, "Qwen3ForCausalLM", "Qwen 3", qwen3)
LANGUAGE_MODEL(qwen3Vl, "Qwen3VLForConditionalGeneration", "Qwen 3 VL", qwen3)
LANGUAGE_MODEL(gemma2Model, "Gemma2Model", "Gemma 2", gemma2)
LANGUAGE_MODEL(gemma2ForCausalLm, "Gemma2ForCausalLM", "Gemma 2", gemma2)
LANGUAGE_MODEL(mistralModel, "MistralModel", "Mistral", mistral)
LANGUAGE_MODEL(mistralForCausalLm, "MistralForCausalLM", "Mistral", mistral)
LANGUAGE_MODEL(mistral3, "Mistral3ForConditionalGeneration", "Mistral 3", mistral)
#undef LANGUAGE_MODEL

}  // namespace meander
