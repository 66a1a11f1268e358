// JSON read from files of others: limited in size and depth, never trusted, and with sentences instead of exceptions of
// the parser.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/params.h"

namespace meander {

struct JsonLimits {
    std::size_t bytes = std::size_t(64) << 20;
    int depth = 64;
};

// `what` names the source in the sentence: "the file header of 'a.safetensors'".
Result<Json> parseJson(std::string_view text, const std::string& what, const JsonLimits& limits = {});
// The same for large flat objects (file headers, vocabularies): sorted keys, so that building it stays n log n.
Result<nlohmann::json> parseSortedJson(std::string_view text, const std::string& what, const JsonLimits& limits = {});
Result<Json> readJsonFile(const std::string& path, const JsonLimits& limits = {});

// The whole file as bytes, refused above `limit`.
Result<std::string> readTextFile(const std::string& path, std::size_t limit);

// A member of the asked type, or the fallback when it is absent or null; a member of another type throws Failure, which
// names `what` and the key.
std::int64_t jsonInteger(const Json& object, const char* key, std::int64_t fallback, const std::string& what);
double jsonReal(const Json& object, const char* key, double fallback, const std::string& what);
bool jsonBool(const Json& object, const char* key, bool fallback, const std::string& what);
std::string jsonText(const Json& object, const char* key, const std::string& fallback, const std::string& what);
std::vector<std::string> jsonTexts(const Json& object, const char* key, const std::vector<std::string>& fallback,
                                   const std::string& what);
std::vector<double> jsonReals(const Json& object, const char* key, const std::vector<double>& fallback,
                              const std::string& what);
// A list of integers, or one integer that stands for `count` equal ones.
std::vector<std::int64_t> jsonIntegers(const Json& object, const char* key, const std::vector<std::int64_t>& fallback,
                                       std::size_t count, const std::string& what);

}  // namespace meander
