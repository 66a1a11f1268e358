// meander-run run: carries a recipe out and writes what came of it.
#include <filesystem>
#include <iostream>

#include "engine/cli/batch.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/recipe_input.h"
#include "engine/exchange/run_export.h"

namespace meander::cli {
namespace {

struct Options {
    RecipeInput input;
    std::string folder, project;
    bool isJson = false;
};

// The project to record into: the one named, new or existing, else the one the recipe came from.
std::unique_ptr<ProjectStore> projectFor(const Options& o, std::unique_ptr<ProjectStore> source) {
    if (o.project.empty()) return source;
    if (source && std::filesystem::weakly_canonical(o.project) == std::filesystem::path(source->path())) return source;
    auto store = std::filesystem::exists(o.project) ? ProjectStore::open(o.project) : ProjectStore::create(o.project);
    return orFail(std::move(store));
}

int nextNumber(ProjectStore* store) {
    int number = 0;
    if (store)
        for (const auto& r : orFail(store->runs())) number = std::max(number, r.number);
    return number + 1;
}

void report(const Run& run, const BatchResult& result, const Options& o, const std::vector<std::string>& files) {
    if (o.isJson) {
        printLine({{"event", "done"}, {"run", run.id}, {"status", nameOf(run.status)}, {"seconds", run.seconds}, {"evaluations", run.evaluations}, {"device", result.device}, {"folder", o.folder}, {"files", files}});
        return;
    }
    std::cout << "Run " << run.number << ' ' << nameOf(run.status) << ": " << run.evaluations << " evaluations in " << secondsText(run.seconds) << " on " << result.device << ", peak " << bytesText(double(run.peakBytes)) << ".\n";
    if (!result.deviceNote.empty()) std::cout << result.deviceNote << '\n';
    if (!files.empty()) std::cout << files.size() << " files in " << o.folder << '\n';
}

int carryOut(const Options& o) {
    ReadInput in = readInput(o.input);
    const Plan p = orFail(plan(in.recipe, in.parent.get(), in.start.get()));
    for (const auto& note : p.notes)
        if (note.kind == NoteKind::Warning) std::cerr << "meander-run: " << note.text << '\n';
    const auto store = projectFor(o, std::move(in.project));
    const BatchResult result = runBatch({p}, {p.resolved.device, o.isJson, false, store.get(), in.parent, nextNumber(store.get())});
    if (result.runs.empty()) throw Failure("The run was interrupted before it began.");
    const Run& run = *result.runs.front();
    std::vector<std::string> files;
    if (!o.folder.empty()) files = orFail(exportRun(run, o.folder));
    if (store) {
        store->saveDraft(in.recipe);
        if (const Status s = store->close(); !s) throw Failure(s.error().text);
    }
    report(run, result, o, files);
    return 0;
}

}  // namespace

void addRun(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("run", "Carry out a recipe; write pictures, trajectory and attention maps, or record into a project");
    o->input.addTo(*c);
    c->add_option("-o,--output", o->folder, "Folder for pictures, film strips, tables and attention maps")->type_name("FOLDER");
    c->add_option("--project", o->project, "Project to record the run into; made when it does not exist")->type_name("FILE");
    c->add_flag("--json", o->isJson, "Tell what happens as JSON, one object a line on stdout");
    c->footer("Ctrl-C cancels after the network call at hand and keeps the steps done so far.");
    c->callback([o, &context] { context.chosen = [o] { return carryOut(*o); }; });
}

}  // namespace meander::cli
