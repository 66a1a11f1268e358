#include "engine/models/text/text_common.h"

namespace meander {

using kernels::Activation;

int sizeIn(const Json& config, const char* key, int fallback, int largest, const std::string& what) {
    const std::int64_t v = jsonInteger(config, key, fallback, what);
    if (v < 1 || v > largest)
        throw Failure("The entry '" + std::string(key) + "' of " + what + " is " + std::to_string(v)
                      + ", which is not possible. The file may be damaged.");
    return int(v);
}

float epsilonIn(const Json& config, const char* key, double fallback, const std::string& what) {
    const double eps = jsonReal(config, key, fallback, what);
    if (!(eps > 0 && eps < 1))
        throw Failure("The entry '" + std::string(key) + "' of " + what
                      + " must lie between 0 and 1. The file may be damaged.");
    return float(eps);
}

Activation activationIn(const Json& config, const char* key, const std::string& fallback, const std::string& what) {
    static constexpr std::pair<const char*, Activation> table[] = {
        {"quick_gelu", Activation::QuickGelu},       {"gelu", Activation::GeluErf}, {"gelu_new", Activation::GeluTanh},
        {"gelu_pytorch_tanh", Activation::GeluTanh}, {"silu", Activation::Silu},    {"relu", Activation::Relu},
    };
    const std::string name = jsonText(config, key, fallback, what);
    std::string known;
    for (const auto& [text, activation] : table) {
        if (name == text) return activation;
        known.append(known.empty() ? "" : ", ").append(text);
    }
    throw Failure("The text encoder described in " + what + " uses the activation '" + name
                  + "', which Meander does not know. It knows: " + known + ".");
}

void requireConfig(const Json& config, const std::string& what) {
    if (!config.is_object()) throw Failure("The file " + what + " does not describe a text encoder.");
}

void checkTokens(std::span<const int> ids, int longest, int vocabulary) {
    if (ids.empty() || std::int64_t(ids.size()) > longest)
        throw Failure("The text encoder reads 1 to " + std::to_string(longest) + " tokens, but got "
                      + std::to_string(ids.size()) + ". Shorten the prompt.");
    for (const int id : ids)
        if (id < 0 || id >= vocabulary)
            throw Failure("The tokenizer knows the token " + std::to_string(id) + ", but the text encoder only "
                          + std::to_string(vocabulary) + " of them. They do not belong together.");
}

}  // namespace meander
