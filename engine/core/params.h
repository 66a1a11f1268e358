// Parameters that describe themselves: samplers, schedules and guidance rules list theirs, and the form, the command
// line, the file format and the documentation follow from the list.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/core/result.h"

namespace meander {

using Json = nlohmann::ordered_json;

using ParamValue = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;
// Ordered by key, so two equal sets compare and serialise equal.
using Params = std::map<std::string, ParamValue>;

// Values: Percent is a fraction in [0, 1] of `unit`; File, Image (PNG) and Run are texts, two paths and a run's id.
enum class ParamKind : std::uint8_t { Toggle, Integer, Real, Choice, Text, List, Percent, File, Image, Run };
constexpr bool isReal(ParamKind k) { return k == ParamKind::Real || k == ParamKind::Percent; }
constexpr bool isText(ParamKind k) {
    return k == ParamKind::Text || k == ParamKind::File || k == ParamKind::Image || k == ParamKind::Run;
}

struct ParamChoice {
    std::string id, label;
};

struct ParamSpec {
    std::string key;    // stable; used in files and on the command line
    std::string label;  // sentence case, for a form
    ParamKind kind = ParamKind::Real;
    ParamValue defaultValue = 0.0;
    double minimum = 0, maximum = 1;  // inclusive, for Integer, Real, Percent and elements of List
    std::string unit;                 // "", "σ", "steps" ...
    std::string help;                 // one sentence: what it does and how to read it
    std::vector<ParamChoice> choices;
    double step = 0.01;        // what one notch of a spin box changes
    bool logarithmic = false;  // a slider should be logarithmic
    bool advanced = false;     // folded away at first
    bool optional = false;  // may be absent, which `help` explains ("the model's own"); resolveParams does not fill it
};

// A row of a table with its parameters: a sampler, a schedule, an operator on schedules or a guidance rule.
struct Choice {
    std::string id;
    Params params;
    bool operator==(const Choice&) const = default;
};

// A further sentence about a parameter that an owner does not take; may be empty.
using ParamHint = std::string (*)(const std::string& key);
Error unknownParam(const std::vector<ParamSpec>& specs, const std::string& key, const std::string& owner,
                   ParamHint hint = nullptr);

// Fills missing parameters with defaults; rejects unknown keys, wrong types and values out of range with a sentence
// that names `owner`.
Result<Params> resolveParams(const std::vector<ParamSpec>& specs, const Params& given, const std::string& owner);
Result<Params> resolveParams(const std::vector<ParamSpec>& specs, const Params& given, const std::string& owner,
                             ParamHint hint);

double real(const Params& p, const std::string& key);
std::int64_t integer(const Params& p, const std::string& key);
bool toggle(const Params& p, const std::string& key);
const std::string& text(const Params& p, const std::string& key);

Json toJson(const ParamValue& v);
Json toJson(const Params& p);
// Types follow the JSON: true, 3, 3.5, "x", [1, 2]. Anything else is an error.
Result<Params> paramsFromJson(const Json& j);
// For people and tables of differences: "7.5", "on", "karras".
std::string display(const ParamValue& v);
// Parses text from a command line or a form as the spec's kind. Whole numbers are exact over the range of 64 bits.
Result<ParamValue> parseParam(const ParamSpec& spec, const std::string& text);
// "σ", "of steps"; empty without a unit.
std::string unitText(const ParamSpec& spec);

}  // namespace meander
