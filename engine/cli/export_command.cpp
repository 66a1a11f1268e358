// meander-run export: a recorded run of a project as files.
#include <iostream>

#include "engine/cli/export_folder.h"
#include "engine/project/project_store.h"

namespace meander::cli {
namespace {

struct Options {
    std::string project, folder;
    int number = 0;  // 0: the last one
    bool isReplacing = false, isJson = false;
};

int exportOne(const Options& o) {
    const auto store = valueOrThrow(ProjectStore::open(o.project));
    if (!store->note().empty()) std::cerr << "meander-run: " << store->note() << '\n';
    const auto runs = valueOrThrow(store->runs());
    if (runs.empty()) throw Failure("'" + o.project + "' holds no run.");
    const auto it = o.number == 0
                        ? runs.end() - 1
                        : std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.number == o.number; });
    if (it == runs.end()) {
        std::string known;
        for (const auto& r : runs) known += (known.empty() ? "" : ", ") + std::to_string(r.number);
        throw Failure("'" + o.project + "' has no run " + std::to_string(o.number) + "; it has " + known + ".");
    }
    prepareFolder(o.folder, o.isReplacing);
    for (const auto& part : valueOrThrow(store->damage(it->id)))
        throw Failure("Run " + std::to_string(it->number) + " is damaged: " + part + " Nothing was written.");
    const auto files = exportInto(valueOrThrow(store->loadRun(it->id)), o.folder, o.isReplacing);
    if (o.isJson) printLine({{"run", it->id}, {"number", it->number}, {"folder", o.folder}, {"files", files}});
    else std::cout << files.size() << " files of run " << it->number << " in " << o.folder << '\n';
    return 0;
}

}  // namespace

void addExport(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("export",
                                 "Write a recorded run of a project as images, film strips, tables and attention maps");
    c->add_option("project", o->project, "The project (.meander)")->required();
    c->add_option("--run", o->number, "Number of the run; the last one without it")
        ->type_name("N")
        ->check(CLI::Range(1, 1000000000));
    addFolder(*c, o->folder, o->isReplacing)->required();
    c->add_flag("--json", o->isJson, "List the files as JSON");
    c->callback([o, &context] { context.chosen = [o] { return exportOne(*o); }; });
}

}  // namespace meander::cli
