#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

[[noreturn]] void notPossible(const char* key, const std::string& value, const std::string& what) {
    throw Failure("The entry '" + std::string(key) + "' of " + what + " is " + value
                  + ", which is not possible. The file may be damaged.");
}

}  // namespace

int extentIn(const Json& config, const char* key, int fallback, int largest, const std::string& what) {
    const std::int64_t v = jsonInteger(config, key, fallback, what);
    if (v < 1 || v > largest) notPossible(key, std::to_string(v), what);
    return int(v);
}

std::vector<int> extentsIn(const Json& config, const char* key, const std::vector<int>& fallback, int largest,
                           const std::string& what) {
    if (!config.contains(key) || config[key].is_null()) return fallback;
    const Json& list = config[key];
    if (!list.is_array() || list.size() > 1024) notPossible(key, list.dump(), what);
    std::vector<int> values;
    for (const Json& v : list) {
        if (!v.is_number_integer() || v < 0 || v > largest) notPossible(key, list.dump(), what);
        values.push_back(v.get<int>());
    }
    return values;
}

void requireSetting(const Json& config, const char* key, const Json& known, const std::string& what) {
    if (config.contains(key) && !config[key].is_null() && config[key] != known)
        throw Failure("The transformer described in " + what + " cannot be used yet: its setting '" + std::string(key)
                      + "' is " + config[key].dump() + ", and Meander only knows " + known.dump() + ".");
}

void requireObject(const Json& config, const std::string& what) {
    if (!config.is_object()) throw Failure("The file " + what + " does not describe a network.");
}

void sizesDoNotFit(const std::string& what) {
    throw Failure("The sizes in " + what + " do not fit together. The file may be damaged.");
}

}  // namespace meander
