#include "engine/run/recipe_settings.h"

#include <algorithm>
#include <span>

#include "engine/core/did_you_mean.h"
#include "engine/recipe/recipe_fields.h"
#include "engine/recipe/unknown_name.h"

namespace meander {
namespace {

[[noreturn]] void noSuchRow(const ChoiceTable& table, const std::string& id) {
    throw Failure("There is no " + table.noun + " named \"" + id + "\"."
                  + remedyForUnknownName(table.noun, id, table.ids()));
}

// Parses a parameter of a table's row; the nearest key stands in the sentence when it takes none of that name.
void setParam(Choice& choice, const ChoiceTable& table, const std::string& key, const std::string& value) {
    const ChoiceRow* row = table.find(choice.id);
    if (!row) throw Failure("\"" + choice.id + "\" is not known, so its parameters cannot be set.");
    std::vector<std::string> keys;
    for (const auto& s : *row->params) {
        if (s.key == key) {
            auto parsed = parseParam(s, value);
            if (!parsed) throw Failure(parsed.error().text);
            choice.params[key] = std::move(*parsed);
            return;
        }
        keys.push_back(s.key);
    }
    throw Failure(unknownParam(*row->params, key, row->label, row->hint).text + didYouMean(key, keys));
}

// The parts of a text between separators; one behind a backslash belongs to its part.
std::vector<std::string> partsOf(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == separator) parts.emplace_back();
        else {
            if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == separator) ++i;
            parts.back() += text[i];
        }
    }
    return parts;
}

// "clip" or "clip:max=5:min=0.1".
Choice parseChoice(const std::string& given, const ChoiceTable& table) {
    const auto parts = partsOf(given, ':');
    Choice choice{parts.front(), {}};
    if (!table.find(choice.id)) noSuchRow(table, choice.id);
    for (const std::string& part : std::span(parts).subspan(1)) {
        const auto equals = part.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Failure("\"" + part
                          + "\" is not of the form KEY=VALUE; a row with parameters is written as clip:max=5:min=0.1.");
        setParam(choice, table, part.substr(0, equals), part.substr(equals + 1));
    }
    return choice;
}

// The row that "0.max" or "clip.max" is about, by its place or its id; one that is not there yet is added at the end.
Choice& rowNamed(std::vector<Choice>& list, const ChoiceTable& table, const std::string& name) {
    if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos) {
        if (name.size() > 3 || std::size_t(std::stoi(name)) >= list.size())
            throw Failure("The recipe has no " + table.noun + " number " + name + "; the first is 0.");
        return list[std::size_t(std::stoi(name))];
    }
    const auto it = std::find_if(list.begin(), list.end(), [&](const Choice& c) { return c.id == name; });
    if (it != list.end()) return *it;
    if (!table.find(name)) noSuchRow(table, name);
    return list.emplace_back(Choice{name, {}});
}

// "guidance.scale" is of the first rule, or of classifier-free guidance where there is none.
void setParamInList(std::vector<Choice>& list, const ChoiceTable& table, const std::string& key,
                    const std::string& value) {
    const auto dot = key.find('.');
    if (dot != std::string::npos)
        return setParam(rowNamed(list, table, key.substr(0, dot)), table, key.substr(dot + 1), value);
    if (table.field != "guidance")
        throw Failure("Parameters of operators are set as schedule_operators.clip.max=5; \"" + key + "\" names none.");
    setParam(rowNamed(list, table, list.empty() ? "cfg" : list.front().id), table, key, value);
}

// A field as a whole: "sampler=heun", "guidance=cfg:scale=3|apg", "steps=12".
void setField(Recipe& r, const RecipeField& field, const std::string& value) {
    const ChoiceTable* table = choiceTable(field.key);
    if (const auto* one = std::get_if<Choice Recipe::*>(&field.member)) r.** one = parseChoice(value, *table);
    else if (const auto* list = std::get_if<std::vector<Choice> Recipe::*>(&field.member))
        r.** list = choicesFromText(value, *table);
    else fieldFromText(field, r, value);
}

[[noreturn]] void noSuchField(const std::string& key) {
    std::vector<std::string> known;
    for (const auto& f : recipeFields()) known.push_back(f.key);
    throw Failure("A recipe has no setting \"" + key + "\"." + didYouMean(key, known)
                  + " Parameters are set as sampler.eta=0.5, schedule.rho=5, noise.per=batch, guidance.scale=3.");
}

// The parameter that "scale", "0.scale" or "cfg.scale" names in any row of a table.
const ParamSpec* parameterNamed(const ChoiceTable& table, const std::string& key) {
    const std::string last = key.substr(key.rfind('.') + 1);
    for (const ChoiceRow& row : table.rows)
        for (const ParamSpec& s : *row.params)
            if (s.key == last) return &s;
    return nullptr;
}

}  // namespace

// "clip:max=5|to_clean"; none, off or nothing: no row. A | or : inside a value is written as \| or \:.
std::vector<Choice> choicesFromText(const std::string& text, const ChoiceTable& table) {
    std::vector<Choice> list;
    if (text.empty() || text == "none" || text == "off") return list;
    for (const std::string& row : partsOf(text, '|')) list.push_back(parseChoice(row, table));
    return list;
}

void changeSetting(Recipe& r, const std::string& key, const std::string& value) {
    const auto dot = key.find('.');
    const RecipeField* field = findRecipeField(key.substr(0, dot));
    if (!field) noSuchField(key);
    if (dot == std::string::npos) return setField(r, *field, value);
    const std::string param = key.substr(dot + 1);
    if (const auto* one = std::get_if<Choice Recipe::*>(&field->member))
        setParam(r.**one, *choiceTable(field->key), param, value);
    else if (const auto* list = std::get_if<std::vector<Choice> Recipe::*>(&field->member))
        setParamInList(r.**list, *choiceTable(field->key), param, value);
    else throw Failure(field->label + " has no parameters; write " + field->key + "=VALUE.");
}

std::string settingLabel(const std::string& key) {
    const auto dot = key.find('.');
    const RecipeField* field = findRecipeField(key.substr(0, dot));
    if (!field) return key;
    if (dot == std::string::npos) return field->label;
    const ChoiceTable* table = choiceTable(field->key);
    const ParamSpec* spec = table ? parameterNamed(*table, key.substr(dot + 1)) : nullptr;
    return spec ? field->label + " " + spec->label : key;
}

}  // namespace meander
