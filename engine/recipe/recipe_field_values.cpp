// The values of recipe fields as JSON, as text and for a person, and what is wrong with them.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "engine/recipe/recipe_fields.h"

namespace meander {
namespace {

constexpr AttentionLevel attentionLevels[] = {AttentionLevel::Off, AttentionLevel::Summary, AttentionLevel::Layers,
                                              AttentionLevel::Full};

AttentionLevel attentionFromText(const std::string& s) {
    for (auto l : attentionLevels)
        if (s == nameOf(l)) return l;
    throw Failure("The recipe's \"attention\" must be off, summary, layers or full.");
}

std::string kindOf(const RecipeField& f) {
    return "a whole number from " + std::to_string(f.minimum) + " to " + std::to_string(f.maximum);
}

constexpr const char* stepKind = "a whole number from 0 to 2147483647";
constexpr const char* seedKind = "a whole number from 0 to 18446744073709551615";

[[noreturn]] void mistyped(const std::string& where, const std::string& key, const std::string& kind) {
    throw Failure(where + ": \"" + key + "\" must be " + kind + ".");
}

std::string textOf(const Json& j, const std::string& where, const std::string& key) {
    if (!j.is_string()) mistyped(where, key, "a text");
    return j.get<std::string>();
}

int integerOf(const Json& j, const std::string& where, const std::string& key, const std::string& kind) {
    const auto fits = [](auto n) {
        return n >= std::numeric_limits<int>::min() && n <= std::numeric_limits<int>::max();
    };
    if (!j.is_number_integer()
        || (j.is_number_unsigned() ? j.get<std::uint64_t>() > std::uint64_t(std::numeric_limits<int>::max())
                                   : !fits(j.get<std::int64_t>())))
        mistyped(where, key, kind);
    return j.get<int>();
}

// Unknown keys are an error that names them.
void checkKeys(const Json& j, const std::string& where, std::initializer_list<const char*> known) {
    if (!j.is_object()) throw Failure(where + " must be a JSON object.");
    for (const auto& [key, value] : j.items())
        if (std::none_of(known.begin(), known.end(), [&key = key](const char* k) { return key == k; }))
            throw Failure(where + " has an unknown key \"" + key + "\". Remove it or correct its spelling.");
}

Json choiceToJson(const Choice& c) {
    Json j = {{"id", c.id}};
    if (!c.params.empty()) j["params"] = toJson(c.params);
    return j;
}

Choice choiceFromJson(const Json& j, const std::string& where) {
    if (j.is_string()) return {j.get<std::string>(), {}};
    checkKeys(j, where, {"id", "params"});
    Choice c;
    if (const auto id = j.find("id"); id != j.end() && !id->is_null()) c.id = textOf(*id, where, "id");
    if (const auto p = j.find("params"); p != j.end() && !p->is_null()) {
        auto params = paramsFromJson(*p);
        if (!params) throw Failure(where + ": " + params.error().text);
        c.params = std::move(*params);
    }
    return c;
}

BranchPoint branchFromJson(const Json& j) {
    const std::string where = "The recipe's branch point";
    checkKeys(j, where, {"run", "step"});
    BranchPoint point;
    if (const auto run = j.find("run"); run != j.end() && !run->is_null()) point.run = textOf(*run, where, "run");
    if (const auto step = j.find("step"); step != j.end() && !step->is_null())
        point.step = integerOf(*step, where, "step", stepKind);
    return point;
}

// "a|b|c"
std::vector<std::string> partsOf(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find('|', start), text.size());
        parts.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

bool isNone(const std::string& text) { return text.empty() || text == "none" || text == "off" || text == "null"; }

template <class T> T wholeNumber(const RecipeField& f, const std::string& text, const std::string& kind) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        throw Failure(f.label + " must be " + kind + "; \"" + text + "\" is not.");
    return value;
}

// One overload for each kind of member: value → JSON, JSON → value, text → value, value → text.
Json jsonOf(const RecipeField&, const auto& value) { return Json(value); }
Json jsonOf(const RecipeField&, const std::optional<int>& v) { return v ? Json(*v) : Json(); }
Json jsonOf(const RecipeField&, AttentionLevel v) { return nameOf(v); }
Json jsonOf(const RecipeField&, const Choice& v) { return choiceToJson(v); }
Json jsonOf(const RecipeField&, const std::vector<Choice>& v) {
    Json list = Json::array();
    for (const auto& c : v) list.push_back(choiceToJson(c));
    return list;
}
Json jsonOf(const RecipeField&, const std::optional<BranchPoint>& v) {
    return v ? Json{{"run", v->run}, {"step", v->step}} : Json();
}

const std::string recipeText = "The recipe";
void read(const RecipeField& f, const Json& j, std::string& into) { into = textOf(j, recipeText, f.key); }
void read(const RecipeField& f, const Json& j, int& into) { into = integerOf(j, recipeText, f.key, kindOf(f)); }
void read(const RecipeField& f, const Json& j, std::optional<int>& into) {
    into = integerOf(j, recipeText, f.key, kindOf(f));
}
void read(const RecipeField& f, const Json& j, std::uint64_t& into) {
    if (!j.is_number_unsigned()) mistyped(recipeText, f.key, seedKind);
    into = j.get<std::uint64_t>();
}
void read(const RecipeField& f, const Json& j, bool& into) {
    if (!j.is_boolean()) mistyped(recipeText, f.key, "true or false");
    into = j.get<bool>();
}
void read(const RecipeField& f, const Json& j, AttentionLevel& into) {
    into = attentionFromText(textOf(j, recipeText, f.key));
}
void read(const RecipeField& f, const Json& j, Choice& into) { into = choiceFromJson(j, "The recipe's " + f.key); }
void read(const RecipeField& f, const Json& j, std::vector<Choice>& into) {
    if (!j.is_array() || j.size() > 32) mistyped(recipeText, f.key, "a list of at most 32 entries");
    into.clear();
    for (const auto& c : j) into.push_back(choiceFromJson(c, "An entry of the recipe's \"" + f.key + "\""));
}
void read(const RecipeField&, const Json& j, std::optional<BranchPoint>& into) { into = branchFromJson(j); }

void parse(const RecipeField&, const std::string& t, std::string& into) { into = t; }
void parse(const RecipeField& f, const std::string& t, int& into) { into = wholeNumber<int>(f, t, kindOf(f)); }
void parse(const RecipeField& f, const std::string& t, std::optional<int>& into) {
    if (isNone(t)) into.reset();
    else into = wholeNumber<int>(f, t, kindOf(f));
}
void parse(const RecipeField& f, const std::string& t, std::uint64_t& into) {
    into = wholeNumber<std::uint64_t>(f, t, seedKind);
}
void parse(const RecipeField& f, const std::string& t, bool& into) {
    const ParamSpec spec{.key = f.key, .label = f.label, .kind = ParamKind::Toggle};
    const auto value = parseParam(spec, t);
    if (!value) throw Failure(value.error().text);
    into = std::get<bool>(*value);
}
void parse(const RecipeField&, const std::string& t, AttentionLevel& into) { into = attentionFromText(t); }
void parse(const RecipeField&, const std::string& t, Choice& into) { into = {t, {}}; }
void parse(const RecipeField&, const std::string& t, std::vector<Choice>& into) {
    into.clear();
    if (!isNone(t))
        for (auto& id : partsOf(t)) into.push_back({std::move(id), {}});
}
void parse(const RecipeField& f, const std::string& t, std::optional<BranchPoint>& into) {
    into.reset();
    if (isNone(t)) return;
    const auto colon = t.rfind(':');
    if (colon == std::string::npos || colon == 0)
        throw Failure("A branch point is written as RUN:STEP; \"" + t + "\" is none.");
    into = BranchPoint{t.substr(0, colon),
                       wholeNumber<int>(f, t.substr(colon + 1), std::string("RUN:STEP with ") + stepKind + " as STEP")};
}

std::string shown(const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) return value;
    else return std::to_string(value);
}
std::string shown(bool v) { return v ? "yes" : "no"; }
std::string shown(const std::optional<int>& v) { return v ? std::to_string(*v) : "–"; }
std::string shown(AttentionLevel v) { return nameOf(v); }
std::string shown(const Choice& v) { return v.id; }
std::string shown(const std::vector<Choice>& v) {
    std::string text;
    for (const auto& c : v) text += (text.empty() ? "" : "|") + c.id;
    return text.empty() ? "none" : text;
}
std::string shown(const std::optional<BranchPoint>& v) {
    return v ? v->run.substr(0, 8) + ", step " + std::to_string(v->step) : "–";
}

std::string problemOf(const RecipeField& f, int value) {
    return value >= f.minimum && value <= f.maximum ? std::string() : f.label + " must be " + kindOf(f) + ".";
}

std::string problemOf(const RecipeField& f, const std::string& value) {
    const auto isChoice = [&](const FieldChoice& c) { return c.id == value; };
    if (f.choices.empty() || std::any_of(f.choices.begin(), f.choices.end(), isChoice)
        || (f.isAllowed && f.isAllowed(value)))
        return {};
    std::string list;
    for (std::size_t i = 0; i < f.choices.size(); ++i)
        list += (i == 0 ? "" : i + 1 < f.choices.size() ? ", " : " or ") + f.choices[i].id;
    return "There is no " + std::string(1, char(std::tolower(f.label[0]))) + f.label.substr(1) + " '" + value
           + "'. Choose " + list + ".";
}

}  // namespace

Json fieldToJson(const RecipeField& field, const Recipe& recipe) {
    static const Recipe defaults;
    if (field.isOmitted && isEqual(field, recipe, defaults)) return {};
    return std::visit([&](auto member) { return jsonOf(field, recipe.*member); }, field.member);
}

void fieldFromJson(const RecipeField& field, Recipe& recipe, const Json& value) {
    std::visit([&](auto member) { read(field, value, recipe.*member); }, field.member);
}

void fieldFromText(const RecipeField& field, Recipe& recipe, const std::string& text) {
    Recipe next = recipe;
    std::visit([&](auto member) { parse(field, text, next.*member); }, field.member);
    if (const std::string problem = problemOf(field, next); !problem.empty()) throw Failure(problem);
    recipe = std::move(next);
}

std::string display(const RecipeField& field, const Recipe& recipe) {
    return std::visit([&](auto member) { return shown(recipe.*member); }, field.member);
}

bool isEqual(const RecipeField& field, const Recipe& a, const Recipe& b) {
    return std::visit([&](auto member) { return a.*member == b.*member; }, field.member);
}

void copyField(const RecipeField& field, const Recipe& from, Recipe& to) {
    std::visit([&](auto member) { to.*member = from.*member; }, field.member);
}

std::string problemOf(const RecipeField& field, const Recipe& recipe) {
    if (const auto* number = std::get_if<int Recipe::*>(&field.member)) return problemOf(field, recipe.**number);
    if (const auto* text = std::get_if<std::string Recipe::*>(&field.member)) return problemOf(field, recipe.**text);
    if (const auto* maybe = std::get_if<std::optional<int> Recipe::*>(&field.member))
        return recipe.**maybe ? problemOf(field, *(recipe.**maybe)) : std::string();
    return {};
}

}  // namespace meander
