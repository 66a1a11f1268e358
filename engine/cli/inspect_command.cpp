// meander-run inspect: what a model, a project, an image or a recipe of any program is.
#include <algorithm>
#include <iostream>

#include "engine/cli/command.h"
#include "engine/cli/inspect_model.h"
#include "engine/cli/recipe_input.h"
#include "engine/core/printable.h"
#include "engine/exchange/file_kind.h"
#include "engine/project/project_store.h"
#include "engine/run/initial_state.h"
#include "engine/run/recipe_differences.h"

namespace meander::cli {
namespace {

struct Options {
    std::string source;
    bool isJson = false;
    std::string tensors;
};

// "run 3", or the beginning of its id where the project does not have it.
std::string nameOfRun(const std::vector<Run>& runs, const std::string& id) {
    for (const Run& r : runs)
        if (r.id == id) return "run " + std::to_string(r.number);
    return "run " + id.substr(0, 8);
}

// What a run is: its model where the project has several, sampler, steps, schedule, and the run that it goes on from.
std::string settingsOf(const Run& r, const std::vector<Run>& runs) {
    const bool isOneModel =
        std::all_of(runs.begin(), runs.end(), [&](const Run& o) { return o.recipe.model == r.recipe.model; });
    std::string text = isOneModel ? "" : r.recipe.model + " · ";
    text += r.recipe.sampler.id + " · " + std::to_string(r.recipe.steps) + " · " + r.recipe.schedule.id;
    if (r.recipe.branch)
        text += " · branch of " + nameOfRun(runs, r.recipe.branch->run) + " from step "
                + std::to_string(r.recipe.branch->step);
    if (const std::string start = startRunOf(r.recipe); !start.empty())
        text += " · starts from " + nameOfRun(runs, start);
    return text;
}

// The settings by which a run differs from an earlier one that reads the same; nothing for the first of them.
std::string differenceFromEqual(const Run& r, const std::vector<Run>& runs) {
    const auto words = [&](const Run& o) {
        return settingsOf(o, runs) + "  " + (o.name.empty() ? o.recipe.prompt : o.name);
    };
    for (const Run& o : runs) {
        if (o.id == r.id) break;
        if (words(o) != words(r)) continue;
        std::string text;
        for (const Difference& d : differences(o.recipe, r.recipe))
            text += (text.empty() ? "" : ", ") + d.label + " " + d.right;
        return " · " + (text.empty() ? "as run " + std::to_string(o.number) : text);
    }
    return {};
}

void inspectProject(const Options& o) {
    const auto store = valueOrThrow(ProjectStore::open(o.source));
    if (!store->note().empty()) std::cerr << "meander-run: " << store->note() << '\n';
    const std::vector<Run> runs = valueOrThrow(store->runs());
    for (const auto& r : runs) {
        const auto damage = valueOrThrow(store->damage(r.id));
        if (o.isJson) {
            Json j = toJson(r);
            if (!damage.empty()) j["damaged"] = damage;
            printLine(j);
            continue;
        }
        std::cout << r.number << "  " << nameOf(r.status) << "  "
                  << printable(settingsOf(r, runs) + differenceFromEqual(r, runs)) << "  "
                  << printable(r.name.empty() ? r.recipe.prompt : r.name)
                  << (r.problem.empty() ? "" : "\n   " + printable(r.problem)) << '\n';
        for (const auto& part : damage) std::cout << "   Damaged: " << printable(part) << '\n';
    }
}

void inspectRecipe(const Options& o) {
    const auto read = valueOrThrow(readAnyRecipe(o.source));
    if (o.isJson) {
        printLine(toJson(read));
        return;
    }
    std::cout << toJson(read.recipe).dump(2, ' ', false, Json::error_handler_t::replace) << "\n\nWritten by "
              << read.program << " (" << read.source << ").\n";
    for (const auto& [origin, title] :
         {std::pair(SettingOrigin::Read, "Read"), std::pair(SettingOrigin::Assumed, "Assumed"),
          std::pair(SettingOrigin::NotUnderstood, "Not understood")})
        for (const auto& s : read.texts(origin)) std::cout << title << ": " << s << '\n';
}

}  // namespace

void addInspect(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("inspect",
                                 "Tell what a model, a project (.meander), a recipe or an image that carries one is");
    c->add_option(
         "what", o->source,
         "A model (builtin:sprites-unet, a file, a folder), a project, an image or settings of another program; - for "
         "an image or settings from the standard input")
        ->required();
    c->add_flag("--json", o->isJson, "As JSON, one object a line");
    auto* tensors =
        c->add_option("--tensors", o->tensors,
                      "List the tensors of a file of weights: name, type, shape and bytes; with a PATTERN, those "
                      "whose names contain it, or fit it where it has a *")
            ->type_name("[PATTERN]")
            ->expected(0, 1);
    c->callback([o, tensors, &context] {
        context.chosen = [o, wantsTensors = tensors->count() > 0] {
            if (wantsTensors) {
                inspectTheModel({o->source, o->isJson, true, o->tensors});
                return 0;
            }
            switch (isPipe(o->source) ? FileKind::Recipe : fileKindOf(o->source)) {
            case FileKind::Project: inspectProject(*o); break;
            case FileKind::Image:
            case FileKind::Recipe: inspectRecipe(*o); break;
            case FileKind::Other: inspectTheModel({o->source, o->isJson, false, {}}); break;
            }
            return 0;
        };
    });
}

}  // namespace meander::cli
