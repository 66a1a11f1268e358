// One run in progress: starts its sampler, answers the sampler's requests from the network or from a record, records
// every evaluation and step, and tells of them. Engine thread only.
#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/run/engine.h"
#include "engine/run/preview_pace.h"
#include "engine/run/run_guidance.h"
#include "engine/run/run_queue.h"
#include "engine/run/shared_work.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/tensor/spilling_store.h"

namespace meander {

class ActiveRun : public Sampling::Host {
public:
    // Throws Failure (conditioning). `models`: the recipe's, then the plan's further ones. `shared`: of its group, null
    // without one.
    ActiveRun(const WaitingRun& waiting, Run run, std::vector<Model*> models, Backend& backend,
              const EngineOptions& options, const Engine::Sink& sink, SharedWork* shared);
    ~ActiveRun();

    const std::string& id() const { return m_run.id; }
    const Plan& plan() const { return m_plan; }
    RunPriority priority() const { return m_priority; }
    const std::string& group() const { return m_group; }
    SharedWork* shared() const { return m_shared; }
    bool done() const { return m_task.done(); }
    bool paused = false;
    int stepBudget = 0;  // evaluations that a paused run may still do (single step)

    // --- requests ---
    // Those that still wait for an answer, in order; empty when done. They are answered first to last.
    std::span<DenoiseRequest> pending() const { return m_sampling->pending().subspan(m_answered); }
    // Answers the first from the record, if that covers it.
    bool answerFromRecord();
    // Of those that the sampler awaits at once: how many have their answer.
    std::size_t answeredRequests() const { return m_answered; }
    // Rows that the k-th pending request still needs; none when it only waits for its turn.
    const std::vector<RowGroup>& waiting(std::size_t k);
    int rowsWaiting(std::size_t k) { return int(waiting(k).size()) * images(); }
    // Answers to all that waited in the k-th pending request.
    void deliver(std::size_t k, std::vector<GroupAnswer> answers);
    // Combines and records the requests that have all they need, first to last, and resumes the sampler when none waits
    // any more.
    void answerComplete();

    // --- images ---
    // Decodes one image of a run that is done; true when all are decoded. One at a time, so that network calls of other
    // runs come between.
    bool decodeNext();

    // --- failures ---
    void fail(const std::exception& e);
    bool hasFailed() const { return m_failure.has_value(); }
    const Error& failure() const { return *m_failure; }
    // It failed for want of memory, after doing something since the last time, and its record says all that is needed.
    bool canBeRescued() const;
    // Starts the sampler again and answers it from the run's own record, so that it goes on where it failed, with the
    // same numbers. Throws what a start throws.
    void rescue();

    // --- what others need to know ---
    bool recordsAttention() const {
        return m_plan.resolved.attention != AttentionLevel::Off && !m_plan.model.attention.empty();
    }
    AttentionLevel attentionLevel() const { return m_plan.resolved.attention; }
    int images() const { return m_plan.resolved.images; }
    const Process& process() const { return m_plan.model.process; }
    void countCall() { ++m_run.networkCalls; }
    void notePeak(std::size_t bytes) { m_run.peakBytes = std::max(m_run.peakBytes, bytes); }
    // The run as it is now, to be published. Shares the records. Of an ended run, images are decoded.
    std::shared_ptr<const Run> snapshot(RunStatus status, const std::string& problem = {});

private:
    Tensor noise(const NoiseRequest& request, const Tensor& like) override;
    void advanced(const Tensor& x, const NoiseLevel& to, bool stochastic) override;
    // --- start ---
    void begin();
    void beginAtStart();
    void beginAtBranch();
    bool needsFeatures() const;
    void begin(Tensor start, int step);
    NoiseContext noiseContext() const;
    Tensor startState();
    Tensor startData() const;
    // --- answers ---
    // What guidance is told of the k-th pending request.
    GuidanceMoment moment(std::size_t k) const;
    RequestProgress& progress(std::size_t k);
    void answerFirst();
    // Of the first pending request: takes the answer of the record, which is e.
    void takeRecorded(std::shared_ptr<Evaluation> e);
    // An evaluation of the record from which hooks need features: it is made again, and its answer not used.
    bool isWarmUp(std::size_t index) const { return index >= m_warmFrom && index < m_replayUntil; }
    void answered(int step);
    void resume();
    // --- record ---
    void record(const DenoiseRequest& q, const RequestProgress& p, const GuidanceParts& parts, double weight);
    void recordAnswers(Evaluation& e, const RequestProgress& p, const GuidanceParts& parts);
    void watchRecord(const Trajectory& old, int step);
    const Trajectory& wholeRecord() const;
    HostTensor keep(HostTensor t) { return m_memory.keep(std::move(t)); }
    HostTensor keepState(const Tensor& y);
    void emitEvaluation(std::shared_ptr<const Evaluation> e);
    void countEvaluations(RunEvent& e) const;
    double secondsLeft() const;
    bool isDecoded() const;

    Plan m_plan;
    Run m_run;
    std::shared_ptr<const Run> m_parent;
    std::vector<Model*> m_models;
    Model& m_model;
    Backend& m_backend;
    const Engine::Sink& m_sink;
    const RunPriority m_priority;
    const std::string m_group;
    SharedWork* const m_shared;

    std::optional<RunGuidance> m_guidance;
    std::deque<RequestProgress> m_progress;  // of the pending requests
    std::optional<int> m_lastStep;           // of the request answered last
    std::unique_ptr<NoiseSource> m_noise;
    Tensor m_clean;  // data that the run starts from
    std::unique_ptr<Sampling> m_sampling;
    SamplerTask m_task;
    std::size_t m_answered = 0;  // of the sampler's pending requests

    Trajectory m_record;
    std::vector<HostTensor> m_images;  // decoded so far
    SpillingStore m_memory;            // of the record
    // Answers are taken from `m_source` until its evaluation m_replayUntil: a parent's record, or the run's own from
    // before it was interrupted.
    std::shared_ptr<const Trajectory> m_source;
    std::size_t m_replayUntil = 0;
    std::size_t m_warmFrom = 0;  // where it is m_replayUntil, the record alone suffices
    bool m_isOwnRecord = false;
    std::size_t m_emittedEvaluations = 0, m_emittedSteps = 0;

    std::optional<Error> m_failure;
    bool m_lacksMemory = false;
    std::size_t m_rescuedAt = 0;  // evaluations at the last rescue, and one more
    std::chrono::steady_clock::time_point m_started;
    double m_secondsBefore = 0;  // of a resumed run
    bool m_showsPreviews;
    PreviewPace m_previews;
};

}  // namespace meander
