#include "engine/optimise/fit_cases.h"

#include <cmath>
#include <cstdio>

#include "engine/optimise/carry_out.h"
#include "engine/sampling/sampling.h"

namespace meander {
namespace {

std::string number(const char* format, double v) {
    char text[40];
    std::snprintf(text, sizeof text, format, v);
    return text;
}

std::string percent(double saved) {
    return (saved < 0 ? "−" : "") + std::to_string(std::lround(std::abs(saved) * 100)) + " %";
}

Recipe recipeOf(const FitCase& c) {
    const auto info = inspectModel(c.model);
    if (!info) throw Failure(info.error().text);
    Recipe r = recommendedRecipe(*info);
    if (info->conditioning == ConditioningKind::Text)
        r.prompt = "a red circle above a blue square on a green background";
    r.sampler = {c.sampler, {}};
    r.schedule = {"karras", {}};
    r.scheduleOperators.clear();
    return r;
}

const char* verdictText(Verdict v) {
    switch (v) {
    case Verdict::Better: return "better";
    case Verdict::NotTold: return "not told apart";
    case Verdict::Worse: return "**worse**";
    }
    return "";
}

}  // namespace

std::string fitRow(const FitCase& c, const ScheduleFit& fit) {
    const ErrorEstimate& own = *fit.fitted().measured;
    std::string row = "| " + c.name + " | " + findSampler(c.sampler)->label + " | "
                      + fit.fitted().label.substr(8, fit.fitted().label.size() - 9) + " | " + number("%.4f", own.rms)
                      + " (" + number("%.4f", own.low) + " to " + number("%.4f", own.high) + ')';
    for (std::size_t i = 1; i < fit.schedules.size(); ++i) {
        const ComparedSchedule& other = fit.schedules[i];
        const ErrorComparison measured = compared(own, *other.measured);
        const double predicted = compared(fit.fitted().predicted, other.predicted).saved;
        row += " | " + number("%.4f", other.measured->rms) + " | " + percent(measured.saved) + ' '
               + verdictText(measured.verdict) + " | " + percent(predicted)
               + (agrees(predicted, measured.saved) ? "" : " *off*");
    }
    return row + " |";
}

std::vector<FitCase> fitCases() {
    struct Subject {
        const char *name, *model;
    };
    constexpr Subject subjects[] = {
        {"Gaussian, 256 dimensions, variances ∝ 1/i", "analytic:gaussian?d=256&eigenvalues=powerlaw"},
        {"Gaussian, 64 dimensions, variances ∝ 1/i²", "analytic:gaussian?d=64&eigenvalues=powerlaw&exponent=2"},
        {"Sprites U-Net, w = 2", "builtin:sprites-unet"},
        {"Sprites DiT, w = 2", "builtin:sprites-dit"},
        {"Ring of eight", "analytic:ring8"}};
    constexpr const char* samplers[] = {"euler", "dpmpp_2m"};
    std::vector<FitCase> cases;
    for (const Subject& s : subjects)
        for (const char* sampler : samplers) cases.push_back({s.name, s.model, sampler, "auto"});
    for (const char* sampler : samplers)
        for (const FitMethod& m : fitMethods()) cases.push_back({subjects[0].name, subjects[0].model, sampler, m.id});
    return cases;
}

ScheduleFit carryOutCase(const FitCase& c, FineRunsOfModels& known) {
    const std::int64_t seeds = c.model.starts_with("builtin") ? 16 : 64;
    const FitPlan plan =
        planFit(recipeOf(c), {{"steps", std::int64_t(8)}, {"method", c.method}, {"paths", seeds}, {"held_out", seeds}});
    FineRuns& fine = known[c.model];
    if (!fine.reference) {
        const auto runs = carryOut({plan.reference.front(), plan.effect.front()}, {"cpu"});
        fine = {runs[0], runs[1]};
    }
    ScheduleFit fit = fitSchedule(plan, std::vector{fine.reference});
    std::vector<Plan> plans = effectPlans(fit);
    plans.erase(plans.begin());
    auto runs = carryOut(plans, {"cpu"});
    runs.insert(runs.begin(), fine.truth);
    takeEffect(fit, runs);
    return fit;
}

}  // namespace meander
