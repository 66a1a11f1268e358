#include "engine/run/plan.h"

#include <algorithm>
#include <cmath>

#include "engine/guidance/guidance.h"
#include "engine/run/branching.h"
#include "engine/run/measured.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander {

namespace {

// Nearest of the known ids, for "did you mean".
std::string nearest(const std::string& wanted, const auto& table) {
    std::string best;
    std::size_t bestDistance = 4;
    for (const auto& row : table) {
        std::vector<std::size_t> d(row.id.size() + 1);
        for (std::size_t j = 0; j <= row.id.size(); ++j) d[j] = j;
        for (std::size_t i = 1; i <= wanted.size(); ++i) {
            std::size_t diagonal = d[0]++;
            for (std::size_t j = 1; j <= row.id.size(); ++j) {
                const std::size_t next = std::min({d[j] + 1, d[j - 1] + 1, diagonal + (wanted[i - 1] != row.id[j - 1])});
                diagonal = std::exchange(d[j], next);
            }
        }
        if (d.back() < bestDistance) {
            bestDistance = d.back();
            best = row.id;
        }
    }
    return best.empty() ? "" : " Did you mean \"" + best + "\"?";
}

template <class Info>
const Info& required(const Info* info, const char* kind, const std::string& id, const std::vector<Info>& table) {
    if (!info) throw Failure(std::string("There is no ") + kind + " named \"" + id + "\"." + nearest(id, table));
    return *info;
}

void resolve(Choice& choice, const auto& info) {
    auto params = resolveParams(info.params, choice.params, info.label);
    if (!params) throw Failure(params.error().text);
    choice.params = *params;
}

class Planner {
public:
    Planner(const Recipe& recipe, const ModelInfo& model, const Run* parent) : m_parent(parent) {
        m_plan.resolved = recipe;
        m_plan.model = model;
    }

    Plan make() {
        checkNumbers();
        resolveChoices();
        makeLevels();
        countCost();
        estimate();
        adviseSampler();
        adviseConditioning();
        return std::move(m_plan);
    }

private:
    void checkNumbers() {
        Recipe& r = m_plan.resolved;
        const int most = m_plan.model.state == StateKind::Points ? 100000 : 256;
        if (r.steps < 1 || r.steps > 10000) throw Failure("Steps must lie between 1 and 10000.");
        if (r.images < 1 || r.images > most) throw Failure("The number of images must lie between 1 and " + std::to_string(most) + ".");
        if (r.precision != "auto" && r.precision != "f32" && r.precision != "bf16") throw Failure("Precision must be auto, f32 or bf16.");
        if (r.classIndex && (m_plan.model.conditioning != ConditioningKind::Class || *r.classIndex < 0 || *r.classIndex >= int(m_plan.model.classes.size())))
            throw Failure("The model has no class " + std::to_string(*r.classIndex) + ".");
        if (r.branch && !m_parent) throw Failure("The run to branch from is not in this project any more.");
    }

    void resolveChoices() {
        Recipe& r = m_plan.resolved;
        resolve(r.sampler, required(findSampler(r.sampler.id), "sampler", r.sampler.id, samplers()));
        resolve(r.schedule, required(findSchedule(r.schedule.id), "schedule", r.schedule.id, schedules()));
        for (auto& g : r.guidance) resolve(g, required(findGuidance(g.id), "guidance rule", g.id, guidanceRules()));
    }

    void makeLevels() {
        Recipe& r = m_plan.resolved;
        if (r.schedule.id == "custom") {
            const auto& values = std::get<std::vector<double>>(r.schedule.params.at("values"));
            if (!values.empty()) r.steps = int(values.size()) - (values.back() == 0 ? 1 : 0);
        }
        auto levels = makeSchedule(r.schedule.id, m_plan.model.process, r.steps, r.schedule.params);
        if (!levels) throw Failure(levels.error().text);
        m_plan.levels = *levels;
        if (r.branch) makeBranch();
    }

    void makeBranch() {
        Recipe& r = m_plan.resolved;
        if (!m_parent->trajectory || m_parent->trajectory->empty()) throw Failure("The run to branch from has no recorded states.");
        if (m_parent->recipe.model != r.model) throw Failure("A branch continues with its parent's model; choose that model or start a new run.");
        if (m_parent->recipe.images != r.images) throw Failure("A branch has as many images as its parent: " + std::to_string(m_parent->recipe.images) + ".");
        const auto& record = *m_parent->trajectory;
        if (r.branch->step < 0 || r.branch->step > int(record.steps.size()) || r.branch->step + 1 >= int(record.levels.size()))
            throw Failure("The run to branch from has no step " + std::to_string(r.branch->step) + " that something could follow.");
        m_plan.levels = branchLevels(record.levels, r.branch->step, m_plan.levels);
        r.steps = int(m_plan.levels.size()) - 1;
        if (restoresHistory(r, *m_parent))
            note(NoteKind::Hint, "branch", "The sampler's history is restored from the record.");
        else
            note(NoteKind::Hint, "branch", "The sampler restarts at step " + std::to_string(r.branch->step) + " without history, because sampler or seed differ from the parent's.");
    }

    void countCost() {
        const Recipe& r = m_plan.resolved;
        const GuidanceStack stack(r, m_plan.model);
        m_plan.models = stack.models();
        for (const auto& g : r.guidance) m_plan.guidance.push_back({g.id, findGuidance(g.id)->label, 0, {}});
        const auto* sampler = findSampler(r.sampler.id);
        for (int step = r.branch ? r.branch->step : 0; step < r.steps; ++step) {
            const int requests = sampler->requestsInStep(step, r.steps, r.sampler.params);
            for (int k = 0; k < requests; ++k) {
                GuidanceMoment m{.process = m_plan.model.process, .parametrization = m_plan.model.parametrization, .sigmaData = m_plan.model.sigmaData, .state = {}};
                m.tau = m_plan.levels[std::size_t(step + (k > 0))];
                m.target = m_plan.levels[std::size_t(step + 1)];
                m.step = step;
                m.steps = r.steps;
                m.isFirst = m_plan.requests == 0;
                m.isStepStart = k == 0;
                ++m_plan.requests;
                const GuidanceWishes w = stack.wishes(m);
                const int rows = int(w.branches.size()) + w.secondQuestions;
                m_plan.evaluations += rows;
                m_mostRows = std::max(m_mostRows, rows);
                const Branch negative = Branch::Unconditional;
                m_usesNegative |= std::find(w.branches.begin(), w.branches.end(), negative) != w.branches.end() || (w.avoid && w.avoid->prompt == negative);
                for (std::size_t i = 0; i < r.guidance.size(); ++i) m_plan.guidance[i].evaluations += stack.rowsAddedBy(i, m);
            }
        }
    }

    void estimate() {
        const Recipe& r = m_plan.resolved;
        const ModelInfo& m = m_plan.model;
        const std::size_t element = kernels::sizeOf(m.stateType), state = std::size_t(m.stateShape.count()) * std::size_t(r.images) * element;
        const std::size_t rows = std::size_t(r.images) * std::size_t(m_mostRows);
        m_plan.bytes = m.weightBytes + m.bytesPerRow * std::min<std::size_t>(rows, 64) + 12 * state;
        for (const auto& id : m_plan.models)
            if (const auto other = inspectModel(id)) m_plan.bytes += other->weightBytes;
        m_plan.recordBytes = state * (std::size_t(m_plan.requests) * 2 + std::size_t(m_plan.evaluations) + std::size_t(r.steps));
        if (r.attention != AttentionLevel::Off)
            for (const auto& site : m.attention) {
                const std::size_t heads = r.attention == AttentionLevel::Full ? std::size_t(site.heads) : 1;
                if (r.attention != AttentionLevel::Summary) m_plan.recordBytes += 2 * heads * std::size_t(site.height * site.width * site.tokens) * std::size_t(r.images * m_plan.requests);
            }
        const double perRow = measuredSecondsPerRow(m.id);
        m_plan.seconds = perRow * m_plan.evaluations * r.images;
    }

    void adviseSampler() {
        const auto* sampler = findSampler(m_plan.resolved.sampler.id);
        const bool consistency = m_plan.model.distillation == Distillation::Consistency || m_plan.model.distillation == Distillation::Lcm;
        if (sampler->fewStep && !consistency)
            note(NoteKind::Warning, "sampler", sampler->label + " is made for consistency models; " + m_plan.model.name + " is not one, so expect blurred averages at few steps.");
        if (!sampler->fewStep && consistency) note(NoteKind::Warning, "sampler", m_plan.model.name + " is a consistency model; its own rule is LCM / consistency.");
        if (m_plan.resolved.steps == 1 && !consistency) note(NoteKind::Warning, "steps", "One step gives the mean of what the model expects, not a sample.");
    }

    void adviseConditioning() {
        const Recipe& r = m_plan.resolved;
        for (std::size_t i = 0; i < r.guidance.size(); ++i) {
            const auto* rule = findGuidance(r.guidance[i].id);
            const GuidanceContext context{r.guidance[i].params, m_plan.model, r, i};
            std::string& idle = m_plan.guidance[i].idle;
            if (rule->idle) idle = rule->idle(context);
            if (!idle.empty()) note(NoteKind::Hint, "guidance", idle);
            if (idle.empty() && rule->advice)
                if (const std::string advice = rule->advice(context); !advice.empty()) note(NoteKind::Warning, "guidance", advice);
            if (m_plan.model.builtInGuidance && rule->usesUnconditional && idle.empty())
                note(NoteKind::Warning, "guidance", "Guidance is already distilled into this model; a scale other than 1 applies it twice.");
        }
        if (m_plan.model.conditioning == ConditioningKind::Text && r.prompt.empty()) note(NoteKind::Hint, "prompt", "The prompt is empty: the model draws whatever it likes.");
        if (!r.negativePrompt.empty() && !m_usesNegative) note(NoteKind::Hint, "negative_prompt", "The negative prompt has no effect without guidance.");
    }

    void note(NoteKind kind, std::string key, std::string text) { m_plan.notes.push_back({kind, std::move(key), std::move(text)}); }

    Plan m_plan;
    const Run* m_parent;
    int m_mostRows = 1;  // of one request
    bool m_usesNegative = false;
};

}  // namespace

Result<Plan> plan(const Recipe& recipe, const Run* parent) {
    auto model = inspectModel(recipe.model);
    if (!model) return model.error();
    return plan(recipe, *model, parent);
}

Result<Plan> plan(const Recipe& recipe, const ModelInfo& model, const Run* parent) {
    try {
        return Planner(recipe, model, parent).make();
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

}  // namespace meander
