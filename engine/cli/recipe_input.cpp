#include "engine/cli/recipe_input.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "engine/exchange/file_kind.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/run/recipe_settings.h"
#include "engine/run/recipe_tables.h"

namespace meander::cli {
namespace {

constexpr const char* standardInput = "the standard input";

std::string everythingFrom(std::istream& in, const std::string& what) {
    constexpr std::size_t most = std::size_t(256) << 20;
    std::string bytes;
    std::array<char, 1 << 16> buffer;
    while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
        bytes.append(buffer.data(), std::size_t(in.gcount()));
        if (bytes.size() > most)
            throw Failure("What comes from " + what
                          + " is longer than 256 MiB, more than a recipe or an image may have.");
    }
    return bytes;
}

// Of a pipe, which is read to its end.
std::string bytesOf(const std::string& source) {
    if (source == "-") return everythingFrom(std::cin, standardInput);
    std::ifstream in(source, std::ios::binary);
    if (!in) throw Failure("Cannot open '" + source + "'. Check that it may be read.");
    return everythingFrom(in, "'" + source + "'");
}

Recipe draftOf(ProjectStore& store) {
    if (auto draft = store.draft()) return *draft;
    const auto runs = valueOrThrow(store.runs());
    if (runs.empty()) throw Failure("'" + store.path() + "' has no draft and no run to repeat. Give a recipe.");
    Recipe r = runs.back().recipe;
    r.branch.reset();
    return r;
}

// Tells what was assumed and not understood.
Recipe readRecipe(const std::string& source) {
    const ReadRecipe read = valueOrThrow(readAnyRecipe(source));
    for (const auto& s : read.assumed()) std::cerr << "meander-run: assumed: " << s << '\n';
    for (const auto& s : read.notUnderstood()) std::cerr << "meander-run: not understood: " << s << '\n';
    return read.recipe;
}

}  // namespace

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

namespace {

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
    } else if (!isPipe(input.source) && fileKindOf(input.source) == FileKind::Project) {
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

bool isPipe(const std::string& source) {
    if (source == "-") return true;
    std::error_code error;
    const auto status = std::filesystem::status(source, error);
    return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)
           && !std::filesystem::is_directory(status);
}

Result<ReadRecipe> readAnyRecipe(const std::string& source) {
    if (!isPipe(source)) return readRecipeFrom(source);
    return recipeFromBytes(bytesOf(source), source == "-" ? std::string(standardInput) : "'" + source + "'");
}

std::unique_ptr<ProjectStore> projectToWrite(const std::string& path) {
    auto store = valueOrThrow(std::filesystem::exists(path) ? ProjectStore::open(path) : ProjectStore::create(path));
    if (!store->note().empty()) std::cerr << "meander-run: " << store->note() << '\n';
    if (store->isReadOnly())
        throw Failure("The project '" + store->path()
                      + "' cannot be written, so its runs would be lost. Name another.");
    return store;
}

int nextRunNumber(ProjectStore& store) {
    int number = 0;
    for (const auto& r : valueOrThrow(store.runs())) number = std::max(number, r.number);
    return number + 1;
}

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
                    "schedule_operators=clip:max=5|to_clean, guidance.scale=3 (may be repeated). Inside a value of a "
                    "row, | and : are written as \\| and \\:, as in 'guidance=concepts:concepts=a\\|b'")
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
    changeSetting(r, assignment.substr(0, equals), assignment.substr(equals + 1));
} catch (const Failure& e) {
    throw WrongArgument(e.what());
}

std::vector<Choice> parseOperators(const std::string& text) try {
    return choicesFromText(text, *choiceTable("schedule_operators"));
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
    if (const std::string name = sourceRunOf(in.recipe); !name.empty()) {
        in.sourceRun = runNamed(runsFor(in, input, "reads from"), name);
        for (Choice& c : in.recipe.guidance)
            if (const auto it = c.params.find("run"); it != c.params.end() && it->second == ParamValue(name))
                it->second = in.sourceRun->id;
    }
    if (in.recipe.branch) {
        in.parent = runNamed(runsFor(in, input, "branches from"), in.recipe.branch->run);
        in.recipe.branch->run = in.parent->id;
    }
    return in;
}

}  // namespace meander::cli
