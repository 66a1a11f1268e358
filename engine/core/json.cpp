#include "engine/core/json.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <new>

namespace meander {
namespace {

// Nesting depth outside strings; the parser itself recurses only in destructors, so deep text is refused before it is
// parsed.
int depthOf(std::string_view text) {
    int depth = 0, deepest = 0;
    bool inString = false, escaped = false;
    for (char c : text) {
        if (inString) {
            if (escaped) escaped = false;
            else if (c == '\\') escaped = true;
            else if (c == '"') inString = false;
        } else if (c == '"') {
            inString = true;
        } else if (c == '{' || c == '[') {
            deepest = std::max(deepest, ++depth);
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return deepest;
}

const Json* member(const Json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
}

[[noreturn]] void wrongType(const char* key, const char* wanted, const std::string& what) {
    throw Failure("The entry '" + std::string(key) + "' of " + what + " should be " + wanted
                  + ". The file may be damaged or of a kind Meander does not know.");
}

std::int64_t integerOf(const Json& j, const char* key, const std::string& what) {
    if (j.is_number_unsigned() && j.get<std::uint64_t>() > std::uint64_t(INT64_MAX))
        wrongType(key, "a smaller whole number", what);
    if (j.is_number_integer()) return j.get<std::int64_t>();
    if (j.is_number_float()) {
        const double d = j.get<double>();
        if (std::floor(d) == d && std::abs(d) < 9e15) return std::int64_t(d);
    }
    wrongType(key, "a whole number", what);
}

// Where and why, from the parser's own sentence: "… parse error at line 3, column 7: syntax error while parsing value -
// …".
std::string placeOf(const std::string& sentence) {
    const auto line = sentence.find("line ");
    return line == std::string::npos ? std::string() : " at " + sentence.substr(line, sentence.find(':', line) - line);
}

template <class J> Result<J> parseAs(std::string_view text, const std::string& what, const JsonLimits& limits) {
    if (text.size() > limits.bytes)
        return Error{"Cannot read " + what + ": it is " + std::to_string(text.size() >> 20)
                     + " MiB long, more than the " + std::to_string(limits.bytes >> 20)
                     + " MiB that such text may have."};
    if (depthOf(text) > limits.depth)
        return Error{"Cannot read " + what + ": it is nested more than " + std::to_string(limits.depth)
                     + " levels deep. The file is damaged or not what it seems to be."};
    try {
        return J::parse(text.begin(), text.end());
    } catch (const std::bad_alloc&) {
        return Error{"Cannot read " + what + ": there is not enough memory. Close other programs and try again."};
    } catch (const std::exception& e) {
        return Error{
            "Cannot read " + what + ": it is not valid JSON" + placeOf(e.what())
                + ". Correct it there; a file that came from elsewhere may be damaged or incomplete, get it again.",
            e.what()};
    }
}

}  // namespace

Result<Json> parseJson(std::string_view text, const std::string& what, const JsonLimits& limits) {
    return parseAs<Json>(text, what, limits);
}
Result<nlohmann::json> parseSortedJson(std::string_view text, const std::string& what, const JsonLimits& limits) {
    return parseAs<nlohmann::json>(text, what, limits);
}

Result<std::string> readTextFile(const std::string& path, std::size_t limit) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return Error{"Cannot read '" + path + "': it is a folder, and a file is needed."};
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    if (!in) return Error{"Cannot open '" + path + "'. Check that the file exists and may be read."};
    const auto size = in.tellg();
    if (size < 0) return Error{"Cannot read '" + path + "'. Check that it is a file, not a folder."};
    if (std::size_t(size) > limit)
        return Error{"Cannot read '" + path + "': it is larger than " + std::to_string(limit >> 20)
                     + " MiB, more than such a file may have."};
    std::string text(std::size_t(size), '\0');
    in.seekg(0);
    if (size > 0 && !in.read(text.data(), size))
        return Error{"Cannot read '" + path
                     + "': reading stopped early. Check the disk and that it is a file, not a folder."};
    return text;
}

Result<Json> readJsonFile(const std::string& path, const JsonLimits& limits) {
    auto text = readTextFile(path, limits.bytes);
    if (!text) return text.error();
    return parseJson(*text, "'" + path + "'", limits);
}

std::int64_t jsonInteger(const Json& object, const char* key, std::int64_t fallback, const std::string& what) {
    const Json* m = member(object, key);
    return m ? integerOf(*m, key, what) : fallback;
}

double jsonReal(const Json& object, const char* key, double fallback, const std::string& what) {
    const Json* m = member(object, key);
    if (!m) return fallback;
    if (!m->is_number()) wrongType(key, "a number", what);
    return m->get<double>();
}

bool jsonBool(const Json& object, const char* key, bool fallback, const std::string& what) {
    const Json* m = member(object, key);
    if (!m) return fallback;
    if (!m->is_boolean()) wrongType(key, "true or false", what);
    return m->get<bool>();
}

std::string jsonText(const Json& object, const char* key, const std::string& fallback, const std::string& what) {
    const Json* m = member(object, key);
    if (!m) return fallback;
    if (!m->is_string()) wrongType(key, "a text", what);
    return m->get<std::string>();
}

std::vector<std::string> jsonTexts(const Json& object, const char* key, const std::vector<std::string>& fallback,
                                   const std::string& what) {
    const Json* m = member(object, key);
    if (!m) return fallback;
    if (!m->is_array()) wrongType(key, "a list of texts", what);
    std::vector<std::string> texts;
    for (const auto& e : *m) {
        if (!e.is_string()) wrongType(key, "a list of texts", what);
        texts.push_back(e.get<std::string>());
    }
    return texts;
}

std::vector<double> jsonReals(const Json& object, const char* key, const std::vector<double>& fallback,
                              const std::string& what) {
    const Json* m = member(object, key);
    if (!m) return fallback;
    if (!m->is_array()) wrongType(key, "a list of numbers", what);
    std::vector<double> numbers;
    for (const auto& e : *m) {
        if (!e.is_number()) wrongType(key, "a list of numbers", what);
        numbers.push_back(e.get<double>());
    }
    return numbers;
}

std::vector<std::int64_t> jsonIntegers(const Json& object, const char* key, const std::vector<std::int64_t>& fallback,
                                       std::size_t count, const std::string& what) {
    const Json* m = member(object, key);
    if (!m) return fallback;
    if (m->is_number()) return std::vector<std::int64_t>(count, integerOf(*m, key, what));
    if (!m->is_array()) wrongType(key, "a list of whole numbers", what);
    std::vector<std::int64_t> numbers;
    for (const auto& e : *m) numbers.push_back(integerOf(e, key, what));
    return numbers;
}

}  // namespace meander
