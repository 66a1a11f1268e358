// The recipe a command works on: from a .json recipe, an image that carries one, a project's draft or one of its runs,
// a model's recommendation, or the sample; then changed by --set key=value.
#pragma once
#include <memory>

#include "engine/cli/command.h"
#include "engine/exchange/imported_recipe.h"
#include "engine/project/project_store.h"
#include "engine/run/plan.h"

namespace meander::cli {

struct RecipeInput {
    std::string source;   // a path; empty with --sample
    std::string branch;   // "3:5": run 3 from step 5 on; empty: no branch
    std::string project;  // of --project: its runs may be started or branched from
    bool isSample = false;
    std::vector<std::string> sets;  // "steps=12", "sampler=heun", "schedule.rho=5", "guidance.scale=3"

    // The positional argument and the options.
    void addTo(CLI::App& command);
};

struct ReadInput {
    Recipe recipe;
    std::unique_ptr<ProjectStore> project;  // the source, or where its runs were looked up
    std::shared_ptr<const Run> parent;      // of a recipe that branches
    std::shared_ptr<const Run> start;       // of a recipe that starts from another run
    std::shared_ptr<const Run> sourceRun;   // of a recipe whose interventions read from another run
};
ReadInput readInput(const RecipeInput& input);
// "-" or a path that can be read only once: a FIFO, /dev/stdin, a shell's <(command).
bool isPipe(const std::string& source);
// A recipe from a file or a pipe, with what was assumed and not understood.
Result<ReadRecipe> readAnyRecipe(const std::string& source);
// A run of a project by its number, its id or the beginning of its id, with its record. Throws Failure.
std::shared_ptr<const Run> runNamed(ProjectStore& store, const std::string& name);
// A project to record into, as the commands that do so open it: it can be written, and is made where it does not exist.
std::unique_ptr<ProjectStore> projectToWrite(const std::string& path);
int nextRunNumber(ProjectStore& store);
Recipe sampleRecipe();
void applySet(Recipe& recipe, const std::string& assignment);
// "clip:max=5|to_clean": operators on a schedule, in order.
std::vector<Choice> parseOperators(const std::string& text);

}  // namespace meander::cli
