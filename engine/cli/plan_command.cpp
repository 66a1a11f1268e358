// meander-run plan: what a recipe will do, cost and need.
#include <iostream>

#include "engine/cli/recipe_input.h"
#include "engine/sampling/gaussian_course.h"

namespace meander::cli {
namespace {

struct Options {
    RecipeInput input;
    bool isJson = false, showsLevels = false;
};

// A sampler that chooses its own levels visits them whatever the model answers, unless it controls its error; then
// they are known afterwards, and the schedule's ends are all that is sure.
std::vector<double> visitedLevels(const Plan& p) {
    const SamplerInfo& sampler = *findSampler(p.resolved.sampler.id);
    if (!sampler.freeSteps) return p.levels;
    if (controlsError(sampler)) return {p.levels.front(), p.levels.back()};
    const auto course =
        gaussianCourse(sampler, p.resolved.sampler.params, p.model.process, p.levels, p.model.sigmaData);
    return course ? levelsOf(*course) : p.levels;
}

void showLevels(const Plan& p) {
    const auto levels = visitedLevels(p);
    for (std::size_t k = 0; k < levels.size(); ++k)
        std::cout << k << '\t' << levels[k] << '\t' << p.model.process.sigma(levels[k]) << '\n';
    if (controlsError(*findSampler(p.resolved.sampler.id)))
        std::cout << "The sampler chooses the levels between these while it runs.\n";
}

void printJson(const Plan& p) {
    Json notes = Json::array();
    for (const auto& n : p.notes)
        notes.push_back({{"kind", n.kind == NoteKind::Warning ? "warning" : "hint"}, {"key", n.key}, {"text", n.text}});
    Json rules = Json::array();
    for (const auto& g : p.guidance)
        rules.push_back({{"id", g.id}, {"evaluations", g.evaluations}, {"reusing", g.reusing}, {"idle", g.idle}});
    printLine({{"recipe", toJson(p.resolved)},
               {"model", p.model.name},
               {"process", p.model.process.name()},
               {"levels", visitedLevels(p)},
               {"requests", p.requests},
               {"evaluations", p.evaluations},
               {"bytes", p.bytes},
               {"record_bytes", p.recordBytes},
               {"seconds", p.seconds},
               {"notes", notes},
               {"guidance", rules}});
}

int show(const Options& o) {
    const ReadInput in = readInput(o.input);
    const Plan p = valueOrThrow(plan(in.recipe, in.parent.get(), in.start.get(), in.sourceRun.get()));
    if (o.isJson) {
        printJson(p);
        return 0;
    }
    std::cout << p.model.name << " · " << p.resolved.sampler.id << " · " << p.intervals()
              << (p.intervals() == 1 ? " step · " : " steps · ") << p.resolved.schedule.id << '\n'
              << p.evaluations << " evaluations, "
              << (p.seconds > 0 ? "about " + secondsText(p.seconds) : std::string("time not measured yet")) << ", "
              << bytesText(double(p.bytes)) << " of device memory, " << bytesText(double(p.recordBytes))
              << " of record\n";
    for (const auto& g : p.guidance)
        std::cout << "Guidance: " << g.label << ", "
                  << (g.evaluations == 0 ? "no further evaluation"
                                         : std::to_string(g.evaluations) + " further evaluations")
                  << (g.idle.empty() ? "" : ", idle") << '\n';
    for (const auto& n : p.notes) std::cout << (n.kind == NoteKind::Warning ? "Warning: " : "Hint: ") << n.text << '\n';
    if (o.showsLevels) showLevels(p);
    return 0;
}

}  // namespace

void addPlan(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("plan", "Tell what a recipe will do, cost and need, without running it");
    o->input.addTo(*c);
    c->add_option("--project", o->input.project, "Project whose runs it starts or branches from")->type_name("FILE");
    c->add_flag("--levels", o->showsLevels, "Also the noise levels: step, clock, σ");
    c->add_flag("--json", o->isJson, "As one JSON object");
    c->callback([o, &context] { context.chosen = [o] { return show(*o); }; });
}

}  // namespace meander::cli
