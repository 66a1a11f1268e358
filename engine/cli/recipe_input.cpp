#include "engine/cli/recipe_input.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

#include "engine/exchange/file_kind.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/recipe/recipe_fields.h"
#include "engine/run/recipe_tables.h"

namespace meander::cli {
namespace {

// Parses a parameter of a table's row; the nearest key stands in the sentence when it takes none of that name.
void setParam(Choice& choice, const ChoiceTable& table, const std::string& key, const std::string& value) {
    const ChoiceRow* row = table.find(choice.id);
    if (!row) throw Failure("\"" + choice.id + "\" is not known, so its parameters cannot be set.");
    std::vector<std::string> keys;
    for (const auto& s : *row->params) {
        if (s.key == key) {
            choice.params[key] = valueOrThrow(parseParam(s, value));
            return;
        }
        keys.push_back(s.key);
    }
    throw Failure(unknownParam(*row->params, key, row->label, row->hint).text + didYouMean(key, keys));
}

// "clip" or "clip:max=5:min=0.1".
Choice parseChoice(const std::string& given, const ChoiceTable& table) {
    std::size_t end = std::min(given.find(':'), given.size());
    Choice choice{given.substr(0, end), {}};
    if (!table.find(choice.id)) noSuch(table.noun, choice.id, table.ids());
    while (end < given.size()) {
        const std::size_t start = end + 1;
        end = std::min(given.find(':', start), given.size());
        const std::string part = given.substr(start, end - start);
        const auto equals = part.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Failure("\"" + part
                          + "\" is not of the form KEY=VALUE; a row with parameters is written as clip:max=5:min=0.1.");
        setParam(choice, table, part.substr(0, equals), part.substr(equals + 1));
    }
    return choice;
}

// "clip:max=5|to_clean"; none, off or nothing: no row.
std::vector<Choice> parseChoices(const std::string& text, const ChoiceTable& table) {
    std::vector<Choice> list;
    if (text.empty() || text == "none" || text == "off") return list;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find('|', start), text.size());
        list.push_back(parseChoice(text.substr(start, end - start), table));
        start = end + 1;
    }
    return list;
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
    if (!table.find(name)) noSuch(table.noun, name, table.ids());
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
        r.** list = parseChoices(value, *table);
    else fieldFromText(field, r, value);
}

[[noreturn]] void noSuchField(const std::string& key) {
    std::vector<std::string> known;
    for (const auto& f : recipeFields()) known.push_back(f.key);
    throw Failure("A recipe has no setting \"" + key + "\"." + didYouMean(key, known)
                  + " Parameters are set as sampler.eta=0.5, schedule.rho=5, noise.per=batch, guidance.scale=3.");
}

std::string standardInput() {
    constexpr std::size_t most = std::size_t(64) << 20;
    std::string text;
    std::array<char, 1 << 16> buffer;
    while (std::cin.read(buffer.data(), buffer.size()) || std::cin.gcount() > 0) {
        text.append(buffer.data(), std::size_t(std::cin.gcount()));
        if (text.size() > most) throw Failure("The standard input is longer than 64 MiB, more than a recipe may have.");
    }
    return text;
}

Recipe draftOf(ProjectStore& store) {
    if (auto draft = store.draft()) return *draft;
    const auto runs = valueOrThrow(store.runs());
    if (runs.empty()) throw Failure("'" + store.path() + "' has no draft and no run to repeat. Give a recipe.");
    Recipe r = runs.back().recipe;
    r.branch.reset();
    return r;
}

// A recipe from a file, or "-": from the standard input.
Recipe readRecipe(const std::string& source) {
    const ReadRecipe read =
        valueOrThrow(source == "-" ? recipeFromText(standardInput(), "the standard input") : readRecipeFrom(source));
    for (const auto& s : read.assumed()) std::cerr << "meander-run: assumed: " << s << '\n';
    for (const auto& s : read.notUnderstood()) std::cerr << "meander-run: not understood: " << s << '\n';
    return read.recipe;
}

// A run by its number, its id or the beginning of its id, with its record.
std::shared_ptr<const Run> runNamed(ProjectStore& store, const std::string& name) {
    std::string known, id;
    for (const auto& run : valueOrThrow(store.runs())) {
        known += (known.empty() ? "" : ", ") + std::to_string(run.number);
        if (run.id == name || std::to_string(run.number) == name || (name.size() >= 6 && run.id.starts_with(name)))
            id = run.id;
    }
    if (id.empty())
        throw Failure("'" + store.path() + "' has no run " + name
                      + (known.empty() ? "; it holds none." : "; it has " + known + "."));
    return std::make_shared<const Run>(valueOrThrow(store.loadRun(id)));
}

// The project whose runs a recipe builds on: the one it came from, else the one of --project.
ProjectStore& runsFor(ReadInput& in, const RecipeInput& input, const std::string& what) {
    if (!in.project && !input.project.empty() && std::filesystem::exists(input.project))
        in.project = valueOrThrow(ProjectStore::open(input.project));
    if (!in.project)
        throw Failure("The recipe " + what
                      + " another run, which only its project has. Give the project, as the recipe or with --project.");
    return *in.project;
}

std::optional<std::string> modelSetBy(const std::vector<std::string>& sets) {
    for (const auto& s : sets)
        if (s.starts_with("model=")) return s.substr(6);
    return std::nullopt;
}

// Before --set: the sample, a file, a project's draft, or what a model recommends.
void readSource(const RecipeInput& input, ReadInput& in) {
    if (input.isSample) {
        in.recipe = sampleRecipe();
    } else if (input.source.empty()) {
        if (const auto model = modelSetBy(input.sets))
            in.recipe = recommendedRecipe(valueOrThrow(inspectModel(*model)));
    } else if (fileKindOf(input.source) == FileKind::Project) {
        in.project = valueOrThrow(ProjectStore::open(input.source));
        if (!in.project->note().empty()) std::cerr << "meander-run: " << in.project->note() << '\n';
        if (input.branch.empty()) in.recipe = draftOf(*in.project);
    } else {
        in.recipe = readRecipe(input.source);
    }
}

// A branch continues its parent's recipe, unless another recipe is given.
void takeBranch(const RecipeInput& input, ReadInput& in) {
    if (input.branch.empty()) return;
    Recipe branch;
    applySet(branch, "branch=" + input.branch);
    const bool hasOwnRecipe = input.isSample || (!input.source.empty() && !in.project);
    if (!hasOwnRecipe) in.recipe = runNamed(runsFor(in, input, "branches from"), branch.branch->run)->recipe;
    in.recipe.branch = branch.branch;
}

}  // namespace

void RecipeInput::addTo(CLI::App& command) {
    command.add_option(
        "recipe", source,
        "A recipe (.json), an image or text that carries one, a project (.meander, its draft), or - for a "
        "recipe from the standard input; with --set model=ID alone, what that model recommends");
    command.add_flag("--sample", isSample,
                     "The sample: \"a red circle above a blue square on a green background\" by the sprites U-Net");
    command
        .add_option("--set", sets,
                    "Change a setting: steps=12, seed=7, sampler=heun, schedule.rho=5, "
                    "schedule_operators=clip:max=5|to_clean, guidance.scale=3 (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    command.add_option("--branch", branch, "Continue a run of the project, by its number, from that step")
        ->type_name("RUN:STEP")
        ->check(notEmpty());
}

Recipe sampleRecipe() {
    Recipe r = recommendedRecipe(valueOrThrow(inspectModel("builtin:sprites-unet")));
    r.prompt = "a red circle above a blue square on a green background";
    r.seed = 42;
    return r;
}

void applySet(Recipe& r, const std::string& assignment) try {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0)
        throw Failure("--set needs KEY=VALUE; \"" + assignment + "\" has no such form.");
    const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
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
} catch (const Failure& e) {
    throw WrongArgument(e.what());
}

std::vector<Choice> parseOperators(const std::string& text) try {
    return parseChoices(text, *choiceTable("schedule_operators"));
} catch (const Failure& e) {
    throw WrongArgument(e.what());
}

ReadInput readInput(const RecipeInput& input) {
    ReadInput in;
    if (input.isSample && !input.source.empty()) throw WrongArgument("Give either a recipe or --sample, not both.");
    if (!input.isSample && input.source.empty() && input.branch.empty() && !modelSetBy(input.sets))
        throw WrongArgument("Give a recipe, an image, a project, --sample, or a model with --set model=ID.");
    readSource(input, in);
    takeBranch(input, in);
    for (const auto& s : input.sets) applySet(in.recipe, s);
    if (const std::string name = startRunOf(in.recipe); !name.empty()) {
        in.start = runNamed(runsFor(in, input, "starts from"), name);
        in.recipe.start.params["run"] = in.start->id;
    }
    if (in.recipe.branch) {
        in.parent = runNamed(runsFor(in, input, "branches from"), in.recipe.branch->run);
        in.recipe.branch->run = in.parent->id;
    }
    return in;
}

}  // namespace meander::cli
