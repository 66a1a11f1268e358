// What a run costs: evaluations, bytes, seconds.
#include <algorithm>
#include <map>
#include <tuple>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"
#include "engine/run/planner.h"
#include "engine/run/run_guidance.h"
#include "engine/run/timing_cache.h"

namespace meander {
namespace {

// Counts the evaluations that take features of earlier ones: all but every n-th of a branch while the rule acts.
class ReuseCount {
public:
    // `all`: the evaluations of a request, `own`: what the rule `i` does with them.
    int add(std::size_t i, const EvaluationPlan& own, const EvaluationPlan& all, const GuidanceStack& stack) {
        int reusing = 0;
        for (const auto& [choice, rows, source] : own.interventions)
            if (const auto* info = findIntervention(choice.id); info->period) {
                const std::int64_t period = info->period(choice.params);
                for (const Branch b : all.branches)
                    if (stack.spec(b).model == 0) reusing += m_done[{i, b.kind, b.index}]++ % period != 0;
                for (int k = 0; k < all.dependentCount; ++k)
                    reusing += m_done[{i, Branch::Degraded, k}]++ % period != 0;
            }
        return reusing;
    }

private:
    std::map<std::tuple<std::size_t, int, int>, std::int64_t> m_done;  // by rule and branch
};

// Tensors of a trunk's size that the rules of a recipe keep of every row; each is about a quarter of what a row needs
// while it is computed.
std::size_t keptFeatures(const Recipe& r) {
    std::size_t kept = 0;
    for (const Choice& c : r.guidance)
        if (const InterventionInfo* info = findIntervention(c.id); info && info->hasMemory && !isSwitchedOff(c))
            kept += 1 + std::size_t(info->spans ? info->spans(c.params) : 1);
    return kept;
}

// Of one row: the maps that rules hold in memory, those of the largest attention twice (as they are made, and changed),
// and all that a rule with a memory keeps.
std::size_t heldMaps(const Recipe& r, const ModelInfo& m) {
    std::size_t bytes = 0;
    for (const Choice& c : r.guidance) {
        const InterventionInfo* info = findIntervention(c.id);
        if (!info || !info->holdsMaps || isSwitchedOff(c)) continue;
        const auto it = c.params.find("attention");
        const std::string which = it != c.params.end() ? std::get<std::string>(it->second) : "cross";
        const auto most = c.params.contains("most") ? integer(c.params, "most") : 1'000'000'000;
        std::size_t largest = 0, all = 0;
        const auto add = [&](const TapSite& s, int keys) {
            const std::size_t one = std::size_t(s.heads) * std::size_t(s.height * s.width) * std::size_t(keys);
            if (std::int64_t(s.height) * s.width > most) return;
            largest = std::max(largest, one);
            all += one;
        };
        const bool isJoint = m.attention.empty();
        if (which != "self" && !isJoint)
            for (const TapSite& s : m.attention) add(s, s.tokens);
        if (which != "cross" || isJoint)
            for (const TapSite& s : m.blocks) add(s, s.height * s.width + (isJoint ? m.textTokens : 0));
        bytes += sizeof(float) * (2 * largest + (info->hasMemory ? all : 0));
    }
    return bytes;
}

}  // namespace

EvaluationCount countEvaluations(const Plan& plan) {
    EvaluationCount count;
    const Recipe& r = plan.resolved;
    const GuidanceStack stack(r, plan.model);
    count.models = stack.models();
    for (const auto& g : r.guidance) count.guidance.push_back({g.id, findGuidance(g.id)->label, 0, {}});
    const auto* sampler = findSampler(r.sampler.id);
    // A last step that does not reach 0 costs what the others cost.
    const int steps = plan.intervals() + (plan.levels.back() > 0);
    ReuseCount reuse;
    const int first = r.branch ? r.branch->step : 0;
    for (int step = plan.restoresFeatures ? 0 : first; step < plan.intervals(); ++step) {
        const bool isCounted = step >= first;
        const int requests = sampler->requestsInStep(step, steps, r.sampler.params);
        for (int k = 0; k < requests; ++k) {
            const double level = plan.levels[std::size_t(step + (k > 0))],
                         tau = level > 0 ? level : plan.model.process.minimum();
            GuidanceMoment m =
                momentOf(plan, {{}, tau, plan.levels[std::size_t(step + 1)], {}, step}, plan.intervals());
            m.isFirst = count.requests == 0;
            m.isStepStart = k == 0;
            const EvaluationPlan w = stack.evaluationPlan(m);
            std::vector<int> reusing;
            for (std::size_t i = 0; i < r.guidance.size(); ++i)
                reusing.push_back(reuse.add(i, stack.evaluationPlanOf(i, m), w, stack));
            if (!isCounted) continue;
            ++count.requests;
            const int rows = int(w.branches.size()) + w.dependentCount;
            count.evaluations += rows;
            count.mostRows = std::max(count.mostRows, rows);
            const Branch negative = Branch::Unconditional;
            count.usesNegative |=
                std::find(w.branches.begin(), w.branches.end(), negative) != w.branches.end() || w.usesNegativePrompt;
            for (std::size_t i = 0; i < r.guidance.size(); ++i) {
                count.guidance[i].evaluations += stack.rowsAddedBy(i, m);
                count.guidance[i].reusing += reusing[i];
            }
        }
    }
    return count;
}

void Planner::countCost() {
    EvaluationCount count = countEvaluations(m_plan);
    m_plan.requests = count.requests;
    m_plan.evaluations = count.evaluations;
    m_plan.guidance = std::move(count.guidance);
    m_plan.models = std::move(count.models);
    m_mostRows = std::max(m_mostRows, count.mostRows);
    m_usesNegative |= count.usesNegative;
}

void Planner::estimate() {
    const Recipe& r = m_plan.resolved;
    const ModelInfo& m = m_plan.model;
    const std::size_t element = kernels::sizeOf(m.state.type),
                      state = std::size_t(m.state.shape.count()) * std::size_t(r.images) * element;
    const std::size_t rows = std::size_t(r.images) * std::size_t(m_mostRows);
    m_plan.bytes = m.weightBytes + m.bytesPerRow * rows + 12 * state;
    // Keys and values of the texts, of every prompt and once more of all rows below each other.
    m_plan.bytes += std::size_t(m.contextWidth * m.textTokens) * sizeof(float) * (std::size_t(m_mostRows) + rows);
    m_plan.bytes += keptFeatures(r) * rows * m.bytesPerRow / 4 + heldMaps(r, m) * rows;
    for (const auto& id : m_plan.models)
        if (const auto other = inspectModel(id)) m_plan.bytes += other->weightBytes;
    m_plan.recordBytes =
        state * (std::size_t(m_plan.requests) * 2 + std::size_t(m_plan.evaluations) + std::size_t(m_plan.intervals()));
    if (r.attention != AttentionLevel::Off)
        for (const auto& site : m.attention) {
            const std::size_t heads = r.attention == AttentionLevel::Full ? std::size_t(site.heads) : 1;
            if (r.attention != AttentionLevel::Summary)
                m_plan.recordBytes += 2 * heads * std::size_t(site.height * site.width * site.tokens)
                                      * std::size_t(r.images * m_plan.requests);
        }
    const int requests = std::max(1, m_plan.requests);
    const double call = measuredSeconds(m, Work::Call, std::max(1, r.images * m_plan.evaluations / requests));
    if (call <= 0) return;
    m_plan.seconds = m_plan.requests * (call + measuredSeconds(m, Work::Request, r.images))
                     + r.images * measuredSeconds(m, Work::Decode, 1);
}

}  // namespace meander
