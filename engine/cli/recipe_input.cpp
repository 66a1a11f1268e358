#include "engine/cli/recipe_input.h"

#include <array>
#include <iostream>

#include "engine/cli/device_choice.h"
#include "engine/core/json.h"
#include "engine/exchange/file_kind.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/guidance/guidance.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander::cli {
namespace {

const ParamSpec& specOf(const std::vector<ParamSpec>& specs, const std::string& key, const std::string& owner) {
    std::vector<std::string> keys;
    for (const auto& s : specs) {
        if (s.key == key) return s;
        keys.push_back(s.key);
    }
    throw Failure(resolveParams(specs, {{key, 0.0}}, owner).error().text + didYouMean(key, keys));
}

// "clip:max=5:min=0.1"
Choice parseChoice(const std::string& given, const char* kind, auto find, const std::vector<std::string>& known) {
    std::size_t end = std::min(given.find(':'), given.size());
    Choice choice{given.substr(0, end), {}};
    const auto* info = find(choice.id);
    if (!info) noSuch(kind, choice.id, known);
    while (end < given.size()) {
        const std::size_t start = end + 1;
        end = std::min(given.find(':', start), given.size());
        const std::string part = given.substr(start, end - start);
        const auto equals = part.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Failure("\"" + part
                          + "\" is not of the form KEY=VALUE; an operator is written as clip:max=5:min=0.1.");
        const std::string key = part.substr(0, equals);
        choice.params[key] = valueOrThrow(parseParam(specOf(info->params, key, info->label), part.substr(equals + 1)));
    }
    return choice;
}

template <class Info>
void setParam(Choice& choice, const Info* info, const std::string& key, const std::string& value) {
    if (!info) throw Failure("\"" + choice.id + "\" is not known, so its parameters cannot be set.");
    choice.params[key] = valueOrThrow(parseParam(specOf(info->params, key, info->label), value));
}

// "clip.max=5" or "0.max=5": an operator by its id (added at the end when it is missing) or its place.
void setOperator(std::vector<Choice>& operators, const std::string& key, const std::string& value) {
    const auto dot = key.find('.');
    if (dot == std::string::npos)
        throw Failure("Parameters of operators are set as schedule_operators.clip.max=5; \"" + key + "\" names none.");
    const std::string id = key.substr(0, dot);
    auto it = std::find_if(operators.begin(), operators.end(), [&](const Choice& c) { return c.id == id; });
    if (!id.empty() && id.find_first_not_of("0123456789") == std::string::npos) {
        if (id.size() > 3 || std::size_t(std::stoi(id)) >= operators.size())
            throw Failure("The recipe has no operator number " + id + " on its schedule; the first is 0.");
        it = operators.begin() + std::stoi(id);
    } else if (it == operators.end()) {
        if (!findScheduleOperator(id)) noSuch("operator on schedules", id, idsOf(scheduleOperators()));
        it = operators.insert(operators.end(), Choice{id, {}});
    }
    setParam(*it, findScheduleOperator(it->id), key.substr(dot + 1), value);
}

void setGuidance(Recipe& r, const std::string& key, const std::string& value) {
    const auto dot = key.find('.');
    const std::string id =
        dot == std::string::npos ? (r.guidance.empty() ? "cfg" : r.guidance.front().id) : key.substr(0, dot);
    const auto* rule = findGuidance(id);
    if (!rule) noSuch("guidance rule", id, idsOf(guidanceRules()));
    auto it = std::find_if(r.guidance.begin(), r.guidance.end(), [&](const Choice& c) { return c.id == id; });
    if (it == r.guidance.end()) it = r.guidance.insert(r.guidance.end(), Choice{id, {}});
    setParam(*it, rule, dot == std::string::npos ? key : key.substr(dot + 1), value);
}

// Names from tables, which files may hold unknown for later versions to read, are looked up at once when a person types
// them.
void checkNames(const std::string& key, const std::string& value) {
    if (key == "sampler" && !findSampler(value)) noSuch("sampler", value, idsOf(samplers()));
    if (key == "schedule" && !findSchedule(value)) noSuch("schedule", value, idsOf(schedules()));
    if (key == "noise" && !findNoise(value)) noSuch("noise source", value, idsOf(noiseSources()));
    if (key == "guidance" && value != "none" && value != "off" && !findGuidance(value))
        noSuch("guidance rule", value, idsOf(guidanceRules()));
    if (const std::string problem = key == "device" ? deviceProblem(value) : std::string(); !problem.empty())
        throw WrongArgument(problem);
}

// A plain key through the recipe's own JSON reader, so that types, names and sentences are the same as in files.
void setPlain(Recipe& r, const std::string& key, const std::string& value) {
    static const std::vector<std::string> texts = {"model",     "prompt", "negative_prompt", "precision", "device",
                                                   "attention", "start",  "sampler",         "schedule",  "noise"};
    static const std::vector<std::string> numbers = {"class", "seed", "images", "steps", "record_states"};
    std::vector<std::string> known = texts;
    known.insert(known.end(), numbers.begin(), numbers.end());
    known.push_back("guidance");
    known.push_back("schedule_operators");
    checkNames(key, value);
    Json j = toJson(r);
    if (std::find(texts.begin(), texts.end(), key) != texts.end()) {
        j[key] = value;
    } else if (std::find(numbers.begin(), numbers.end(), key) != numbers.end()) {
        auto parsed = parseJson(value, "the value of " + key);
        if (!parsed) throw Failure("\"" + key + "\" needs a number; \"" + value + "\" is none.");
        j[key] = *parsed;
    } else if (key == "schedule_operators") {
        j[key] = Json::array();
        for (const auto& o : value == "none" ? std::vector<Choice>{} : parseOperators(value))
            j[key].push_back({{"id", o.id}, {"params", meander::toJson(o.params)}});
    } else if (key == "guidance") {
        j[key] = value == "none" || value == "off" ? Json::array() : Json::array({{{"id", value}}});
    } else {
        throw Failure("A recipe has no setting \"" + key + "\"." + didYouMean(key, known)
                      + " Parameters are set as sampler.eta=0.5, schedule.rho=5, noise.per=batch, guidance.scale=3.");
    }
    r = valueOrThrow(recipeFromJson(j));
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

}  // namespace

void RecipeInput::addTo(CLI::App& command) {
    command.add_option(
        "recipe", source,
        "A recipe (.json), an image or text that carries one, a project (.meander, its draft), or - for a "
        "recipe from the standard input");
    command.add_flag("--sample", isSample,
                     "The sample: \"a red circle above a blue square on a green background\" by the sprites U-Net");
    command
        .add_option("--set", sets,
                    "Change a setting: steps=12, seed=7, sampler=heun, schedule.rho=5, "
                    "schedule_operators=clip:max=5|to_clean, guidance.scale=3 (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
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
    if (key.starts_with("start.")) setParam(r.start, findStart(r.start.id), key.substr(6), value);
    else if (key.starts_with("sampler.")) setParam(r.sampler, findSampler(r.sampler.id), key.substr(8), value);
    else if (key.starts_with("schedule.")) setParam(r.schedule, findSchedule(r.schedule.id), key.substr(9), value);
    else if (key.starts_with("schedule_operators.")) setOperator(r.scheduleOperators, key.substr(19), value);
    else if (key.starts_with("noise.")) setParam(r.noise, findNoise(r.noise.id), key.substr(6), value);
    else if (key.starts_with("guidance.")) setGuidance(r, key.substr(9), value);
    else setPlain(r, key, value);
} catch (const Failure& e) {
    throw WrongArgument(e.what());
}

std::vector<Choice> parseOperators(const std::string& text) try {
    std::vector<Choice> operators;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find('|', start), text.size());
        operators.push_back(parseChoice(
            text.substr(start, end - start), "operator on schedules",
            [](const std::string& id) { return findScheduleOperator(id); }, idsOf(scheduleOperators())));
        start = end + 1;
    }
    return operators;
} catch (const Failure& e) {
    throw WrongArgument(e.what());
}

ReadInput readInput(const RecipeInput& input) {
    ReadInput in;
    if (input.isSample == !input.source.empty())
        throw WrongArgument(input.isSample ? "Give either a recipe or --sample, not both."
                                           : "Give a recipe, an image, a project or --sample.");
    if (input.isSample) {
        in.recipe = sampleRecipe();
    } else if (fileKindOf(input.source) == FileKind::Project) {
        in.project = valueOrThrow(ProjectStore::open(input.source));
        if (!in.project->note().empty()) std::cerr << "meander-run: " << in.project->note() << '\n';
        in.recipe = draftOf(*in.project);
    } else {
        in.recipe = readRecipe(input.source);
    }
    for (const auto& s : input.sets) applySet(in.recipe, s);
    if (const std::string id = startRunOf(in.recipe); !id.empty()) {
        if (!in.project)
            throw Failure("The recipe starts from another run, which only its project has. Give the project, or start "
                          "from noise or data.");
        in.start = std::make_shared<const Run>(valueOrThrow(in.project->loadRun(id)));
    }
    if (in.recipe.branch) {
        if (!in.project)
            throw Failure("The recipe branches from another run, which only its project has. Give the project, or "
                          "remove \"branch\".");
        in.parent = std::make_shared<const Run>(valueOrThrow(in.project->loadRun(in.recipe.branch->run)));
    }
    return in;
}

}  // namespace meander::cli
