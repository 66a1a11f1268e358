#include "engine/optimise/schedule_fit.h"

#include <algorithm>
#include <cmath>

#include "engine/core/param_specs.h"
#include "engine/models/checkpoint.h"
#include "engine/optimise/recorded_model.h"
#include "engine/recipe/drawn_levels.h"
#include "engine/sampling/noise/noise.h"
#include "engine/schedule/level_edit.h"
#include "engine/schedule/schedule.h"

namespace meander {
namespace {

constexpr std::uint64_t otherSeeds = 0x9e3779b97f4a7c15;  // what held-out seeds are apart from those of the fit

int numberOf(const Params& p, const char* key) { return int(integer(p, key)); }

// The recipe alone: no branch, nothing recorded beyond its states.
Recipe plainRecipe(Recipe r, int images) {
    r.branch.reset();
    r.attention = AttentionLevel::Off;
    r.recordStates = false;  // states stay; branches of the guidance are not needed
    r.images = images;
    return r;
}

void check(const Plan& p) {
    const Recipe& r = p.resolved;
    const SamplerInfo& sampler = *findSampler(r.sampler.id);
    const auto refuse = [&](const std::string& why) {
        throw Failure(sampler.label + ' ' + why + " Fit the schedule with Euler, Heun or DPM++ 2M.");
    };
    if (!p.model.process.manifold().isFlat())
        throw Failure("Schedules are fitted in flat space; " + p.model.name + " lives on a curved one.");
    requireVelocity(p.model.distillation, p.model.name);
    if (r.start.id != "noise")
        throw Failure("Schedules are fitted to whole paths from noise. Let the recipe start from noise.");
    if (drawsNoise(sampler, r.sampler.params)) refuse("adds noise, so that its end is not that of one path.");
    if (sampler.inverts || sampler.needsData || sampler.roundTrip) refuse("does not go from noise to data.");
    if (sampler.freeSteps || sampler.ownLevels) refuse("chooses levels of its own.");
    if (sampler.unconditional) refuse("steps with the unconditional estimate too, whose path is another one.");
    if (!levels::isFalling(p.levels) || !levels::endsClean(p.levels))
        throw Failure("The levels of the recipe do not fall to 0, clean. Take off the operators on its schedule.");
}

Recipe fineRecipe(const Recipe& recipe, const Plan& planned, const Params& settings, int images) {
    Recipe fine = plainRecipe(recipe, images);
    fine.sampler = {"heun", {}};
    fine.schedule = {planned.model.process.kind() == ProcessKind::RectifiedFlow ? "uniform_t" : "karras", {}};
    fine.scheduleOperators.clear();
    fine.steps = numberOf(settings, "reference_steps");
    return fine;
}

Plan planned(const Recipe& r) {
    auto p = meander::plan(r);
    if (!p) throw Failure(p.error().text);
    return std::move(*p);
}

// The draft's own and the two that everybody knows, where they are not the draft's.
std::vector<ComparedSchedule> otherSchedules(const FitPlan& plan, const Plan& own) {
    const int steps = numberOf(plan.settings, "steps");
    std::vector<ComparedSchedule> others;
    if (own.intervals() == steps)
        others.push_back(
            {"current", "the recipe's " + findSchedule(own.resolved.schedule.id)->label, own.levels, {}, {}});
    for (const auto& [id, label] : {std::pair("karras", "Karras ρ = 7"), std::pair("uniform_t", "uniform in t")}) {
        const auto levels = makeSchedule(id, own.model.process, steps, {}, imageTokensOf(own.model));
        if (!levels || !levels::isFalling(*levels)) continue;
        const auto same =
            std::find_if(others.begin(), others.end(), [&](const auto& o) { return o.levels == *levels; });
        if (same == others.end()) others.push_back({id, label, *levels, {}, {}});
        else if (same->id == "current") same->label = label;
    }
    return others;
}

void addCost(FitPlan& plan, const Plan& p) {
    plan.evaluations += double(p.evaluations) * p.resolved.images;
    plan.seconds += p.seconds;
    plan.bytes = std::max(plan.bytes, p.bytes);
    plan.recordBytes += p.recordBytes;
}

}  // namespace

const std::vector<ParamSpec>& fitParams() {
    static const std::vector<ParamSpec> specs = [] {
        std::vector<ParamChoice> methods{{"auto", "Best predicted"}};
        for (const FitMethod& m : fitMethods()) methods.push_back({m.id, m.label});
        return std::vector<ParamSpec>{
            integerParam("steps", "Steps", 8, 1, 1000, "Steps of the fitted schedule, that to 0 among them."),
            choiceParam("method", "Method", std::move(methods), "What the fitted levels make least."),
            realParam("gamma", "γ", 1, 0.1, 10,
                      "Weight of the steps to come in the dynamic programme; above 1 keeps the last steps small."),
            integerParam("paths", "Paths", 16, 1, 4096, "Seeds whose paths the schedule is fitted to."),
            integerParam("held_out", "Held-out seeds", 16, 2, 4096, "Other seeds, on which the effect is measured."),
            integerParam("reference_steps", "Reference steps", 60, 4, 2000,
                         "Steps of Heun's method in the fine runs; the fitted levels are chosen among theirs.")};
    }();
    return specs;
}

FitPlan planFit(const Recipe& recipe, const Params& settings, bool isRecorded) {
    FitPlan plan;
    auto resolved = resolveParams(fitParams(), settings, "Fitting a schedule");
    if (!resolved) throw Failure(resolved.error().text);
    plan.settings = std::move(*resolved);
    const int steps = numberOf(plan.settings, "steps"), fine = numberOf(plan.settings, "reference_steps");
    if (!isRecorded && fine < 3 * steps)
        throw Failure(std::to_string(steps) + " levels are chosen among at least " + std::to_string(3 * steps)
                      + ". Raise the reference steps.");
    plan.recipe = plainRecipe(recipe, numberOf(plan.settings, "paths"));
    plan.recipe.steps = steps;
    const Plan own = planned(plan.recipe);
    check(own);
    if (!isRecorded)
        plan.reference.push_back(planned(fineRecipe(recipe, own, plan.settings, numberOf(plan.settings, "paths"))));
    Recipe heldOut = recipe;
    heldOut.seed += otherSeeds;
    const int images = numberOf(plan.settings, "held_out");
    plan.effect.push_back(planned(fineRecipe(heldOut, own, plan.settings, images)));
    const auto others = otherSchedules(plan, own);
    for (std::size_t i = 0; i <= others.size(); ++i)  // the first stands for the fitted one, which costs as much
        plan.effect.push_back(planned(withLevels(plainRecipe(heldOut, images), others[i > 0 ? i - 1 : 0].levels)));
    for (const Plan& p : plan.reference) addCost(plan, p);
    for (const Plan& p : plan.effect) addCost(plan, p);
    return plan;
}

std::string tooCoarse(const Run& run, int steps) {
    const int fine = run.trajectory ? run.trajectory->intervals() : 0;
    if (fine >= 3 * steps) return {};
    return "The reference has " + std::to_string(fine) + " steps; " + std::to_string(steps)
           + " levels are chosen among at least " + std::to_string(3 * steps) + ". Record a finer one.";
}

namespace {

// What a method assumes that the reference does not give.
std::vector<std::string> notesOf(const FitContext& context, const FitMethod& method,
                                 const std::vector<double>& levels) {
    std::vector<std::string> notes;
    const std::size_t paths = context.reference.paths.size();
    if (paths == 1)
        notes.emplace_back(
            "One path does not tell how errors grow or shrink on the way; the prediction carries them on "
            "as they are. Use more paths.");
    if (method.id == "klub" && context.reference.isGuided)
        notes.emplace_back("The bound of Align Your Steps is that of a model without guidance; here it is taken of the "
                           "guided estimate.");
    if (method.id == "klub" && !context.energy) {
        const MeanInterval own = recordedKlub(context.reference, levels);
        notes.push_back("The bound was estimated from " + std::to_string(paths) + " paths: " + display(own.mean)
                        + " (95 %: " + display(own.low) + " to " + display(own.high) + ").");
    }
    return notes;
}

}  // namespace

ScheduleFit fitSchedule(const FitPlan& plan, std::span<const std::shared_ptr<const Run>> reference) {
    const ReferencePaths paths = referencePaths(reference);
    const int steps = numberOf(plan.settings, "steps");
    if (const std::string problem = tooCoarse(*reference.front(), steps); !problem.empty()) throw Failure(problem);
    const std::string& wanted = text(plan.settings, "method");
    const Plan& shape = plan.effect.back();  // of the recipe's sampler, resolved
    FitContext context{paths, steps, real(plan.settings, "gamma")};
    if (!paths.isGuided) context.energy = exactEnergy(plan.recipe.model);
    ScheduleFit fit{.plan = plan};
    fit.referencePaths = int(paths.paths.size());
    const SamplerInfo& sampler = *findSampler(shape.resolved.sampler.id);
    auto [fitted, chosen] = fitLevels(context, wanted, sampler, shape.resolved.sampler.params);
    fit.schedules.push_back({"fitted", "fitted (" + chosen->label + ')', std::move(fitted), {}, {}});
    for (ComparedSchedule& other : otherSchedules(plan, planned(plan.recipe)))
        fit.schedules.push_back(std::move(other));
    for (ComparedSchedule& s : fit.schedules)
        s.predicted = errorEstimate(predictedErrors(paths, sampler, shape.resolved.sampler.params, s.levels));
    fit.notes = notesOf(context, *chosen, fit.fitted().levels);
    return fit;
}

std::vector<Plan> effectPlans(const ScheduleFit& fit) {
    std::vector<Plan> plans{fit.plan.effect.front()};
    Recipe recipe = fit.plan.recipe;
    recipe.seed += otherSeeds;
    recipe.images = plans.front().resolved.images;
    for (const ComparedSchedule& s : fit.schedules) plans.push_back(planned(withLevels(recipe, s.levels)));
    return plans;
}

void takeEffect(ScheduleFit& fit, std::span<const std::shared_ptr<const Run>> runs) {
    if (runs.size() != fit.schedules.size() + 1)
        throw Failure("The runs that measure the effect are not those of this fit. Carry out its own.");
    const HostTensor& truth = runs.front()->trajectory->last();
    for (std::size_t i = 0; i < fit.schedules.size(); ++i) {
        const HostTensor& end = runs[i + 1]->trajectory->last();
        std::vector<double> squares;
        for (std::int64_t image = 0; image < truth.shape()[0]; ++image)
            squares.push_back(
                std::pow(rmsDifference(end.rows(image, 1).toDoubles(), truth.rows(image, 1).toDoubles()), 2));
        fit.schedules[i].measured = errorEstimate(std::move(squares));
    }
}

}  // namespace meander
