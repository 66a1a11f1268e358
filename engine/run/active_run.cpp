#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/run/branching.h"
#include "engine/run/driver.h"
#include "engine/sampling/manifold_kit.h"

namespace meander {

using Clock = std::chrono::steady_clock;

ActiveRun::ActiveRun(Plan plan, Run run, std::shared_ptr<const Run> parent, Model& model, Backend& backend, Engine::Sink& sink)
    : m_plan(std::move(plan)), m_run(std::move(run)), m_parent(std::move(parent)), m_model(model), m_backend(backend), m_sink(sink), m_started(Clock::now()) {
    const Recipe& r = m_plan.resolved;
    if (m_plan.model.conditioning != ConditioningKind::None) {
        m_conditional = m_model.condition({r.prompt, r.classIndex, m_plan.model.conditioning == ConditioningKind::Class && !r.classIndex});
        m_unconditional = m_model.condition({r.negativePrompt, {}, r.negativePrompt.empty()});
        if (m_conditional) m_record.tokens = m_conditional->tokens;
    }
    m_record.levels = m_plan.levels;
    m_record.sites = m_plan.model.attention;
    begin();
}

void ActiveRun::begin() {
    const Recipe& r = m_plan.resolved;
    if (m_parent && !restoresHistory(r, *m_parent)) return beginAtBranch();
    m_noise = makeNoise(r.noise, noiseContext());
    const Tensor start = startState();
    m_record.initial = download(start);
    if (m_parent)
        while (m_replayUntil < m_parent->trajectory->evaluations.size() && m_parent->trajectory->evaluations[m_replayUntil]->step < r.branch->step) ++m_replayUntil;
    begin(start, 0);
}

// The data that the run starts from, one row for each picture; empty when it starts from noise or from a state in between.
Tensor ActiveRun::startData() const {
    const StartPoint& p = m_plan.start;
    const Recipe& r = m_plan.resolved;
    HostTensor data = p.isDrawn ? m_model.drawData(r.images, r.seed, {r.prompt, r.classIndex, false}) : p.pictures ? m_model.encode(p.pictures) : p.tau == 0 ? p.state : HostTensor();
    if (!data) return {};
    const Tensor rows = upload(m_backend, data).converted(m_plan.model.stateType);
    if (rows.rows() == r.images) return rows;
    const std::vector<Tensor> copies(std::size_t(r.images), rows);
    return stackRows(copies);
}

// y at the first level: noise, data with noise on it (on a curved space: the point between both on their geodesic), or what another run left.
Tensor ActiveRun::startState() {
    const ModelInfo& m = m_plan.model;
    const double tau = m_plan.levels.front();
    m_clean = startData();
    if (m_plan.start.tau > 0) {
        const Tensor state = upload(m_backend, m_plan.start.state).converted(m.stateType);
        const std::vector<Tensor> copies(std::size_t(state.rows() == 1 ? m_plan.resolved.images : 1), state);
        return stackRows(copies);
    }
    if (m_clean && tau == 0) return m_clean;
    const Tensor unit = m_noise->initial();
    if (const Manifold& space = m.process.manifold(); !space.isFlat()) {
        const Tensor prior = priorOf(space, unit);
        return m_clean ? alongGeodesic(space, m_clean, prior, tau / m.process.maximum()) : prior;
    }
    if (m_clean) return combine({{m.process.signal(tau), m_clean}, {tau, unit}});
    return makeFirstState(firstState(m_plan.resolved.noise, m.process, tau, m.sigmaData, m.stateShape[-1]), unit);
}

// Sampler or noise differ from the parent's: its steps are taken over as they are and the sampler starts afresh from the recorded state.
void ActiveRun::beginAtBranch() {
    const int step = m_plan.resolved.branch->step;
    const Trajectory& old = *m_parent->trajectory;
    m_record.initial = old.initial;
    for (const auto& e : old.evaluations)
        if (e->step < step) {
            auto copy = std::make_shared<Evaluation>(*e);
            copy->replayed = true;
            m_record.evaluations.push_back(copy);
        }
    m_record.steps.assign(old.steps.begin(), old.steps.begin() + step);
    // Noise that is drawn in order goes on behind the first state's and what the steps so far drew.
    m_noise = makeNoise(m_plan.resolved.noise, noiseContext());
    m_noise->initial();
    m_noise->skip(int(std::count_if(m_record.steps.begin(), m_record.steps.end(), [](const auto& s) { return s->stochastic; })));
    m_clean = startData();
    begin(upload(m_backend, old.stateAt(step)), step);
}

void ActiveRun::begin(Tensor start, int step) {
    const Choice& sampler = m_plan.resolved.sampler;
    m_sampling = std::make_unique<Sampling>(process(), m_plan.levels, sampler.params, std::move(start), *this, step);
    m_sampling->clean = m_clean;
    m_task = findSampler(sampler.id)->run(*m_sampling);
    resume();
}

void ActiveRun::answered() {
    if (++m_answered < m_sampling->pending().size()) return;
    if (paused && allowance > 0) --allowance;
    resume();
}

void ActiveRun::resume() {
    m_answered = 0;
    m_sampling->clearPending();
    m_task.resume();
}

NoiseContext ActiveRun::noiseContext() const {
    const ModelInfo& m = m_plan.model;
    std::vector<std::int64_t> extents{m_plan.resolved.images};
    for (auto e : m.stateShape.extents()) extents.push_back(e);
    NoiseContext c{m_backend, Shape(extents), m.stateType, m.state == StateKind::Image, m_plan.resolved.seed};
    std::tie(c.tauMin, c.tauMax) = levelRange(m_plan.levels);
    c.rising = m_plan.levels.back() > m_plan.levels.front();
    return c;
}

Tensor ActiveRun::noise(const NoiseRequest& q, const Tensor&) { return m_noise->step(q); }

void ActiveRun::advanced(const Tensor& x, const Level& to, bool stochastic) {
    auto step = std::make_shared<Step>();
    step->index = to.index - 1;
    step->from = m_sampling->levels()[std::size_t(step->index)];
    step->to = to.tau;
    m_record.levels = m_sampling->levels();  // a sampler may have chosen its own
    step->state = download(x);
    step->stochastic = stochastic;
    m_record.steps.push_back(step);
    RunEvent e;
    e.kind = RunEventKind::Stepped;
    e.runId = id();
    e.step = to.index;
    e.steps = m_sampling->steps();
    e.evaluation = int(m_record.evaluations.size());
    e.evaluations = m_plan.requests;
    e.secondsLeft = secondsLeft();
    e.stepRecord = step;
    m_sink(e);
}

std::vector<Branch> ActiveRun::branches(const DenoiseRequest& q) const {
    std::vector<Branch> list{Branch::Conditional};
    if (m_plan.model.conditioning == ConditioningKind::None) return list;
    const Recipe& r = m_plan.resolved;
    const bool both = findSampler(r.sampler.id)->unconditional || std::any_of(r.guidance.begin(), r.guidance.end(), [&](const Choice& g) {
                          return findGuidance(g.id)->needsUnconditional(g.params, process().logSnr(q.tau), double(q.step) / m_sampling->steps());
                      });
    if (both) list.push_back(Branch::Unconditional);
    return list;
}

bool ActiveRun::answerFromRecord() {
    const std::size_t index = m_record.evaluations.size();
    if (index >= m_replayUntil) return false;
    auto e = std::make_shared<Evaluation>(*m_parent->trajectory->evaluations[index]);
    DenoiseRequest& q = pending().front();
    // The same code on the same numbers asks the same question; if not, the record is of another program or machine, and the live network takes over.
    if (!download(q.x).sameBits(e->state) || q.tau != e->tau) {
        m_replayUntil = index;
        return false;
    }
    e->replayed = true;
    q.answer.denoised = upload(m_backend, e->denoised);
    q.answer.conditional = q.answer.denoised;
    for (const auto& b : e->branches) (b.branch == Branch::Conditional ? q.answer.conditional : q.answer.unconditional) = upload(m_backend, b.denoised);
    m_record.evaluations.push_back(e);
    emitEvaluation(e);
    answered();
    return true;
}

void ActiveRun::answer(const std::vector<Branch>& branches, Outcome outcome) {
    DenoiseRequest& q = pending().front();
    const Recipe& r = m_plan.resolved;
    GuidanceParts parts;
    for (std::size_t i = 0; i < branches.size(); ++i) (branches[i] == Branch::Conditional ? parts.conditional : parts.unconditional) = outcome.denoised[i];
    parts.combined = parts.conditional;
    const GuidanceMoment moment{process(), q.tau, q.step, m_sampling->steps(), q.x};
    double weight = 1;
    if (parts.unconditional)
        for (const auto& g : r.guidance) {
            const auto* rule = findGuidance(g.id);
            rule->apply(g.params, moment, parts);
            weight *= rule->weight(g.params, process().logSnr(q.tau), double(q.step) / m_sampling->steps());
        }
    q.answer = {parts.combined, parts.conditional, parts.unconditional};
    record(q, branches, outcome, q.answer, weight);
    answered();
}

void ActiveRun::record(const DenoiseRequest& q, const std::vector<Branch>& branches, const Outcome& outcome, const Answer& answer, double weight) {
    auto e = std::make_shared<Evaluation>();
    e->index = int(m_record.evaluations.size());
    e->step = q.step;
    e->tau = q.tau;
    e->sigma = process().sigma(q.tau);
    e->logSnr = process().logSnr(q.tau);
    e->networkTime = conversionAt(process(), m_plan.model.parametrization, q.tau, m_plan.model.sigmaData).time;
    e->state = download(q.x);
    e->denoised = download(answer.denoised);
    for (const double v : m_backend.reduceRows(kernels::Reduction::SumAbs, answer.denoised))
        if (!std::isfinite(v))
            throw Failure("The estimate became not a number (NaN) or infinite in step " + std::to_string(q.step + 1) + ". Lower the guidance scale, use more steps, or choose precision f32.");
    if (branches.size() > 1 && m_plan.resolved.recordStates)
        for (std::size_t i = 0; i < branches.size(); ++i) e->branches.push_back({branches[i], download(outcome.denoised[i])});
    e->guidanceWeight = weight;
    e->networkRows = int(branches.size()) * images();
    e->rowsInCall = outcome.rowsInCall;
    e->milliseconds = outcome.milliseconds;
    e->attention = outcome.attention;
    m_run.evaluations += int(branches.size());
    m_record.evaluations.push_back(e);
    emitEvaluation(e);
}

void ActiveRun::emitEvaluation(std::shared_ptr<const Evaluation> e) {
    RunEvent event;
    event.kind = RunEventKind::Evaluated;
    event.runId = id();
    event.step = e->step;
    event.steps = m_sampling->steps();
    event.evaluation = int(m_record.evaluations.size());
    event.evaluations = m_plan.requests;
    event.secondsLeft = secondsLeft();
    // Decoding every estimate of a fast run would cost more than it shows: 30 previews a second are enough.
    const auto now = Clock::now();
    if (m_plan.model.state == StateKind::Image && now - m_lastPreview > std::chrono::milliseconds(33)) {
        m_lastPreview = now;
        event.preview = m_model.decode(e->denoised);
    }
    event.evaluationRecord = std::move(e);
    m_sink(event);
}

double ActiveRun::secondsLeft() const {
    const int did = int(m_record.evaluations.size());
    if (did == 0) return m_plan.seconds;
    const double elapsed = std::chrono::duration<double>(Clock::now() - m_started).count();
    return elapsed / did * std::max(0, m_plan.requests - did);
}

std::shared_ptr<const Run> ActiveRun::snapshot(RunStatus status, const std::string& problem) {
    auto run = std::make_shared<Run>(m_run);
    run->status = status;
    run->problem = problem;
    run->seconds = std::chrono::duration<double>(Clock::now() - m_started).count();
    run->trajectory = std::make_shared<const Trajectory>(m_record);
    if (m_plan.model.state == StateKind::Image && status != RunStatus::Queued && !m_record.steps.empty()) run->pictures = m_model.decode(m_record.last());
    return run;
}

}  // namespace meander
