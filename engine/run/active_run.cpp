// The life of a run: start, answers, failures, publication.
#include "engine/run/active_run.h"

#include <algorithm>
#include <cmath>

#include "engine/guidance/rule_common.h"
#include "engine/run/branching.h"
#include "engine/run/memory_budget.h"
#include "engine/run/run_failure.h"
#include "engine/run/timing_cache.h"
#include "engine/tensor/joined_rows.h"

namespace meander {

using Clock = std::chrono::steady_clock;

ActiveRun::ActiveRun(const WaitingRun& waiting, Run run, std::vector<Model*> models, Backend& backend,
                     const EngineOptions& options, const Engine::Sink& sink, SharedWork* shared)
    : paused(waiting.paused),
      stepBudget(waiting.stepBudget),
      m_plan(waiting.plan),
      m_run(std::move(run)),
      m_parent(waiting.parent),
      m_models(std::move(models)),
      m_model(*m_models.front()),
      m_backend(backend),
      m_sink(sink),
      m_priority(waiting.priority),
      m_group(waiting.group),
      m_shared(shared),
      m_memory(options.recordMemory),
      m_started(Clock::now()),
      m_secondsBefore(m_run.seconds),
      m_showsPreviews(options.preview) {
    m_plan.model = modelOf(m_plan.resolved, m_model.info());
    m_showsPreviews = m_showsPreviews && m_plan.model.pixels.has_value();
    if (waiting.interrupted) {
        m_source = waiting.interrupted->trajectory;
        m_isOwnRecord = true;
    } else if (m_parent && m_plan.restoresHistory) {
        m_source = m_parent->trajectory;
    }
    begin();
}

ActiveRun::~ActiveRun() {
    m_progress.clear();
    m_guidance.reset();
    for (Model* model : m_models) model->release();
}

const std::vector<RowGroup>& ActiveRun::waiting(std::size_t k) {
    m_guidance->ask(progress(k), moment(k));
    return progress(k).waiting;
}

void ActiveRun::deliver(std::size_t k, std::vector<GroupAnswer> answers) {
    m_guidance->take(progress(k), moment(k), std::move(answers));
}

void ActiveRun::answerComplete() {
    while (!done() && !m_progress.empty() && m_progress.front().isAsked && m_progress.front().waiting.empty())
        answerFirst();
}

RequestProgress& ActiveRun::progress(std::size_t k) {
    while (m_progress.size() <= k) m_progress.emplace_back();
    return m_progress[k];
}

GuidanceMoment ActiveRun::moment(std::size_t k) const {
    const auto all = m_sampling->pending();
    const DenoiseRequest& q = all[m_answered + k];
    const std::optional<int> before = m_answered + k > 0 ? std::optional(all[m_answered + k - 1].step) : m_lastStep;
    GuidanceMoment m = momentOf(m_plan, q, m_sampling->steps());
    m.isFirst = k == 0 && !m_guidance->hasSeen();
    m.isStepStart = before != q.step;
    m.isOwnState = q.x.view().data == m_sampling->x.view().data;
    m.model = &m_model;
    m.clean = m_clean;
    return m;
}

// Writes into the state itself: whoever holds it, the sampler's own copies of the handle too, goes on from the rows
// that were chosen.
static void selectRows(const Tensor& state, const std::vector<std::int64_t>& rows) {
    state.backend().copy(gatheredRows(state, rows), state);
}

static void selectRows(DenoiseRequest& q, const std::vector<std::int64_t>& rows) {
    if (rows.empty()) return;
    q.answer.conditional = gatheredRows(q.answer.conditional, rows);
    if (q.answer.unconditional) q.answer.unconditional = gatheredRows(q.answer.unconditional, rows);
    selectRows(q.x, rows);
}

void ActiveRun::answerFirst() {
    DenoiseRequest& q = pending().front();
    if (const std::size_t index = m_record.evaluations.size(); isWarmUp(index))
        return takeRecorded(std::make_shared<Evaluation>(*m_source->evaluations[index]));
    const GuidanceMoment m = moment(0);
    const double weight = m_guidance->weight(m);
    GuidanceParts parts = m_guidance->combine(m_progress.front(), m);
    q.answer = {parts.combined, parts.conditional, parts.unconditional};
    record(q, m_progress.front(), parts, weight);
    selectRows(q, parts.ancestors);
    answered(q.step);
}

bool ActiveRun::answerFromRecord() {
    const std::size_t index = m_record.evaluations.size();
    if (index >= m_replayUntil) return false;
    auto e = std::make_shared<Evaluation>(*m_source->evaluations[index]);
    DenoiseRequest& q = pending().front();
    // The same code on the same numbers asks the same question. If not, the record is of another program or machine: a
    // branch goes on with the live network, a run cannot go on as itself.
    if (!download(q.x).sameBits(e->state) || q.tau != e->tau) {
        if (m_isOwnRecord)
            throw Failure("The run cannot go on from its record, which was made by another version of Meander or on "
                          "another device. Run its recipe again.");
        m_replayUntil = index;
        return false;
    }
    if (isWarmUp(index)) return false;
    takeRecorded(std::move(e));
    return true;
}

void ActiveRun::takeRecorded(std::shared_ptr<Evaluation> e) {
    DenoiseRequest& q = pending().front();
    if (!m_isOwnRecord) e->replayed = true;
    else if (!e->replayed) m_run.evaluations += e->networkRows / std::max(1, images());
    q.answer.denoised = q.answer.conditional = upload(m_backend, e->denoised);
    if (m_isOwnRecord || m_parent->recipe.recordStates) {
        const GuidanceParts parts = m_guidance->replay(moment(0), *e, m_backend);
        q.answer.conditional = parts.conditional;
        q.answer.unconditional = parts.unconditional;
        // One tensor where the run itself had one: a sum adds its factors before it rounds.
        if (parts.combined.view().data == parts.conditional.view().data) q.answer.denoised = parts.conditional;
    }
    selectRows(q, e->ancestors);
    m_record.evaluations.push_back(e);
    emitEvaluation(e);
    answered(q.step);
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

void ActiveRun::fail(const std::exception& e) {
    m_failure = errorOf(e);
    m_lacksMemory = isOutOfMemory(e);
}

bool ActiveRun::canBeRescued() const {
    return m_lacksMemory && m_record.evaluations.size() >= m_rescuedAt && canReplay(m_plan.resolved);
}

// While a run catches up with its own record, that is the longer one.
const Trajectory& ActiveRun::wholeRecord() const {
    return m_isOwnRecord && m_source->evaluations.size() > m_record.evaluations.size() ? *m_source : m_record;
}

void ActiveRun::rescue() {
    m_rescuedAt = m_record.evaluations.size() + 1;
    m_source = std::make_shared<const Trajectory>(wholeRecord());
    m_isOwnRecord = true;
    m_failure.reset();
    m_lacksMemory = false;
    begin();
}

std::shared_ptr<const Run> ActiveRun::snapshot(RunStatus status, const std::string& problem) {
    auto run = std::make_shared<Run>(m_run);
    run->status = status;
    run->problem = problem;
    run->seconds = m_secondsBefore + std::chrono::duration<double>(Clock::now() - m_started).count();
    run->peakBytes = std::max(m_run.peakBytes, m_backend.memoryUse().peak);
    const Trajectory& record = wholeRecord();
    run->trajectory = std::make_shared<const Trajectory>(record);
    run->evaluations = 0;
    for (const auto& e : record.evaluations)
        if (!e->replayed) run->evaluations += e->networkRows / std::max(1, images());
    if (record.levels != m_plan.levels) run->plannedLevels = m_plan.levels;
    if (!hasEnded(status) || !m_plan.model.state.isDecodable() || record.steps.empty()) return run;
    // Of a run that did not come to its end the state is mostly noise; its last estimate is what it was about to draw.
    const bool isWhole =
        status == RunStatus::Finished || record.evaluations.empty() || !record.evaluations.back()->denoised;
    run->images = isWhole && isDecoded()
                      ? joinedRows(m_images)
                      : m_model.decode(isWhole ? record.last() : record.evaluations.back()->denoised);
    return run;
}

bool ActiveRun::isDecoded() const {
    return !m_plan.model.state.isDecodable() || m_record.steps.empty()
           || std::int64_t(m_images.size()) == m_record.last().shape()[0];
}

bool ActiveRun::decodeNext() {
    if (isDecoded()) return true;
    const auto start = Clock::now();
    const HostTensor state = m_record.last().rows(std::int64_t(m_images.size()), 1);
    m_images.push_back(m_shared ? m_shared->decode(m_model, state) : m_model.decode(state));
    recordSeconds(m_plan.model, Work::Decode, 1, std::chrono::duration<double>(Clock::now() - start).count());
    return isDecoded();
}

}  // namespace meander
