// meander-run sweep: one recipe over a grid of settings, into a project.
#include <iostream>

#include "engine/cli/interrupt.h"
#include "engine/cli/sweep_run.h"
#include "engine/cli/sweep_slurm.h"
#include "engine/core/durable_file.h"

namespace meander::cli {
namespace {

struct Options {
    RecipeInput input;
    std::vector<std::string> axes, zips;
    std::string name, resume;
    SweepOutput output;
    bool isDryRun = false, isJson = false, isResumed = false, retriesFailed = false;
    SlurmOptions slurm;
    std::string part;  // "3/16"
};

Sweep sweepOf(const Options& o, const Recipe& base) {
    Sweep s{.name = o.name, .base = base, .axes = {}, .cells = {}};
    try {
        for (const auto& a : o.axes) s.axes.push_back(sweepAxis(a));
        for (const auto& z : o.zips) {
            s.axes.push_back(sweepAxis(z));
            if (s.axes.back().keys.size() < 2)
                throw Failure("--zip takes two or more settings: \"sampler=heun,euler;steps=10,20\".");
        }
        checkAxes(s.axes);
    } catch (const Failure& e) {
        throw WrongArgument(e.what());
    }
    s.cells.resize(s.size());
    return s;
}

void printPlan(const Sweep& s, const SweepPlan& p, bool isJson) {
    if (isJson) {
        Json refused = Json::array();
        for (std::size_t i = 0; i < p.cells.size(); ++i)
            if (!p.cells[i].plan)
                refused.push_back({{"cell", i}, {"values", placeOf(s, i)}, {"problem", p.cells[i].plan.error().text}});
        printLine({{"event", "plan"},
                   {"cells", p.cells.size()},
                   {"runs", p.order.size()},
                   {"repeated", p.repeated},
                   {"evaluations", p.evaluations},
                   {"seconds", p.seconds},
                   {"record_bytes", p.recordBytes},
                   {"bytes", p.bytes},
                   {"refused", refused}});
        return;
    }
    for (const auto& a : s.axes) {
        std::cout << a.label() << ": ";
        for (int i = 0; i < a.size(); ++i) std::cout << (i > 0 ? " | " : "") << a.label(i);
        std::cout << '\n';
    }
    std::cout << p.cells.size() << " cells, " << p.order.size() << " runs";
    if (p.repeated > 0) std::cout << " (" << p.repeated << " cells are equal to others)";
    std::cout << ", " << p.evaluations << " evaluations, "
              << (p.seconds > 0 ? "about " + secondsText(p.seconds) + " one after the other"
                                : std::string("time not measured yet"))
              << ", " << bytesText(double(p.recordBytes)) << " of record, " << bytesText(double(p.bytes))
              << " of device memory\n";
    for (std::size_t i = 0; i < p.cells.size(); ++i)
        if (!p.cells[i].plan) std::cout << "Refused: " << s.label(i) << ". " << p.cells[i].plan.error().text << '\n';
}

int carryOut(const Options& o, ProjectStore& store, const Sweep& sweep, std::vector<Submission> all) {
    SweepProgress progress(sweep, all.size(), o.isJson);
    BatchOptions options{.isQuiet = true, .project = &store, .onEnd = [&](const Run& r) { progress.ended(r); }};
    bool isInterrupted = false;
    if (!all.empty()) {
        options.device = all.front().plan.resolved.device;
        isInterrupted = runBatch(std::move(all), options).isInterrupted;
    }
    if (!isInterrupted) writeResults(store, sweep, o.output, o.isJson);
    if (isInterrupted)
        std::cerr << "meander-run: Interrupted. meander-run sweep \"" << store.path() << "\" --resume goes on.\n";
    const std::size_t failed = progress.failed();
    if (const Status s = store.close(); !s) throw Failure(s.error().text);
    if (failed > 0) throw Failure(std::to_string(failed) + " cells failed. --resume --retry carries them out again.");
    return 0;
}

int begin(const Options& o) {
    if (o.axes.empty() && o.zips.empty())
        throw WrongArgument("Name at least one axis: --axis guidance.scale=1,2,4. Or go on with --resume.");
    ReadInput in = readInput(o.input);
    Sweep sweep = sweepOf(o, in.recipe);
    const SweepPlan plan = valueOrThrow(planSweep(sweep, in.parent.get(), in.start.get(), in.sourceRun.get()));
    if (o.isDryRun || !o.isJson) printPlan(sweep, plan, o.isJson);
    if (o.isDryRun) return 0;
    if (plan.order.empty()) throw Failure("Every cell was refused: " + plan.cells.front().plan.error().text);
    if (o.input.project.empty())
        throw WrongArgument("Name the project that keeps the sweep with --project FILE; it is made if need be.");
    auto store = in.project && in.project->path() == absolutePath(o.input.project) ? std::move(in.project)
                                                                                   : projectToWrite(o.input.project);
    auto all = beginSweep(*store, sweep, plan, in);
    if (!store->draft()) store->saveDraft(in.recipe);
    if (o.slurm.isUsed) return sweepOnSlurm(*store, sweep, std::move(all), o.slurm, o.output, o.isJson);
    return carryOut(o, *store, sweep, std::move(all));
}

int goOn(const Options& o) {
    const std::string path = o.input.project.empty() ? o.input.source : o.input.project;
    if (path.empty() || !o.axes.empty() || !o.zips.empty() || !o.input.sets.empty())
        throw WrongArgument("--resume takes a project and nothing that changes its sweep.");
    const auto store = projectToWrite(path);
    Sweep sweep = sweepNamed(*store, o.resume);
    auto all = restOf(*store, sweep, o.retriesFailed);
    if (o.slurm.isUsed) return sweepOnSlurm(*store, sweep, std::move(all), o.slurm, o.output, o.isJson);
    return carryOut(o, *store, sweep, std::move(all));
}

}  // namespace

void addSweep(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand(
        "sweep",
        "Carry out a recipe over a grid of settings into a project; what cells have in common is computed once");
    o->input.addTo(*c);
    c->add_option("--axis", o->axes,
                  "A setting and its values: guidance.scale=1,2,4; steps=4:20:4 (from, to, by); prompt=@prompts.txt "
                  "(one a line); model=A,B (may be repeated, up to four axes; a comma in a value is written \\,)")
        ->type_name("KEY=VALUES")
        ->allow_extra_args(false);
    c->add_option("--zip", o->zips, "Settings that change together on one axis: \"sampler=heun,euler;steps=10,20\"")
        ->type_name("KEY=VALUES;KEY=VALUES")
        ->allow_extra_args(false);
    c->add_option("--project", o->input.project,
                  "Project that keeps the sweep and its runs; made when it does not exist")
        ->type_name("FILE")
        ->check(notEmpty());
    c->add_option("--name", o->name, "What the sweep is called")->type_name("TEXT");
    c->add_flag("--dry-run", o->isDryRun,
                "Only tell the runs, evaluations, time and memory, and what would be refused");
    auto* resume = c->add_flag("--resume", o->isResumed,
                               "Go on with the newest sweep of the project: what waits, what was interrupted, what is "
                               "missing");
    c->add_option("--sweep", o->resume, "Which sweep of the project --resume is about: 1 the oldest, or its id")
        ->type_name("N")
        ->needs(resume);
    c->add_flag("--retry", o->retriesFailed, "With --resume: carry out cells that failed again")->needs(resume);
    c->add_option("--csv", o->output.csv, "Write a row for each cell: values, evaluations, seconds, fidelity, distance")
        ->type_name("FILE")
        ->check(notEmpty());
    c->add_option("--seed-csv", o->output.seedCsv, "Write the means over the seeds")
        ->type_name("FILE")
        ->check(notEmpty());
    c->add_option("--sheet", o->output.sheet, "Write the images as one PNG: columns along the last axis")
        ->type_name("FILE")
        ->check(notEmpty());
    addSlurm(*c, o->slurm, o->part);
    c->add_flag("--json", o->isJson, "Tell what happens as JSON, one object a line on stdout");
    c->footer(
        "The ends of every axis come first, then what halves the widest gaps. Fidelity is measured for sprites; the\n"
        "distance is the root mean square to the images of the cell with the most evaluations that draws the same.\n"
        "A sweep that was killed or interrupted goes on with --resume; finished cells stay.\n\n"
        "Examples:\n  meander-run sweep --sample --axis sampler=euler,heun --axis steps=4:20:4 --project s.meander\n"
        "  meander-run sweep s.meander --resume --csv cells.csv --sheet cells.png");
    c->callback([o, &context] {
        context.chosen = [o] {
            if (!o->part.empty()) return sweepPart(o->part, o->slurm, o->isJson);
            return o->isResumed ? goOn(*o) : begin(*o);
        };
    });
}

}  // namespace meander::cli
