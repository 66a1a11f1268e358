// meander-run schedule: the levels of one schedule on one model, to read, check against other tools, or paste.
#include <cstdio>
#include <iostream>

#include "engine/cli/recipe_input.h"
#include "engine/run/plan.h"
#include "engine/schedule/schedule.h"

namespace meander::cli {
namespace {

constexpr int defaultSteps = 8;

struct Options {
    std::string id, model = "analytic:gaussian?process=sd15";
    std::optional<int> steps;
    std::vector<std::string> sets, operators;
    bool isJson = false, isRow = false;
};

std::string digits(double v) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", v);
    return text;
}

int show(const Options& o) {
    if (!findSchedule(o.id)) noSuch("schedule", o.id, idsOf(schedules()));
    const ModelInfo model = valueOrThrow(inspectModel(o.model));
    const Process& p = model.process;
    Recipe r;  // the same reader of --set as for recipes
    r.schedule = {o.id, {}};
    for (const auto& s : o.sets) applySet(r, s.starts_with("schedule.") ? s : "schedule." + s);
    for (const auto& text : o.operators)
        for (auto& rule : parseOperators(text)) r.scheduleOperators.push_back(std::move(rule));
    const auto [steps, note] = stepsOf(r.schedule, o.steps.value_or(defaultSteps));
    const auto levels = valueOrThrow(makeSchedule(r.schedule, r.scheduleOperators, p, steps, imageTokensOf(model)));
    auto notes = scheduleNotes(levels, p, steps);
    if (note && o.steps) notes.insert(notes.begin(), *note);
    if (o.isJson) {
        Json list = Json::array();
        for (const auto& n : notes)
            list.push_back({{"kind", n.warning ? "warning" : "hint"}, {"key", n.key}, {"text", n.text}});
        printLine(
            {{"schedule", o.id}, {"model", model.name}, {"process", p.name()}, {"levels", levels}, {"notes", list}});
        return 0;
    }
    if (o.isRow) {
        if (note && o.steps) std::cerr << "meander-run: " << note->text << '\n';
        for (std::size_t k = 0; k < levels.size(); ++k) std::cout << (k ? " " : "") << digits(levels[k]);
        std::cout << '\n';
        return 0;
    }
    std::cout << "# " << p.name() << ", levels " << digits(p.minimum()) << " … " << digits(p.maximum());
    if (p.nativeSignal(p.maximum()) > 0)
        std::cout << ", signal left at the highest " << digits(p.nativeSignal(p.maximum()));
    std::cout << "\n# step\tlevel\tsigma\tlog-SNR\tnetwork time\n";
    for (std::size_t k = 0; k < levels.size(); ++k)
        std::cout << k << '\t' << digits(levels[k]) << '\t' << digits(p.sigma(levels[k])) << '\t'
                  << digits(p.logSnr(levels[k])) << '\t' << (levels[k] > 0 ? digits(p.networkTime(levels[k])) : "–")
                  << '\n';
    for (const auto& n : notes) std::cout << (n.warning ? "Warning: " : "Hint: ") << n.text << '\n';
    return 0;
}

}  // namespace

void addSchedule(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("schedule", "Print the noise levels of a schedule on a model");
    c->add_option("id", o->id, "A schedule, as listed by meander-run list schedules")->required();
    c->add_option("--model", o->model,
                  "A model; exact ones need no file: analytic:gaussian?process=sd15, ...process=flow&shift=3, "
                  "...process=edm&sigma_max=120")
        ->capture_default_str();
    c->add_option("--steps", o->steps, "Number of steps (default: 8; a custom list has its own)")
        ->check(CLI::Range(1, 10000));
    c->add_option("--set", o->sets, "A parameter: rho=5, dialect=a1111 (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    c->add_option("--operator", o->operators,
                  "An operator on the levels, in order: clip:max=5:min=0.1 (may be repeated)")
        ->type_name("ID[:KEY=VALUE]")
        ->allow_extra_args(false);
    c->add_flag("--row", o->isRow, "Only the levels, in one line");
    c->add_flag("--json", o->isJson, "As one JSON object");
    c->callback([o, &context] { context.chosen = [o] { return show(*o); }; });
}

}  // namespace meander::cli
