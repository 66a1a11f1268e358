// Advice before the run, and the refusals that depend on model and levels.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/core/switched.h"
#include "engine/guidance/rule_common.h"
#include "engine/models/checkpoint.h"
#include "engine/models/text/embeddings.h"
#include "engine/models/tokenizers/prompt_fit.h"
#include "engine/run/planner.h"
#include "engine/sampling/gaussian_course.h"
#include "engine/sampling/noise/noise.h"

namespace meander {

void Planner::adviseSampler() {
    const SamplerInfo& sampler = *findSampler(m_plan.resolved.sampler.id);
    const ModelInfo& m = m_plan.model;
    const CheckpointRule& rule = checkpointRule(m.distillation);
    if (const std::string caution = samplerCaution(sampler, m.distillation, m.name, usualSampler()); !caution.empty())
        note(NoteKind::Warning, "sampler", caution);
    const Params& params = m_plan.resolved.sampler.params;
    if (sampler.freeSteps && params.contains("rtol"))
        note(NoteKind::Hint, "sampler",
             sampler.label
                 + " chooses its own steps within its tolerance: how many evaluations they need is known "
                   "afterwards."
                 + (m_plan.resolved.images > 1 ? " The error is that of all images together, so an image depends on "
                                                 "those beside it."
                                               : ""));
    const SamplerSituation situation{params,
                                     m.process,
                                     m_plan.levels,
                                     m.state.shape.count(),
                                     m_plan.resolved.images,
                                     m.state.kind == StateKind::Image};
    if (sampler.misfit)
        if (const std::string misfit = sampler.misfit(situation); !misfit.empty())
            throw Failure(sampler.label + ": " + misfit);
    if (sampler.advice)
        if (const std::string advice = sampler.advice(situation); !advice.empty())
            note(NoteKind::Warning, "sampler", sampler.label + ": " + advice);
    if (rule.mostSteps > 0 && m_plan.intervals() > rule.mostSteps)
        note(NoteKind::Hint, "steps",
             m.name + " is " + rule.name + ": more than " + std::to_string(rule.mostSteps)
                 + " steps bring nothing, and noise added again at each can harm.");
    const bool evaluatesOnce = sampler.requestsInStep(0, 1, params) == 1;
    const bool jumpsFromNoise = m_plan.resolved.start.id == "noise" && !m_plan.resolved.branch;
    if (m_plan.intervals() == 1 && jumpsFromNoise && evaluatesOnce && rule.followsOde
        && m.distillation == Distillation::None)
        note(NoteKind::Warning, "steps", "One step gives the mean of what the model expects, not a sample.");
}

namespace {

// The law may be off by half before a person should hear of it; that a few steps blur is in their number.
bool isOff(double ratio, int steps) {
    constexpr int few = 8;
    return !(ratio < 1.5) || (ratio < 0.5 && steps > few);
}

std::string shortNumber(double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", v);
    return text;
}

// The step that changed the law most.
const GaussianStep& worstOf(const std::vector<GaussianStep>& course) {
    const GaussianStep* worst = &course.front();
    double before = 1, most = -1;
    for (const GaussianStep& s : course) {
        if (!std::isfinite(s.ratio)) return s;
        const double change = std::abs(std::log(std::max(s.ratio, 1e-300) / before));
        if (change > most) most = change, worst = &s;
        before = std::max(s.ratio, 1e-300);
    }
    return *worst;
}

std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i) text += (i == 0 ? "" : i + 1 < list.size() ? ", " : " or ") + list[i];
    return text;
}

}  // namespace

// Whether the sampler's steps over these levels keep the law of Gaussian data of the model's deviation: what fails
// there, by steps that fall too far for its rule, fails on every data.
void Planner::adviseLaw() {
    const Recipe& r = m_plan.resolved;
    const ModelInfo& m = m_plan.model;
    const SamplerInfo& used = sampler();
    if (r.start.id != "noise" || r.branch || m.distillation != Distillation::None || m_plan.intervals() < 2
        || !samplerCaution(used, m.distillation, m.name, usualSampler()).empty())
        return;
    const auto ratioOf = [&](const SamplerInfo& s, const Params& params, const std::vector<double>& levels) {
        const auto course = gaussianCourse(s, params, m.process, levels, m.sigmaData);
        return course ? course->back().ratio : std::nan("");
    };
    if (used.advice && std::any_of(m_plan.notes.begin(), m_plan.notes.end(), [&](const PlanNote& n) {
            return n.kind == NoteKind::Warning && n.text.starts_with(used.label + ": ");
        }))
        return;  // it tells its own cause
    const auto course = gaussianCourse(used, r.sampler.params, m.process, m_plan.levels, m.sigmaData);
    if (!course || !isOff(course->back().ratio, m_plan.intervals())) return;
    std::vector<std::string> remedies;
    for (const int factor : {2, 4}) {
        const auto levels =
            makeSchedule(r.schedule, r.scheduleOperators, m.process, r.steps * factor, imageTokensOf(m));
        if (!levels || !remedies.empty() || isOff(ratioOf(used, r.sampler.params, *levels), r.steps)) continue;
        remedies.push_back(std::to_string(r.steps * factor) + " steps");
    }
    for (const char* id : {"karras", "exponential"})
        if (const auto levels = makeSchedule({id, {}}, {}, m.process, r.steps);
            levels && id != r.schedule.id && remedies.size() < 2
            && !isOff(ratioOf(used, r.sampler.params, *levels), r.steps))
            remedies.push_back("the schedule " + findSchedule(id)->label);
    for (const std::string& id : {usualSampler(), std::string("dpmpp_2m"), std::string("euler")})
        if (const SamplerInfo* other = findSampler(id); other && id != used.id && remedies.size() < 3) {
            const auto params = resolveParams(*other, {});
            if (!params || isOff(ratioOf(*other, *params, m_plan.levels), r.steps)) continue;
            remedies.push_back("the sampler " + other->label);
            break;
        }
    const GaussianStep& worst = worstOf(*course);
    const double ratio = course->back().ratio;
    note(NoteKind::Warning, "sampler",
         used.label + ": on Gaussian data of the model's standard deviation (" + display(m.sigmaData)
             + ") these steps end with "
             + (std::isfinite(ratio) && ratio < 1e6 ? shortNumber(ratio) + " times its variance"
                                                    : std::string("a variance beyond all bounds"))
             + ", mostly by the step from level " + shortNumber(worst.from) + " to " + shortNumber(worst.to)
             + ", which falls too far for this rule. "
             + (remedies.empty() ? std::string("Use more steps.") : "What keeps it: " + joined(remedies) + "."));
}

// What the model itself recommends, else a solver for every model.
std::string Planner::usualSampler() const {
    const Json& r = m_plan.model.recommended;
    if (r.is_object() && r.contains("sampler") && r["sampler"].is_object() && r["sampler"].contains("id")
        && r["sampler"]["id"].is_string())
        return r["sampler"]["id"].get<std::string>();
    return m_plan.model.process.kind() == ProcessKind::RectifiedFlow ? "euler" : "dpmpp_2m";
}

void Planner::adviseNoise() {
    const Recipe& r = m_plan.resolved;
    const ModelInfo& m = m_plan.model;
    const auto* sampler = findSampler(r.sampler.id);
    const NoiseSituation situation{.stateShape = m.state.shape,
                                   .isImage = m.state.kind == StateKind::Image,
                                   .images = r.images,
                                   .draws = drawsNoise(*sampler, r.sampler.params),
                                   .drawsBesidePath = sampler->drawsBesidePath,
                                   .samplerLabel = sampler->label,
                                   .restarted = r.branch && !m_plan.restoresHistory};
    if (const std::string problem = noiseProblem(r.noise, situation); !problem.empty()) throw Failure(problem);
    for (const auto& text : noiseAdvice(r.noise, situation)) note(NoteKind::Hint, "noise", text);
    if (m.process.startsFromPureNoise()
        && (m.parametrization == Parametrization::Epsilon || m.parametrization == Parametrization::LcmEpsilon
            || m.parametrization == Parametrization::Score)
        && m_plan.levels.front() > m.process.maximum() * (1 - 1e-6))
        note(NoteKind::Warning, "schedule",
             "The first level holds no signal, and there what this model predicts ("
                 + std::string(nameOf(m.parametrization)) + ") says nothing about the image. Start at a lower level.");
    // Refuses a level at which the prediction says nothing about the image, or whose time no network can be told.
    if (const double top = std::max(m_plan.levels.front(), m_plan.levels.back());
        top > 0 && !std::isfinite(conversionAt(m.process, m.parametrization, top, m.sigmaData).time))
        throw Failure("At pure noise the time that a network of " + std::string(nameOf(m.parametrization))
                      + " is told, ln(σ)/4, is infinite. Start a little below.");
    if (m_plan.levels.front() > 0)
        firstState(r.noise, m.process, m_plan.levels.front(), m.sigmaData,
                   m.state.shape[-1]);  // refuses what does not fit the model
}

void Planner::adviseSpace() {
    const Manifold& m = m_plan.model.process.manifold();
    const SamplerInfo& sampler = *findSampler(m_plan.resolved.sampler.id);
    if (!m.isFlat() && !sampler.curved)
        note(NoteKind::Warning, "sampler",
             sampler.label + " steps in flat space, and the states of " + m_plan.model.name + " lie on the "
                 + nameOf(m.kind()) + ": points leave it. Choose Riemannian flow.");
}

void Planner::adviseConditioning() {
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
        if (const RuleCost& cost = m_plan.guidance[i]; cost.reusing > 0)
            note(NoteKind::Hint, "guidance",
                 cost.label + ": " + std::to_string(cost.reusing) + " of " + std::to_string(m_plan.evaluations)
                     + " evaluations compute only part of the network. They are counted whole, and the time estimate "
                       "does not know what they save."
                     + (!r.branch                 ? ""
                        : m_plan.restoresFeatures ? " Those before the branch that its features follow from are made "
                                                    "again."
                                                  : " The features kept at the branch are computed afresh."));
        else if (rule->keepsFeatures && idle.empty())
            note(NoteKind::Hint, "guidance",
                 cost.label
                     + ": how many evaluations compute only part of the network follows from what they hold, and "
                       "is known afterwards. They are counted whole.");
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
    if (const ModelInfo& m = m_plan.model; m.state.isImage() && !m.state.isDecodable())
        note(NoteKind::Warning, "model",
             m.name
                 + " has no image codec: its run keeps states and attention, and nothing makes images of them. Put "
                   "the codec (the folder vae of a diffusers model) beside its other parts.");
    if (!r.negativePrompt.empty() && !m_usesNegative)
        note(NoteKind::Hint, "negative_prompt", "The negative prompt has no effect without guidance.");
}

void Planner::adviseWords(const char* key, const std::string& name, const std::string& text) {
    if (const PromptDialect dialect = promptDialect(m_plan.resolved.promptDialect); dialect != PromptDialect::Plain) {
        // Read in chunks.
        if (m_plan.model.conditioning != ConditioningKind::Text || text.find("embedding:") == text.npos) return;
        const EmbeddingFolder folder(m_plan.model.id);
        for (const std::string& missing : missingEmbeddings(text, folder, dialect))
            note(NoteKind::Warning, key,
                 "The " + name + " names the embedding '" + missing + "', which is in none of " + folder.places()
                     + ". It is left out.");
        return;
    }
    const PromptFit fit = fitPrompt(m_plan.model, text);
    if (fit.ignoredWords == 0) return;
    const std::string lost =
        fit.ignoredWords == 1 ? "the last word is" : "the last " + std::to_string(fit.ignoredWords) + " words are";
    note(NoteKind::Warning, key,
         "The " + name + " is longer than the " + std::to_string(fit.tokens) + " tokens that " + m_plan.model.name
             + " reads: after \"" + fit.lastRead + "\" " + lost + " ignored.");
}

}  // namespace meander
