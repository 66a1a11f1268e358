// What a run leaves: evaluations, steps, and the events that tell of them.
#include <algorithm>

#include "engine/models/network_fault.h"
#include "engine/run/active_run.h"
#include "engine/run/record_access.h"

namespace meander {

using Clock = std::chrono::steady_clock;

// The request of a step's first evaluation is the state that the step before ended at: one copy serves both.
HostTensor ActiveRun::keepState(const Tensor& y) {
    HostTensor t = download(y);
    return m_record.initial && t.sameBits(m_record.last()) ? m_record.last() : keep(std::move(t));
}

// What the model says about its own answer.
static std::string faultOf(const RowGroup& g) {
    const Conversion c = conversionAt(g.info->process, g.info->parametrization, g.tau, g.info->sigmaData);
    const double tau = g.networkTau.value_or(g.tau);
    const auto rows = std::size_t(g.state.rows());
    NetworkBatch batch;
    batch.x = c.input == 1 ? g.state : Tensor(c.input * g.state);
    batch.times.assign(rows, conversionAt(g.info->process, g.info->parametrization, tau, g.info->sigmaData).time);
    batch.taus.assign(rows, tau);
    batch.targets.assign(rows, g.target);
    batch.conditioning.assign(rows, g.conditioning);
    if (g.guidance) batch.guidance.assign(rows, g.guidance);
    for (const auto& hook : g.hooks) batch.hooks.add(hook, 0, g.state.rows());
    return g.model->faultOf(batch);
}

// A network that answers plain questions with NaN is at fault itself; only a combination is cured by milder guidance.
static std::string remedyForNan(const DenoiseRequest& q, const RequestProgress& p) {
    if (!isFinite(q.x))
        return "The state had become so before: use more steps, milder settings of the sampler, or a lower first "
               "level.";
    for (const auto& [asked, answer] : p.answers)
        if (!isFinite(answer.denoised)) {
            const std::string fault = faultOf(asked);
            return fault.empty() ? "The model returned it for a finite state, far from all that it knows: use more "
                                   "steps, milder settings of the sampler, or a lower first level."
                                 : fault;
        }
    return "The network's own answers are finite: lower the guidance scale.";
}

void ActiveRun::record(const DenoiseRequest& q, const RequestProgress& p, const GuidanceParts& parts, double weight) {
    if (!isFinite(parts.combined))
        throw Failure("The estimate became not a number (NaN) or infinite in step " + std::to_string(q.step + 1) + ". "
                      + remedyForNan(q, p));
    auto e = std::make_shared<Evaluation>();
    e->index = int(m_record.evaluations.size());
    e->step = q.step;
    e->tau = q.tau;
    e->sigma = process().sigma(q.tau);
    e->logSnr = process().logSnr(q.tau);
    e->networkTime =
        conversionAt(process(), m_plan.model.parametrization, q.networkTau.value_or(q.tau), m_plan.model.sigmaData)
            .time;
    e->state = keepState(q.x);
    e->denoised = keep(download(parts.combined));
    e->guidanceWeight = weight;
    e->metrics = parts.metrics;
    e->ancestors = parts.ancestors;
    recordAnswers(*e, p, parts);
    m_run.evaluations += int(p.answers.size());
    m_record.evaluations.push_back(e);
    emitEvaluation(e);
}

void ActiveRun::recordAnswers(Evaluation& e, const RequestProgress& p, const GuidanceParts& parts) {
    const bool isPlain =
        p.answers.size() == 1 && parts.combined.view().data == p.answers.front().second.denoised.view().data;
    if (!isPlain && m_plan.resolved.recordStates)
        for (const auto& [asked, answer] : p.answers)
            e.branches.push_back(
                {asked.branch, keep(download(answer.denoised)),
                 asked.branch.kind <= Branch::Unconditional ? std::string() : m_guidance->label(asked.branch)});
    e.networkRows = int(p.answers.size()) * images();
    for (const auto& [asked, answer] : p.answers) {
        m_run.sharedEvaluations += answer.isShared ? 1 : 0;
        e.rowsInCall = std::max(e.rowsInCall, answer.rowsInCall);
        e.milliseconds += answer.milliseconds;
        if (!answer.attention.empty()) e.attention = answer.attention;
    }
    for (auto& image : e.attention)
        for (AttentionMap& map : image) map.probabilities = keep(map.probabilities);
}

void ActiveRun::advanced(const Tensor& x, const NoiseLevel& to, bool stochastic) {
    auto step = std::make_shared<Step>();
    step->index = to.index - 1;
    step->from = m_sampling->levels()[std::size_t(step->index)];
    step->to = to.tau;
    m_record.levels = m_sampling->levels();  // a sampler may have chosen its own
    step->state = keep(download(x));
    step->stochastic = stochastic;
    m_record.steps.push_back(step);
    if (std::size_t(step->index) < m_emittedSteps) return;
    m_emittedSteps = std::size_t(step->index) + 1;
    RunEvent e;
    e.kind = RunEventKind::Stepped;
    e.runId = id();
    e.step = to.index;
    e.steps = m_sampling->steps();
    countEvaluations(e);
    e.secondsLeft = secondsLeft();
    e.stepRecord = step;
    m_sink(e);
}

void ActiveRun::emitEvaluation(std::shared_ptr<const Evaluation> e) {
    if (std::size_t(e->index) < m_emittedEvaluations) return;
    m_emittedEvaluations = std::size_t(e->index) + 1;
    RunEvent event;
    event.kind = RunEventKind::Evaluated;
    event.runId = id();
    event.step = e->step;
    event.steps = m_sampling->steps();
    countEvaluations(event);
    event.secondsLeft = secondsLeft();
    if (const auto now = Clock::now(); m_showsPreviews && m_previews.isDue(now)) {
        event.preview = applyPixelMap(*m_plan.model.pixels, e->denoised);
        m_previews.decoded(now, Clock::now());
    }
    event.evaluationRecord = std::move(e);
    m_sink(event);
}

// As the plan and the finished run count: every question to the network, for one image. A sampler that chooses its
// steps may need more than was planned.
void ActiveRun::countEvaluations(RunEvent& e) const {
    e.evaluation = m_run.evaluations;
    e.evaluations = std::max(m_plan.evaluations, m_run.evaluations);
}

double ActiveRun::secondsLeft() const {
    const int did = int(m_record.evaluations.size());
    if (did == 0) return m_plan.seconds;
    const double elapsed = std::chrono::duration<double>(Clock::now() - m_started).count();
    return elapsed / did * std::max(0, m_plan.requests - did);
}

// A branch that does not replay still lets its rules see the steps it takes over.
void ActiveRun::watchRecord(const Trajectory& old, int step) {
    if (!m_parent->recipe.recordStates) return;
    for (const auto& e : old.evaluations) {
        if (e->step >= step || !e->state) continue;
        const DenoiseRequest seen{upload(m_backend, e->state), e->tau, levelAt(old, e->step + 1), {}, e->step};
        GuidanceMoment m = momentOf(m_plan, seen, int(old.levels.size()) - 1);
        m.isFirst = !m_guidance->hasSeen();
        m.isStepStart = m_lastStep != e->step;
        m.model = &m_model;
        m.clean = m_clean;
        m_lastStep = e->step;
        m_guidance->replay(m, *e, m_backend);
    }
}

}  // namespace meander
