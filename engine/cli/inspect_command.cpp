// meander-run inspect: what a model, a project, an image or a recipe of any program is.
#include <iostream>

#include "engine/cli/command.h"
#include "engine/cli/inspect_model.h"
#include "engine/core/printable.h"
#include "engine/exchange/file_kind.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/project/project_store.h"

namespace meander::cli {
namespace {

struct Options {
    std::string source;
    bool isJson = false;
    std::string tensors;
};

void inspectProject(const Options& o) {
    const auto store = valueOrThrow(ProjectStore::open(o.source));
    if (!store->note().empty()) std::cerr << "meander-run: " << store->note() << '\n';
    for (const auto& r : valueOrThrow(store->runs())) {
        const auto damage = valueOrThrow(store->damage(r.id));
        if (o.isJson) {
            Json j = toJson(r);
            if (!damage.empty()) j["damaged"] = damage;
            printLine(j);
            continue;
        }
        std::cout << r.number << "  " << nameOf(r.status) << "  " << printable(r.recipe.sampler.id) << " · "
                  << r.recipe.steps << " · " << printable(r.recipe.schedule.id) << "  "
                  << printable(r.name.empty() ? r.recipe.prompt : r.name)
                  << (r.problem.empty() ? "" : "\n   " + printable(r.problem)) << '\n';
        for (const auto& part : damage) std::cout << "   Damaged: " << printable(part) << '\n';
    }
}

void inspectRecipe(const Options& o) {
    const auto read = valueOrThrow(readRecipeFrom(o.source));
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
         "A model (builtin:sprites-unet, a file, a folder), a project, an image or settings of another program")
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
            switch (fileKindOf(o->source)) {
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
