// meander-run run: carries a recipe out and writes what came of it.
#include <filesystem>
#include <iostream>

#include "engine/cli/batch.h"
#include "engine/cli/export_folder.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/recipe_input.h"
#include "engine/project/continuation.h"

namespace meander::cli {
namespace {

struct Options {
    RecipeInput input;
    std::string folder;
    int resume = 0, retry = 0;  // numbers of runs in the project; 0: a recipe is run
    bool isReplacing = false, isJson = false;
};

std::unique_ptr<ProjectStore> writable(std::unique_ptr<ProjectStore> store) {
    if (store && store->isReadOnly())
        throw Failure(
            "The project '" + store->path()
            + "' cannot be written, so the run would be lost. Name another with --project, or a folder with -o.");
    return store;
}

// The project to record into: the one named, new or existing, else the one the recipe came from.
std::unique_ptr<ProjectStore> projectFor(const Options& o, std::unique_ptr<ProjectStore> source) {
    if (o.input.project.empty() && source && source->isReadOnly() && !o.folder.empty())
        return nullptr;  // said on opening; the files are written all the same
    if (o.input.project.empty()) return writable(std::move(source));
    if (source && std::filesystem::weakly_canonical(o.input.project) == std::filesystem::path(source->path()))
        return writable(std::move(source));
    auto store = std::filesystem::exists(o.input.project) ? ProjectStore::open(o.input.project)
                                                          : ProjectStore::create(o.input.project);
    return writable(valueOrThrow(std::move(store)));
}

int nextNumber(ProjectStore* store) {
    int number = 0;
    if (store)
        for (const auto& r : valueOrThrow(store->runs())) number = std::max(number, r.number);
    return number + 1;
}

// What became of a run's files and of its place in the project.
struct KeptRun {
    std::vector<std::string> files;
    std::string problem;
    bool isStored = true;  // in the project, where there is one
};

void report(const Run& run, const BatchResult& result, const Options& o, const KeptRun& kept) {
    if (o.isJson) {
        Json j = {{"event", "done"},
                  {"run", run.id},
                  {"status", kept.isStored ? nameOf(run.status) : "not_stored"},
                  {"seconds", run.seconds},
                  {"evaluations", run.evaluations},
                  {"device", result.device},
                  {"folder", o.folder},
                  {"files", kept.files}};
        if (!kept.problem.empty()) j["problem"] = kept.problem;
        printLine(j);
        return;
    }
    std::cout << "Run " << run.number << ' ' << (kept.isStored ? nameOf(run.status) : "is not stored") << ": "
              << run.evaluations << " evaluations in " << secondsText(run.seconds) << " on " << result.device
              << ", peak " << bytesText(double(run.peakBytes)) << ".\n";
    if (!result.deviceNote.empty()) std::cout << result.deviceNote << '\n';
    if (!kept.files.empty()) std::cout << kept.files.size() << " files in " << o.folder << '\n';
}

KeptRun keep(const Run& run, const Options& o, ProjectStore* store, const Recipe& recipe) {
    KeptRun kept;
    try {
        if (!o.folder.empty()) kept.files = exportInto(run, o.folder, o.isReplacing);
    } catch (const std::exception& e) {
        kept.problem = e.what();
    }
    if (!store) return kept;
    if (!store->draft()) store->saveDraft(recipe);  // of a new project; what is being edited in another stays
    if (const Status s = store->close(); !s) {
        kept.isStored = false;
        kept.problem += (kept.problem.empty() ? "" : " ") + s.error().text + " Run " + std::to_string(run.number)
                        + " is not stored there, or only in part; run it again afterwards.";
    }
    return kept;
}

int finish(const BatchResult& result, const Options& o, ProjectStore* store, const Recipe& recipe) {
    if (result.runs.empty()) throw Failure("The run was interrupted before it began.");
    const Run& run = *result.runs.front();
    // A project that cannot be written does not keep the files from being written, nor the other way round.
    const KeptRun kept = keep(run, o, store, recipe);
    report(run, result, o, kept);
    if (!kept.problem.empty()) throw Failure(kept.problem);
    return 0;
}

int carryOut(const Options& o) {
    ReadInput in = readInput(o.input);
    const Plan p = valueOrThrow(plan(in.recipe, in.parent.get(), in.start.get(), in.sourceRun.get()));
    for (const auto& note : p.notes)
        if (note.kind == NoteKind::Warning) std::cerr << "meander-run: " << note.text << '\n';
    if (!o.folder.empty()) prepareFolder(o.folder, o.isReplacing);
    const auto store = projectFor(o, std::move(in.project));
    if (!store && o.folder.empty())
        std::cerr << "meander-run: Nothing of this run is kept. Give -o FOLDER for its files, or --project FILE to "
                     "record it.\n";
    const BatchOptions options{p.resolved.device, o.isJson, false, store.get()};
    Submission s{.plan = p, .parent = in.parent, .number = nextNumber(store.get())};
    return finish(runBatch(std::vector{std::move(s)}, options), o, store.get(), in.recipe);
}

// A run of a project once more: from its record, or from the beginning.
int continueRun(const Options& o) {
    const std::string path = o.input.project.empty() ? o.input.source : o.input.project;
    if (path.empty() || !o.input.sets.empty() || o.input.isSample || !o.input.branch.empty())
        throw WrongArgument(
            "--resume and --retry take a project and nothing that changes its run: no --set, --branch or --sample.");
    const auto store = writable(valueOrThrow(ProjectStore::open(path)));
    const int number = std::max(o.resume, o.retry);
    const auto runs = valueOrThrow(store->runs());
    const auto it = std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.number == number; });
    if (it == runs.end()) throw Failure("'" + path + "' has no run " + std::to_string(number) + ".");
    const auto how = o.retry > 0                       ? Continuation::Again
                     : it->status == RunStatus::Queued ? Continuation::Start
                                                       : Continuation::GoOn;
    Submission s = valueOrThrow(prepareRun(*store, it->id, how));
    if (how == Continuation::Again) s.number = nextNumber(store.get());
    if (!o.folder.empty()) prepareFolder(o.folder, o.isReplacing);
    const Recipe recipe = s.plan.resolved;
    BatchOptions options{recipe.device, o.isJson, false, store.get()};
    return finish(runBatch(std::vector{std::move(s)}, options), o, store.get(), recipe);
}

}  // namespace

void addRun(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand(
        "run", "Carry out a recipe; write images, trajectory and attention maps, or record into a project");
    o->input.addTo(*c);
    addFolder(*c, o->folder, o->isReplacing);
    c->add_option("--project", o->input.project,
                  "Project to record the run into, and whose runs it may start or branch from; made when it does not "
                  "exist")
        ->type_name("FILE")
        ->check(notEmpty());
    auto* resume = c->add_option("--resume", o->resume,
                                 "Go on with the run of this number in the project, behind its last evaluation")
                       ->type_name("N")
                       ->check(CLI::Range(1, 1000000000));
    c->add_option("--retry", o->retry, "Carry out the recipe of the run of this number in the project once more")
        ->type_name("N")
        ->check(CLI::Range(1, 1000000000))
        ->excludes(resume);
    c->add_flag("--json", o->isJson, "Tell what happens as JSON, one object a line on stdout");
    c->footer(
        "Ctrl-C cancels after the network call at hand and keeps the steps done so far.\nA run of a project's draft is "
        "added to that project, unless --project names another. The draft stays as it is: --set is for this run only.");
    c->callback([o, &context] {
        context.chosen = [o] { return o->resume > 0 || o->retry > 0 ? continueRun(*o) : carryOut(*o); };
    });
}

}  // namespace meander::cli
