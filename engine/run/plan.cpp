#include "engine/run/plan.h"

#include <algorithm>
#include <cmath>

#include "engine/core/switched.h"
#include "engine/guidance/rule_common.h"
#include "engine/models/checkpoint.h"
#include "engine/models/tokenizers/prompt_fit.h"
#include "engine/run/branching.h"
#include "engine/run/run_guidance.h"
#include "engine/run/timing_cache.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander {
namespace {

bool isDeviceName(const std::string& name) {
    if (name == "auto" || name == "cpu") return true;
    return name.size() == 6 && name.starts_with("cuda:") && name[5] >= '0' && name[5] <= '9';
}

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
                const std::size_t next =
                    std::min({d[j] + 1, d[j - 1] + 1, diagonal + (wanted[i - 1] != row.id[j - 1])});
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
    Planner(const Recipe& recipe, const ModelInfo& model, const Run* parent, const Run* start)
        : m_parent(parent), m_startRun(start) {
        m_plan.resolved = recipe;
        m_plan.model = model;
    }

    Plan make() {
        checkNumbers();
        resolveChoices();
        makeLevels();
        fixPath();
        countCost();
        estimate();
        adviseSampler();
        adviseNoise();
        adviseSpace();
        adviseConditioning();
        return std::move(m_plan);
    }

private:
    void checkNumbers() {
        Recipe& r = m_plan.resolved;
        const bool arePoints = m_plan.model.state == StateKind::Points;
        const int most = mostImages(m_plan.model.state);
        if (r.steps < 1 || r.steps > 10000) throw Failure("Steps must lie between 1 and 10000.");
        if (r.images < 1 || r.images > most)
            throw Failure(std::string("The number of ") + (arePoints ? "particles" : "images")
                          + " must lie between 1 and " + std::to_string(most) + ".");
        if (r.precision != "auto" && r.precision != "f32" && r.precision != "bf16")
            throw Failure("Precision must be auto, f32 or bf16.");
        if (!isDeviceName(r.device))
            throw Failure("There is no device '" + r.device
                          + "'. Choose auto, cpu, or cuda:0 (cuda:1 and so on for further GPUs).");
        if (r.classIndex
            && (m_plan.model.conditioning != ConditioningKind::Class || *r.classIndex < 0
                || *r.classIndex >= int(m_plan.model.classes.size())))
            throw Failure("The model has no class " + std::to_string(*r.classIndex) + ".");
        if (r.branch && !m_parent) throw Failure("The run to branch from is not in this project any more.");
    }

    void resolveChoices() {
        Recipe& r = m_plan.resolved;
        resolve(r.start, required(findStart(r.start.id), "start", r.start.id, starts()));
        const SamplerInfo& sampler = required(findSampler(r.sampler.id), "sampler", r.sampler.id, samplers());
        r.sampler.params = valueOrThrow(resolveSamplerParams(sampler, r.sampler.params));
        resolve(r.schedule, required(findSchedule(r.schedule.id), "schedule", r.schedule.id, schedules()));
        for (auto& o : r.scheduleOperators)
            resolve(o, required(findScheduleOperator(o.id), "operator on schedules", o.id, scheduleOperators()));
        resolveNoise();
        for (auto& g : r.guidance) resolve(g, required(findGuidance(g.id), "guidance rule", g.id, guidanceRules()));
    }

    void resolveNoise() {
        Recipe& r = m_plan.resolved;
        if (findSampler(r.sampler.id)->unitVariance)
            r.noise.params.insert({"initial_scale", std::string("unit_variance")});
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
    void fixPath() {
        Recipe& r = m_plan.resolved;
        if (r.noise.id != "brownian") return;
        const auto [low, high] = levelRange(m_plan.levels);
        r.noise.params.insert({"high", high});
        r.noise.params.insert({"low", low});
    }

    void makeLevels() {
        Recipe& r = m_plan.resolved;
        if (const int own = r.schedule.id == "custom" ? customIntervals(r.schedule.params) : 0;
            own > 0 && own != r.steps) {
            note(NoteKind::Hint, "steps",
                 "The custom list has " + std::to_string(own) + (own == 1 ? " interval" : " intervals")
                     + ", so the run has that many steps instead of " + std::to_string(r.steps) + ".");
            r.steps = own;
        }
        auto levels =
            makeSchedule(r.schedule, r.scheduleOperators, m_plan.model.process, r.steps, imageTokensOf(m_plan.model));
        if (!levels) throw Failure(levels.error().text);
        m_plan.levels = *levels;
        for (const auto& n : scheduleNotes(m_plan.levels, m_plan.model.process, r.steps, judgedSigmaData()))
            note(n.warning ? NoteKind::Warning : NoteKind::Hint, n.key, n.text);
        takeOwnLevels();
        takeStart();
        const auto* sampler = findSampler(r.sampler.id);
        if (!sampler->inverts && !sampler->roundTrip && m_plan.levels.back() > m_plan.levels.front())
            throw Failure(sampler->label
                          + " goes from noise to the image, but the levels of the schedule rise. Remove its operator "
                            "\"Reverse\", or choose a sampler that inverts.");
        if (r.branch) makeBranch();
    }

    // Checkpoints that jump to the data do so from any level; no last jump is too long for them.
    double judgedSigmaData() const {
        return m_plan.model.distillation == Distillation::None ? m_plan.model.sigmaData
                                                               : std::numeric_limits<double>::infinity();
    }

    // Data and other runs begin somewhere on the levels; samplers that invert go up them.
    void takeStart() {
        const Recipe& r = m_plan.resolved;
        const SamplerInfo& sampler = *findSampler(r.sampler.id);
        if (r.start.id == "noise") {
            if (sampler.inverts)
                throw Failure(sampler.label
                              + " goes from data to noise, and the recipe starts from noise. Start it from data or "
                                "from another run.");
            if (sampler.needsData)
                throw Failure(sampler.label
                              + " changes given data, and the recipe starts from noise. Start it from data or from "
                                "another run that ended at the data.");
            return;
        }
        m_plan.start = resolveStart(r, m_plan.model, m_startRun);
        if (sampler.needsData && m_plan.start.tau > 0)
            throw Failure(sampler.label + " changes given data, but the run to start from did not end at the data.");
        const double strength = real(r.start.params, "strength");
        const int whole = m_plan.intervals();
        m_plan.levels = startLevels(m_plan.levels, m_plan.start, strength, sampler.inverts);
        const int done = m_plan.intervals();
        if (sampler.roundTrip) m_plan.levels = roundTripLevels(m_plan.levels);
        if (m_plan.start.tau > 0)
            note(NoteKind::Hint, "start",
                 "The run goes on from level " + display(m_plan.start.tau)
                     + ", where the other one ended: " + std::to_string(done) + (done == 1 ? " step." : " steps."));
        else if (done < whole)
            note(NoteKind::Hint, "start",
                 "Of the schedule's " + std::to_string(whole) + " steps the " + std::to_string(done)
                     + " next to the data are done (strength " + display(strength) + ").");
    }

    // Rules with levels of their own put them in place of the schedule's.
    void takeOwnLevels() {
        const Recipe& r = m_plan.resolved;
        const SamplerInfo& sampler = *findSampler(r.sampler.id);
        if (!sampler.ownLevels) return;
        const auto own = sampler.ownLevels(m_plan.model.process, m_plan.levels, r.sampler.params);
        if (own == m_plan.levels) return;
        const int steps = int(own.size()) - 1;
        note(NoteKind::Hint, "schedule",
             sampler.label + " visits levels of its own"
                 + (steps == r.steps
                        ? ""
                        : ", " + std::to_string(steps) + " instead of " + std::to_string(r.steps) + " steps")
                 + "; the schedule only says where it begins and ends.");
        m_plan.levels = own;
    }

    void makeBranch() {
        Recipe& r = m_plan.resolved;
        if (!m_parent->trajectory || m_parent->trajectory->empty())
            throw Failure("The run to branch from has no recorded states.");
        if (m_parent->recipe.model != r.model)
            throw Failure("A branch continues with its parent's model; choose that model or start a new run.");
        if (m_parent->recipe.images != r.images)
            throw Failure("A branch has as many images as its parent: " + std::to_string(m_parent->recipe.images)
                          + ".");
        const auto& record = *m_parent->trajectory;
        if (r.branch->step < 0 || r.branch->step > int(record.steps.size())
            || r.branch->step + 1 >= int(record.levels.size()))
            throw Failure("The run to branch from has no step " + std::to_string(r.branch->step)
                          + " that something could follow.");
        if (restoresHistory(r, *m_parent) && findSampler(r.sampler.id)->freeSteps) {
            // Its steps follow from the whole schedule: the same schedule, the same steps again.
            note(NoteKind::Hint, "branch", "The sampler's history is restored from the record.");
            return;
        }
        m_plan.levels = branchLevels(record.levels, r.branch->step, m_plan.levels);
        r.steps = int(m_plan.levels.size()) - 1;
        if (restoresHistory(r, *m_parent))
            note(NoteKind::Hint, "branch", "The sampler's history is restored from the record.");
        else
            note(NoteKind::Hint, "branch",
                 "The sampler restarts at step " + std::to_string(r.branch->step)
                     + " without history, because sampler or noise differ from the parent's.");
    }

    void countCost() {
        const Recipe& r = m_plan.resolved;
        const GuidanceStack stack(r, m_plan.model);
        m_plan.models = stack.models();
        for (const auto& g : r.guidance) m_plan.guidance.push_back({g.id, findGuidance(g.id)->label, 0, {}});
        const auto* sampler = findSampler(r.sampler.id);
        // A last step that does not reach 0 costs what the others cost.
        const int steps = m_plan.intervals() + (m_plan.levels.back() > 0);
        for (int step = r.branch ? r.branch->step : 0; step < m_plan.intervals(); ++step) {
            const int requests = sampler->requestsInStep(step, steps, r.sampler.params);
            for (int k = 0; k < requests; ++k) {
                const double level = m_plan.levels[std::size_t(step + (k > 0))],
                             tau = level > 0 ? level : m_plan.model.process.minimum();
                GuidanceMoment m =
                    momentOf(m_plan, {{}, tau, m_plan.levels[std::size_t(step + 1)], {}, step}, m_plan.intervals());
                m.isFirst = m_plan.requests == 0;
                m.isStepStart = k == 0;
                ++m_plan.requests;
                const EvaluationPlan w = stack.evaluationPlan(m);
                const int rows = int(w.branches.size()) + w.dependentCount;
                m_plan.evaluations += rows;
                m_mostRows = std::max(m_mostRows, rows);
                const Branch negative = Branch::Unconditional;
                m_usesNegative |= std::find(w.branches.begin(), w.branches.end(), negative) != w.branches.end()
                                  || (w.nag && w.nag->prompt == negative);
                for (std::size_t i = 0; i < r.guidance.size(); ++i)
                    m_plan.guidance[i].evaluations += stack.rowsAddedBy(i, m);
            }
        }
    }

    void estimate() {
        const Recipe& r = m_plan.resolved;
        const ModelInfo& m = m_plan.model;
        const std::size_t element = kernels::sizeOf(m.stateType),
                          state = std::size_t(m.stateShape.count()) * std::size_t(r.images) * element;
        const std::size_t rows = std::size_t(r.images) * std::size_t(m_mostRows);
        m_plan.bytes = m.weightBytes + m.bytesPerRow * rows + 12 * state;
        for (const auto& id : m_plan.models)
            if (const auto other = inspectModel(id)) m_plan.bytes += other->weightBytes;
        m_plan.recordBytes =
            state
            * (std::size_t(m_plan.requests) * 2 + std::size_t(m_plan.evaluations) + std::size_t(m_plan.intervals()));
        if (r.attention != AttentionLevel::Off)
            for (const auto& site : m.attention) {
                const std::size_t heads = r.attention == AttentionLevel::Full ? std::size_t(site.heads) : 1;
                if (r.attention != AttentionLevel::Summary)
                    m_plan.recordBytes += 2 * heads * std::size_t(site.height * site.width * site.tokens)
                                          * std::size_t(r.images * m_plan.requests);
            }
        const double perRow = measuredSecondsPerRow(m.id);
        m_plan.seconds = perRow * m_plan.evaluations * r.images;
    }

    void adviseSampler() {
        const SamplerInfo& sampler = *findSampler(m_plan.resolved.sampler.id);
        const ModelInfo& m = m_plan.model;
        const CheckpointRule& rule = checkpointRule(m.distillation);
        if (const std::string caution = samplerCaution(sampler, m.distillation, m.name, usualSampler());
            !caution.empty())
            note(NoteKind::Warning, "sampler", caution);
        if (sampler.freeSteps && m_plan.resolved.sampler.params.contains("rtol"))
            note(NoteKind::Hint, "sampler",
                 sampler.label
                     + " chooses its own steps within its tolerance: how many evaluations they need is known "
                       "afterwards."
                     + (m_plan.resolved.images > 1
                            ? " The error is that of all images together, so an image depends on "
                              "those beside it."
                            : ""));
        if (sampler.advice)
            if (const std::string advice = sampler.advice({m_plan.resolved.sampler.params, m.process, m_plan.levels,
                                                           m.stateShape.count(), m_plan.resolved.images});
                !advice.empty())
                note(NoteKind::Warning, "sampler", sampler.label + ": " + advice);
        if (rule.mostSteps > 0 && m_plan.intervals() > rule.mostSteps)
            note(NoteKind::Hint, "steps",
                 m.name + " is " + rule.name + ": more than " + std::to_string(rule.mostSteps)
                     + " steps bring nothing, and noise added again at each can harm.");
        const bool evaluatesOnce = sampler.requestsInStep(0, 1, m_plan.resolved.sampler.params) == 1;
        if (m_plan.intervals() == 1 && evaluatesOnce && rule.followsOde && m.distillation == Distillation::None)
            note(NoteKind::Warning, "steps", "One step gives the mean of what the model expects, not a sample.");
    }

    // What the model itself recommends, else a solver for every model.
    std::string usualSampler() const {
        const Json& r = m_plan.model.recommended;
        if (r.is_object() && r.contains("sampler") && r["sampler"].is_object() && r["sampler"].contains("id")
            && r["sampler"]["id"].is_string())
            return r["sampler"]["id"].get<std::string>();
        return m_plan.model.process.kind() == ProcessKind::RectifiedFlow ? "euler" : "dpmpp_2m";
    }

    void adviseNoise() {
        const Recipe& r = m_plan.resolved;
        const ModelInfo& m = m_plan.model;
        const auto* sampler = findSampler(r.sampler.id);
        const NoiseSituation situation{m.stateShape,   m.state == StateKind::Image,
                                       r.images,       drawsNoise(*sampler, r.sampler.params),
                                       sampler->label, r.branch && !restoresHistory(r, *m_parent)};
        if (const std::string problem = noiseProblem(r.noise, situation); !problem.empty()) throw Failure(problem);
        for (const auto& text : noiseAdvice(r.noise, situation)) note(NoteKind::Hint, "noise", text);
        if (m.process.startsFromPureNoise()
            && (m.parametrization == Parametrization::Epsilon || m.parametrization == Parametrization::LcmEpsilon
                || m.parametrization == Parametrization::Score)
            && m_plan.levels.front() > m.process.maximum() * (1 - 1e-6))
            note(NoteKind::Warning, "schedule",
                 "The first level holds no signal, and there what this model predicts ("
                     + std::string(nameOf(m.parametrization))
                     + ") says nothing about the image. Start at a lower level.");
        if (m_plan.levels.front() > 0)
            firstState(r.noise, m.process, m_plan.levels.front(), m.sigmaData,
                       m.stateShape[-1]);  // refuses what does not fit the model
    }

    void adviseSpace() {
        const Manifold& m = m_plan.model.process.manifold();
        const SamplerInfo& sampler = *findSampler(m_plan.resolved.sampler.id);
        if (!m.isFlat() && !sampler.curved)
            note(NoteKind::Warning, "sampler",
                 sampler.label + " steps in flat space, and the states of " + m_plan.model.name + " lie on the "
                     + nameOf(m.kind()) + ": points leave it. Choose Riemannian flow.");
    }

    void adviseConditioning() {
        const Recipe& r = m_plan.resolved;
        const CheckpointRule& checkpoint = checkpointRule(m_plan.model.distillation);
        for (std::size_t i = 0; i < r.guidance.size(); ++i) {
            const auto* rule = findGuidance(r.guidance[i].id);
            const GuidanceContext context{r.guidance[i].params, m_plan.model, r, i};
            std::string& idle = m_plan.guidance[i].idle;
            if (isSwitchedOff(r.guidance[i])) {
                idle = "Switched off.";
                continue;
            }
            if (rule->idle) idle = rule->idle(context);
            if (idle.empty()) idle = whyNoLevelIsInside(r.guidance[i].params, m_plan.model.process, m_plan.levels);
            if (!idle.empty()) note(NoteKind::Hint, "guidance", idle);
            if (const std::string caution = idle.empty() ? scaleCaution(*rule, context) : ""; !caution.empty())
                note(NoteKind::Warning, "guidance", caution);
            if (idle.empty() && rule->advice)
                if (const std::string advice = rule->advice(context); !advice.empty())
                    note(NoteKind::Warning, "guidance", advice);
            if (m_plan.model.builtInGuidance && rule->usesUnconditional && idle.empty())
                note(NoteKind::Warning, "guidance",
                     "Guidance is already distilled into this model; a scale other than 1 applies it twice.");
            else if (checkpoint.holdsGuidance && rule->usesUnconditional && idle.empty())
                note(NoteKind::Hint, "guidance",
                     std::string("Guidance is usually distilled into ") + checkpoint.name
                         + "; a scale above 1 then saturates colours. Compare with guidance off.");
        }
        adviseWords("prompt", "prompt", r.prompt);
        adviseWords("negative_prompt", "negative prompt", r.negativePrompt);
        if (m_plan.model.conditioning == ConditioningKind::Text && r.prompt.empty())
            note(NoteKind::Hint, "prompt", "The prompt is empty: the model draws whatever it likes.");
        if (!r.negativePrompt.empty() && !m_usesNegative)
            note(NoteKind::Hint, "negative_prompt", "The negative prompt has no effect without guidance.");
    }

    void adviseWords(const char* key, const std::string& name, const std::string& text) {
        const PromptFit fit = fitPrompt(m_plan.model, text);
        if (fit.ignoredWords == 0) return;
        const std::string lost =
            fit.ignoredWords == 1 ? "the last word is" : "the last " + std::to_string(fit.ignoredWords) + " words are";
        note(NoteKind::Warning, key,
             "The " + name + " is longer than the " + std::to_string(fit.tokens) + " tokens that " + m_plan.model.name
                 + " reads: after \"" + fit.lastRead + "\" " + lost + " ignored.");
    }

    void note(NoteKind kind, std::string key, std::string text) {
        m_plan.notes.push_back({kind, std::move(key), std::move(text)});
    }

    Plan m_plan;
    const Run *m_parent, *m_startRun;
    int m_mostRows = 1;  // of one request
    bool m_usesNegative = false;
};

}  // namespace

int mostImages(StateKind kind) { return kind == StateKind::Points ? 100000 : 256; }

std::optional<int> imageTokensOf(const ModelInfo& model) {
    if (model.state != StateKind::Image) return std::nullopt;
    const Shape& s = model.imageShape.rank() >= 2 ? model.imageShape : model.stateShape;
    if (s.rank() < 2) return std::nullopt;
    return std::max(1, int(std::llround(double(s[0]) * double(s[1]) / 256)));
}

Result<Plan> plan(const Recipe& recipe, const Run* parent, const Run* start) {
    auto model = inspectModel(recipe.model);
    if (!model) return model.error();
    return plan(recipe, *model, parent, start);
}

Result<Plan> plan(const Recipe& recipe, const ModelInfo& model, const Run* parent, const Run* start) {
    try {
        return Planner(recipe, model, parent, start).make();
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

}  // namespace meander
