// meander-run fit: a schedule of few steps for a recipe, fitted to fine runs of it, with what it saves predicted and
// measured.
#include <cmath>
#include <cstdio>
#include <iostream>

#include "engine/cli/interrupt.h"
#include "engine/cli/progress.h"
#include "engine/cli/recipe_input.h"
#include "engine/core/did_you_mean.h"
#include "engine/core/durable_file.h"
#include "engine/optimise/carry_out.h"
#include "engine/optimise/schedule_fit.h"
#include "engine/recipe/drawn_levels.h"
#include "engine/schedule/level_text.h"

namespace meander::cli {
namespace {

struct Form {
    const char* id;
    levels::TextForm form;
};
constexpr Form forms[] = {{"comfyui", levels::TextForm::ComfyUi},
                          {"json", levels::TextForm::Json},
                          {"diffusers_sigmas", levels::TextForm::DiffusersSigmas},
                          {"diffusers_timesteps", levels::TextForm::DiffusersTimesteps},
                          {"sdcpp", levels::TextForm::SdCpp}};

struct Options {
    RecipeInput input;
    std::string run;                              // of the project: the reference; empty: one is recorded
    std::map<std::string, std::string> settings;  // of fitParams, as text
    std::string form, recipe;
    bool isDryRun = false, isPredicted = false, isJson = false;
};

std::string number(const char* format, double v) {
    char text[40];
    std::snprintf(text, sizeof text, format, v);
    return text;
}

// The recipe's own number of steps unless one is given.
Params settingsOf(const Options& o, const Recipe& recipe) {
    Params p{{"steps", std::int64_t(recipe.steps)}};
    for (const ParamSpec& spec : fitParams())
        if (const auto given = o.settings.find(spec.key); given != o.settings.end() && !given->second.empty()) {
            auto value = parseParam(spec, given->second);
            if (!value) throw WrongArgument(value.error().text);
            p[spec.key] = std::move(*value);
        }
    return p;
}

Json toJson(const ErrorEstimate& e) {
    return {{"rms", e.rms}, {"low", e.low}, {"high", e.high}, {"seeds", e.squares.size()}};
}

Json toJson(const ScheduleFit& fit) {
    Json schedules = Json::array();
    for (const ComparedSchedule& s : fit.schedules) {
        Json j = {{"id", s.id}, {"label", s.label}, {"levels", s.levels}, {"predicted", toJson(s.predicted)}};
        if (s.measured) j["measured"] = toJson(*s.measured);
        if (&s != &fit.fitted()) {
            j["saved_predicted"] = compared(fit.fitted().predicted, s.predicted).saved;
            if (s.measured) j["saved_measured"] = compared(*fit.fitted().measured, *s.measured).saved;
        }
        schedules.push_back(std::move(j));
    }
    return schedules;
}

// Columns count characters, not bytes.
std::string padded(std::string text, std::size_t width) {
    const auto inside = std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) == 0x80; }));
    text.resize(std::max(text.size(), width + inside), ' ');
    return text;
}

void printTable(const ScheduleFit& fit) {
    std::cout << padded("error (RMS)", 32) << padded("predicted", 12)
              << (fit.fitted().measured ? "measured    95 % over seeds" : "") << '\n';
    for (const ComparedSchedule& s : fit.schedules) {
        std::cout << padded(s.label, 32) << padded(number("%.4g", s.predicted.rms), 12);
        if (s.measured)
            std::cout << padded(number("%.4g", s.measured->rms), 12) << number("%.4g", s.measured->low) << " … "
                      << number("%.4g", s.measured->high);
        std::cout << '\n';
    }
}

std::string levelsText(const std::vector<double>& list) {
    std::string text;
    for (const double v : list) text += (text.empty() ? "" : ",") + levels::plainNumber(v);
    return text;
}

void print(const Options& o, const ScheduleFit& fit) {
    const Process& p = fit.plan.effect.front().model.process;
    if (o.isJson) {
        Json text = Json::array();
        for (const auto& s : findings(fit)) text.push_back(s);
        Json j = {{"event", "done"},
                  {"levels", fit.fitted().levels},
                  {"schedules", toJson(fit)},
                  {"findings", std::move(text)},
                  {"settings", meander::toJson(fit.plan.settings)}};
        if (fit.fitted().measured) j["wins"] = wins(fit);
        printLine(j);
        return;
    }
    printTable(fit);
    for (const auto& s : findings(fit)) std::cout << s << '\n';
    std::cout << "Use it with: --set schedule=custom --set steps=" << fit.fitted().levels.size() - 1
              << " --set schedule.values=" << levelsText(fit.fitted().levels) << '\n';
    for (const Form& f : forms)
        if (o.form == f.id) std::cout << valueOrThrow(levels::textOf(fit.fitted().levels, f.form, p)) << '\n';
}

void printPlan(const Options& o, const FitPlan& plan) {
    if (o.isJson) {
        printLine({{"event", "plan"},
                   {"evaluations", plan.evaluations},
                   {"seconds", plan.seconds},
                   {"bytes", plan.bytes},
                   {"record_bytes", plan.recordBytes}});
        return;
    }
    std::cout << plan.effect.front().model.name << " · " << plan.recipe.sampler.id << " · " << plan.recipe.steps
              << " steps: " << number("%.0f", plan.evaluations) << " evaluations of the network in all, "
              << (plan.seconds > 0 ? "about " + secondsText(plan.seconds) : std::string("time not measured yet"))
              << ", " << bytesText(double(plan.recordBytes)) << " of record\n";
}

// Carried out with a line of progress; empty when interrupted.
std::vector<std::shared_ptr<const Run>> carryOut(const Options& o, const std::string& device, const char* what,
                                                 const std::vector<Plan>& plans) {
    watchInterrupts();
    int told = -10;
    const auto progress = [&](double share) {
        const int percent = int(share * 100);
        if (percent == told) return;
        if (o.isJson && percent / 10 != told / 10)
            printLine({{"event", "progress"}, {"what", what}, {"percent", percent / 10 * 10}});
        if (!o.isJson) showProgress(std::string(what) + ' ' + std::to_string(percent) + " %");
        told = percent;
    };
    auto runs = meander::carryOut(plans, {device, 0, progress, [] { return interruptedBy() != 0; }});
    clearProgress();
    return runs;
}

// The recorded run that is the reference, with its recipe; --set changes it.
std::shared_ptr<const Run> recordedRun(const Options& o, ReadInput& in) {
    if (!in.project && !o.input.project.empty()) in.project = valueOrThrow(ProjectStore::open(o.input.project));
    if (!in.project)
        throw WrongArgument("--run names a run of a project. Give the project, as the recipe or with --project.");
    auto run = runNamed(*in.project, o.run);
    in.recipe = run->recipe;
    for (const auto& s : o.input.sets) applySet(in.recipe, s);
    return run;
}

int fit(const Options& o) {
    ReadInput in = readInput(o.input);
    std::vector<std::shared_ptr<const Run>> reference;
    if (!o.run.empty()) reference.push_back(recordedRun(o, in));
    const FitPlan plan = planFit(in.recipe, settingsOf(o, in.recipe), !reference.empty());
    if (o.isDryRun || !o.isJson) printPlan(o, plan);
    if (o.isDryRun) return 0;
    std::cout.flush();
    const std::string& device = in.recipe.device;
    if (reference.empty()) reference = carryOut(o, device, "recording the reference", plan.reference);
    if (reference.empty()) return 1;
    ScheduleFit fitted = fitSchedule(plan, reference);
    if (!o.isPredicted) {
        const auto runs = carryOut(o, device, "measuring on other seeds", effectPlans(fitted));
        if (runs.empty()) return 1;
        takeEffect(fitted, runs);
    }
    if (!o.recipe.empty())
        valueOrThrow(
            writeWholeFile(o.recipe, meander::toJson(withLevels(in.recipe, fitted.fitted().levels)).dump(2) + '\n'));
    print(o, fitted);
    return 0;
}

}  // namespace

void addFit(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("fit", "Fit a schedule of few steps to a recipe, and tell what it saves");
    o->input.addTo(*c);
    c->add_option("--project", o->input.project, "Project of --run")->type_name("FILE");
    c->add_option("--run", o->run,
                  "Fit to the record of this run of the project, without evaluations; else fine runs are recorded");
    for (const ParamSpec& s : fitParams()) {
        std::string option = "--" + s.key;
        std::replace(option.begin() + 2, option.end(), '_', '-');
        std::string help = s.help;
        if (s.key == "steps") help += " Default: the recipe's";
        else help += " Default: " + display(s.defaultValue);
        if (s.kind == ParamKind::Choice)
            for (const FitMethod& m : fitMethods()) help += (&m == &fitMethods().front() ? "; one of " : ", ") + m.id;
        c->add_option(option, o->settings[s.key], help);
    }
    c->add_flag("--predict", o->isPredicted, "Only predict; nothing is measured on other seeds");
    c->add_flag("--dry-run", o->isDryRun, "Only tell what it would cost");
    std::vector<std::string> ids;
    for (const Form& f : forms) ids.emplace_back(f.id);
    c->add_option("--form", o->form, "Also print the levels for another program")->check(CLI::IsMember(ids));
    c->add_option("--recipe", o->recipe, "Write the recipe with the fitted levels")
        ->type_name("FILE")
        ->check(notEmpty());
    c->add_flag("--json", o->isJson, "Tell what happens as JSON, one object a line on stdout");
    c->footer(
        "The page \"Fitted schedules\" of the help tells how to read the result and what the methods make least.\n\n"
        "Examples:\n  meander-run fit --sample --set sampler=euler --steps 8\n"
        "  meander-run fit --set \"model=analytic:gaussian?d=256&eigenvalues=powerlaw\" --steps 8 --method klub\n"
        "  meander-run fit tour.meander --run 1 --steps 6 --form comfyui");
    c->callback([o, &context] { context.chosen = [o] { return fit(*o); }; });
}

}  // namespace meander::cli
