#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/guidance/rule_common.h"
#include "engine/run/branching.h"
#include "engine/run/driver.h"
#include "engine/sampling/manifold_common.h"

namespace meander {

using Clock = std::chrono::steady_clock;

ActiveRun::ActiveRun(Plan plan, Run run, std::shared_ptr<const Run> parent, std::vector<Model*> models,
                     Backend& backend, Engine::Sink& sink)
    : m_plan(std::move(plan)),
      m_run(std::move(run)),
      m_parent(std::move(parent)),
      m_models(std::move(models)),
      m_model(*m_models.front()),
      m_backend(backend),
      m_sink(sink),
      m_guidance(m_plan, m_models),
      m_started(Clock::now()) {
    if (const ConditioningPtr c = m_guidance.conditioning(Branch::Conditional)) m_record.tokens = c->tokens;
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
        while (m_replayUntil < m_parent->trajectory->evaluations.size()
               && m_parent->trajectory->evaluations[m_replayUntil]->step < r.branch->step)
            ++m_replayUntil;
    begin(start, 0);
}

// The data that the run starts from, one row for each image; empty when it starts from noise or from a state in
// between.
Tensor ActiveRun::startData() const {
    const StartPoint& p = m_plan.start;
    const Recipe& r = m_plan.resolved;
    HostTensor data = p.isDrawn    ? m_model.drawData(r.images, r.seed, {r.prompt, r.classIndex, false})
                      : p.images   ? m_model.encode(p.images)
                      : p.tau == 0 ? p.state
                                   : HostTensor();
    if (!data) return {};
    const Tensor rows = upload(m_backend, data).converted(m_plan.model.stateType);
    if (rows.rows() == r.images) return rows;
    const std::vector<Tensor> copies(std::size_t(r.images), rows);
    return stackRows(copies);
}

// y at the first level: noise, data with noise on it (on a curved space: the point between both on their geodesic), or
// what another run left.
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

// Sampler or noise differ from the parent's: its steps are taken over as they are and the sampler starts afresh from
// the recorded state.
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
    m_noise->skip(
        int(std::count_if(m_record.steps.begin(), m_record.steps.end(), [](const auto& s) { return s->stochastic; })));
    m_clean = startData();
    watchRecord(old, step);
    begin(upload(m_backend, old.stateAt(step)), step);
}

void ActiveRun::begin(Tensor start, int step) {
    const Choice& sampler = m_plan.resolved.sampler;
    m_sampling = std::make_unique<Sampling>(process(), m_plan.levels, sampler.params, std::move(start), *this, step);
    m_sampling->clean = m_clean;
    m_task = findSampler(sampler.id)->run(*m_sampling);
    resume();
}

void ActiveRun::answered(int step) {
    m_lastStep = step;
    if (!m_progress.empty()) m_progress.pop_front();
    if (++m_answered < m_sampling->pending().size()) return;
    if (paused && stepBudget > 0) --stepBudget;
    resume();
}

void ActiveRun::resume() {
    m_answered = 0;
    m_progress.clear();
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

void ActiveRun::advanced(const Tensor& x, const NoiseLevel& to, bool stochastic) {
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
    countEvaluations(e);
    e.secondsLeft = secondsLeft();
    e.stepRecord = step;
    m_sink(e);
}

GuidanceMoment ActiveRun::moment(std::size_t k) const {
    const auto all = m_sampling->pending();
    const DenoiseRequest& q = all[m_answered + k];
    const std::optional<int> before = m_answered + k > 0 ? std::optional(all[m_answered + k - 1].step) : m_lastStep;
    GuidanceMoment m = momentOf(m_plan, q, m_sampling->steps());
    m.isFirst = k == 0 && !m_guidance.hasSeen();
    m.isStepStart = before != q.step;
    m.isOwnState = q.x.view().data == m_sampling->x.view().data;
    m.model = &m_model;
    m.clean = m_clean;
    return m;
}

RequestProgress& ActiveRun::progress(std::size_t k) {
    while (m_progress.size() <= k) m_progress.emplace_back();
    return m_progress[k];
}

const std::vector<RowGroup>& ActiveRun::waiting(std::size_t k) {
    m_guidance.ask(progress(k), moment(k));
    return progress(k).waiting;
}

void ActiveRun::deliver(std::size_t k, std::vector<GroupAnswer> answers) {
    m_guidance.take(progress(k), moment(k), std::move(answers));
}

void ActiveRun::answerComplete() {
    while (!done() && !m_progress.empty() && m_progress.front().isAsked && m_progress.front().waiting.empty())
        answerFirst();
}

// Writes into the state itself: whoever holds it, the sampler's own copies of the handle too, goes on from the rows
// that were chosen.
static void selectRows(const Tensor& state, const std::vector<std::int64_t>& rows) {
    state.backend().copy(gatheredRows(state, rows), state);
}

void ActiveRun::answerFirst() {
    DenoiseRequest& q = pending().front();
    const GuidanceMoment m = moment(0);
    const double weight = m_guidance.weight(m);
    GuidanceParts parts = m_guidance.combine(m_progress.front(), m);
    q.answer = {parts.combined, parts.conditional, parts.unconditional};
    record(q, m_progress.front(), parts, weight);
    if (!parts.ancestors.empty()) {
        q.answer.conditional = gatheredRows(q.answer.conditional, parts.ancestors);
        if (q.answer.unconditional) q.answer.unconditional = gatheredRows(q.answer.unconditional, parts.ancestors);
        selectRows(q.x, parts.ancestors);
    }
    answered(q.step);
}

bool ActiveRun::answerFromRecord() {
    const std::size_t index = m_record.evaluations.size();
    if (index >= m_replayUntil) return false;
    auto e = std::make_shared<Evaluation>(*m_parent->trajectory->evaluations[index]);
    DenoiseRequest& q = pending().front();
    // The same code on the same numbers asks the same question; if not, the record is of another program or machine,
    // and the live network takes over.
    if (!download(q.x).sameBits(e->state) || q.tau != e->tau) {
        m_replayUntil = index;
        return false;
    }
    // CFG++ steps with the unconditional estimate, which a record without states does not hold.
    if (findSampler(m_plan.resolved.sampler.id)->unconditional && !m_parent->recipe.recordStates) {
        m_replayUntil = index;
        return false;
    }
    e->replayed = true;
    q.answer.denoised = q.answer.conditional = upload(m_backend, e->denoised);
    if (m_parent->recipe.recordStates) {
        const GuidanceParts parts = m_guidance.replay(moment(0), *e, m_backend);
        q.answer.conditional = parts.conditional;
        q.answer.unconditional = parts.unconditional;
    }
    if (!e->ancestors.empty()) {
        q.answer.conditional = gatheredRows(q.answer.conditional, e->ancestors);
        if (q.answer.unconditional) q.answer.unconditional = gatheredRows(q.answer.unconditional, e->ancestors);
        selectRows(q.x, e->ancestors);
    }
    m_record.evaluations.push_back(e);
    emitEvaluation(e);
    answered(q.step);
    return true;
}

// A branch that does not replay still lets its rules see the steps it takes over.
void ActiveRun::watchRecord(const Trajectory& old, int step) {
    if (!m_parent->recipe.recordStates) return;
    for (const auto& e : old.evaluations) {
        if (e->step >= step || !e->state) continue;
        const DenoiseRequest seen{
            upload(m_backend, e->state), e->tau, old.levels[std::size_t(e->step) + 1], {}, e->step};
        GuidanceMoment m = momentOf(m_plan, seen, int(old.levels.size()) - 1);
        m.isFirst = !m_guidance.hasSeen();
        m.isStepStart = m_lastStep != e->step;
        m.model = &m_model;
        m.clean = m_clean;
        m_lastStep = e->step;
        m_guidance.replay(m, *e, m_backend);
    }
}

// A network that answers plain questions with NaN is at fault itself; only a combination can be cured by milder
// guidance.
static std::string remedyForNan(const DenoiseRequest& q, const RequestProgress& p) {
    const auto isFinite = [](const Tensor& t) {
        const auto sums = t.backend().reduceRows(kernels::Reduction::SumAbs, t);
        return std::all_of(sums.begin(), sums.end(), [](double v) { return std::isfinite(v); });
    };
    if (!isFinite(q.x))
        return "The state itself had become so before: use more steps, a milder sampler setting, or a lower first "
               "level.";
    for (const auto& [asked, answer] : p.answers)
        if (!isFinite(answer.denoised))
            return "The network itself returned it for a finite state, so its weights are damaged or overflow: choose "
                   "precision f32, or another copy of the model.";
    return "The network's own answers are finite: lower the guidance scale.";
}

void ActiveRun::record(const DenoiseRequest& q, const RequestProgress& p, const GuidanceParts& parts, double weight) {
    auto e = std::make_shared<Evaluation>();
    e->index = int(m_record.evaluations.size());
    e->step = q.step;
    e->tau = q.tau;
    e->sigma = process().sigma(q.tau);
    e->logSnr = process().logSnr(q.tau);
    e->networkTime =
        conversionAt(process(), m_plan.model.parametrization, q.networkTau.value_or(q.tau), m_plan.model.sigmaData)
            .time;
    e->state = download(q.x);
    e->denoised = download(parts.combined);
    for (const double v : m_backend.reduceRows(kernels::Reduction::SumAbs, parts.combined))
        if (!std::isfinite(v))
            throw Failure("The estimate became not a number (NaN) or infinite in step " + std::to_string(q.step + 1)
                          + ". " + remedyForNan(q, p));
    const bool isPlain =
        p.answers.size() == 1 && parts.combined.view().data == p.answers.front().second.denoised.view().data;
    if (!isPlain && m_plan.resolved.recordStates)
        for (const auto& [asked, answer] : p.answers)
            e->branches.push_back(
                {asked.branch, download(answer.denoised),
                 asked.branch.kind <= Branch::Unconditional ? std::string() : m_guidance.label(asked.branch)});
    e->guidanceWeight = weight;
    e->metrics = parts.metrics;
    e->ancestors = parts.ancestors;
    e->networkRows = int(p.answers.size()) * images();
    for (const auto& [asked, answer] : p.answers) {
        e->rowsInCall = std::max(e->rowsInCall, answer.rowsInCall);
        e->milliseconds += answer.milliseconds;
        if (!answer.attention.empty()) e->attention = answer.attention;
    }
    m_run.evaluations += int(p.answers.size());
    m_record.evaluations.push_back(e);
    emitEvaluation(e);
}

void ActiveRun::emitEvaluation(std::shared_ptr<const Evaluation> e) {
    RunEvent event;
    event.kind = RunEventKind::Evaluated;
    event.runId = id();
    event.step = e->step;
    event.steps = m_sampling->steps();
    countEvaluations(event);
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

std::shared_ptr<const Run> ActiveRun::snapshot(RunStatus status, const std::string& problem) {
    auto run = std::make_shared<Run>(m_run);
    run->status = status;
    run->problem = problem;
    run->seconds = std::chrono::duration<double>(Clock::now() - m_started).count();
    run->peakBytes = m_backend.memoryUse().peak;
    run->trajectory = std::make_shared<const Trajectory>(m_record);
    if (m_plan.model.state == StateKind::Image && status != RunStatus::Queued && !m_record.steps.empty()) {
        // Of a run that did not come to its end the state is mostly noise; its last estimate is what it was about to
        // draw.
        const bool isWhole =
            status == RunStatus::Finished || m_record.evaluations.empty() || !m_record.evaluations.back()->denoised;
        run->images = m_model.decode(isWhole ? m_record.last() : m_record.evaluations.back()->denoised);
    }
    return run;
}

}  // namespace meander
