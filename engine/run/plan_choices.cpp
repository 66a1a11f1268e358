// Numbers in range, ids known, parameters filled in.
#include "engine/guidance/guidance.h"
#include "engine/models/adapters.h"
#include "engine/models/declarations.h"
#include "engine/recipe/recipe_fields.h"
#include "engine/recipe/unknown_name.h"
#include "engine/run/planner.h"
#include "engine/run/source_image.h"
#include "engine/sampling/noise/noise.h"
#include "engine/schedule/schedule.h"

namespace meander {
namespace {

template <class Info>
const Info& required(const Info* info, const char* kind, const std::string& id, const std::vector<Info>& table) {
    if (info) return *info;
    std::vector<std::string> known;
    for (const Info& row : table) known.push_back(row.id);
    throw Failure(std::string("There is no ") + kind + " named \"" + id + "\"."
                  + remedyForUnknownName(kind, id, known));
}

Result<Params> filled(const auto& info, const Params& given) { return resolveParams(info.params, given, info.label); }
Result<Params> filled(const SamplerInfo& info, const Params& given) { return resolveParams(info, given); }

void resolve(Choice& choice, const auto& info) {
    auto params = filled(info, choice.params);
    if (!params) throw Failure(params.error().text);
    choice.params = *params;
}

}  // namespace

void Planner::resolveModel() {
    Recipe& r = m_plan.resolved;
    resolve(r.checkpoint, required(findDeclaration(r.checkpoint.id), "checkpoint", r.checkpoint.id, declarations()));
    for (auto& a : r.adapters) resolve(a, required(findAdapter(a.id), "adapter", a.id, adapters()));
    checkAdapters(m_plan.model, lorasOf(r.adapters));
    m_plan.model = modelOf(r, std::move(m_plan.model));
}

void Planner::checkNumbers() {
    Recipe& r = m_plan.resolved;
    const bool arePoints = m_plan.model.state.kind == StateKind::Points;
    const int most = mostImages(m_plan.model.state);
    if (r.images < 1 || r.images > most)
        throw Failure(std::string("The number of ") + (arePoints ? "particles" : "images") + " must lie between 1 and "
                      + std::to_string(most) + ".");
    for (const auto& field : recipeFields())
        if (const std::string problem = problemOf(field, r); !problem.empty()) throw Failure(problem);
    if (r.classIndex
        && (m_plan.model.conditioning != ConditioningKind::Class || *r.classIndex >= int(m_plan.model.classes.size())))
        throw Failure("The model has no class " + std::to_string(*r.classIndex) + ".");
    if (r.branch && !m_parent) throw Failure("The run to branch from is not in this project any more.");
}

void Planner::resolveChoices() {
    Recipe& r = m_plan.resolved;
    resolve(r.start, required(findStart(r.start.id), "start", r.start.id, starts()));
    resolve(r.source, required(findSource(r.source.id), "source image", r.source.id, sources()));
    m_plan.source = resolveSource(r, m_plan.model);
    resolve(r.sampler, required(findSampler(r.sampler.id), "sampler", r.sampler.id, samplers()));
    resolve(r.schedule, required(findSchedule(r.schedule.id), "schedule", r.schedule.id, schedules()));
    for (auto& o : r.scheduleOperators)
        resolve(o, required(findScheduleOperator(o.id), "operator on schedules", o.id, scheduleOperators()));
    resolveNoise();
    for (auto& g : r.guidance) resolve(g, required(findGuidance(g.id), "guidance rule", g.id, guidanceRules()));
}

void Planner::resolveNoise() {
    Recipe& r = m_plan.resolved;
    if (sampler().unitVariance) r.noise.params.insert({"initial_scale", std::string("unit_variance")});
    const auto& info = required(findNoise(r.noise.id), "noise source", r.noise.id, noiseSources());
    if (r.noise.id == "recorded") {
        if (!m_parent || !m_parent->trajectory)
            throw Failure("The noise \"" + info.label
                          + "\" needs a run to branch from. Branch from a run, or choose another noise.");
        resolve(r.noise, info);
        r.noise = recordedNoise(m_parent->recipe.noise, m_parent->recipe.seed);
        if (noiseSeed(r.noise, r.seed) == r.seed && !m_parent->recipe.noise.params.contains("seed"))
            r.noise.params.erase("seed");
    }
    // A branch of a path stays on it, also where its own levels span another range.
    if (r.noise.id == "brownian" && m_parent && m_parent->recipe.noise.id == "brownian")
        for (const char* end : {"high", "low"})
            if (const auto it = m_parent->recipe.noise.params.find(end); it != m_parent->recipe.noise.params.end())
                r.noise.params.insert(*it);
    resolve(r.noise, required(findNoise(r.noise.id), "noise source", r.noise.id, noiseSources()));
}

}  // namespace meander
