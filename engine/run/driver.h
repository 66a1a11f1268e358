// The driver answers what samplers ask. It packs the requests of all active runs, each at its own noise level, into
// shared network calls, applies guidance, records every evaluation, and answers from a parent's record where a run
// replays it. Engine thread only.
#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "engine/run/engine.h"
#include "engine/run/run_guidance.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"

namespace meander {

// One run in progress.
class ActiveRun : public Sampling::Host {
public:
    // Throws Failure (conditioning). `run` has recipe, model, id set; `models`: the recipe's, then the plan's further
    // ones.
    ActiveRun(Plan plan, Run run, std::shared_ptr<const Run> parent, std::vector<Model*> models, Backend& backend,
              Engine::Sink& sink);

    const std::string& id() const { return m_run.id; }
    bool done() const { return m_task.done(); }
    bool paused = false;
    std::string problem;  // not empty: failed
    int stepBudget = 0;   // evaluations that a paused run may still do (single step)

    // The requests that still wait for an answer, in order; empty when done. They are answered first to last.
    std::span<DenoiseRequest> pending() const { return m_sampling->pending().subspan(m_answered); }
    // Answers the first from the parent's record if that covers it.
    bool answerFromRecord();
    // Rows that the k-th pending request still needs; none when it only waits for its turn.
    const std::vector<RowGroup>& waiting(std::size_t k);
    int rowsWaiting(std::size_t k) { return int(waiting(k).size()) * images(); }
    // Answers to all that waited in the k-th pending request.
    void deliver(std::size_t k, std::vector<GroupAnswer> answers);
    // Combines and records the requests that have all they need, first to last, and resumes the sampler when none waits
    // any more.
    void answerComplete();
    bool recordsAttention() const {
        return m_plan.resolved.attention != AttentionLevel::Off && !m_plan.model.attention.empty();
    }
    AttentionLevel attentionLevel() const { return m_plan.resolved.attention; }
    int images() const { return m_plan.resolved.images; }
    const Process& process() const { return m_plan.model.process; }

    // The run as it is now, to be published. Shares the records.
    std::shared_ptr<const Run> snapshot(RunStatus status, const std::string& problem = {});
    void countCall() { ++m_run.networkCalls; }
    const Plan& plan() const { return m_plan; }

private:
    Tensor noise(const NoiseRequest& request, const Tensor& like) override;
    void advanced(const Tensor& x, const NoiseLevel& to, bool stochastic) override;
    void begin();
    void beginAtBranch();
    void begin(Tensor start, int step);
    NoiseContext noiseContext() const;
    Tensor startState();
    Tensor startData() const;
    // What guidance is told of the k-th pending request.
    GuidanceMoment moment(std::size_t k) const;
    RequestProgress& progress(std::size_t k);
    void answerFirst();
    void answered(int step);
    void resume();
    void record(const DenoiseRequest& q, const RequestProgress& p, const GuidanceParts& parts, double weight);
    void watchRecord(const Trajectory& old, int step);
    void emitEvaluation(std::shared_ptr<const Evaluation> e);
    void countEvaluations(RunEvent& e) const;
    double secondsLeft() const;

    Plan m_plan;
    Run m_run;
    std::shared_ptr<const Run> m_parent;
    std::vector<Model*> m_models;
    Model& m_model;
    Backend& m_backend;
    Engine::Sink& m_sink;
    RunGuidance m_guidance;
    std::deque<RequestProgress> m_progress;  // of the pending requests
    std::optional<int> m_lastStep;           // of the request answered last
    Trajectory m_record;
    std::unique_ptr<NoiseSource> m_noise;
    Tensor m_clean;  // data that the run starts from
    std::unique_ptr<Sampling> m_sampling;
    SamplerTask m_task;
    std::size_t m_answered = 0;     // of the sampler's pending requests
    std::size_t m_replayUntil = 0;  // evaluations of the parent's record to answer from
    std::chrono::steady_clock::time_point m_started, m_lastPreview;
};

// The first `requests` pending requests of a run.
struct BatchItem {
    ActiveRun* run;
    std::size_t requests;
};
// One packed call of each model that these need (no run paused or done). Returns the rows of all calls.
int evaluateTogether(Backend& backend, const std::vector<BatchItem>& items);

}  // namespace meander
