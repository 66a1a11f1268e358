// The driver answers what samplers ask. It packs the requests of all active runs, each at its own noise level, into shared network calls, applies guidance,
// records every evaluation, and answers from a parent's record where a run replays it. Engine thread only.
#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "engine/run/engine.h"
#include "engine/sampling/sampling.h"

namespace meander {

// One run in progress.
class ActiveRun : public Sampling::Host {
public:
    // Throws Failure (conditioning). `run` has recipe, model, id set.
    ActiveRun(Plan plan, Run run, std::shared_ptr<const Run> parent, Model& model, Backend& backend, Engine::Sink& sink);

    const std::string& id() const { return m_run.id; }
    bool done() const { return m_task.done(); }
    bool paused = false;
    std::string problem;  // not empty: failed
    int allowance = 0;  // evaluations that a paused run may still do (single step)

    // The request that waits for an answer; null when done.
    DenoiseRequest* pending() const { return m_sampling->pending(); }
    // Answers it from the parent's record if that covers it.
    bool answerFromRecord();
    // The branches this request needs, conditional first.
    std::vector<Branch> branches() const;
    ConditioningPtr conditioning(Branch b) const { return b == Branch::Conditional ? m_conditional : m_unconditional; }
    bool recordsAttention() const { return m_plan.resolved.attention != AttentionLevel::Off && !m_plan.model.attention.empty(); }
    AttentionLevel attentionLevel() const { return m_plan.resolved.attention; }
    int images() const { return m_plan.resolved.images; }
    const Process& process() const { return m_plan.model.process; }

    struct Outcome {
        std::vector<Tensor> denoised;  // per branch
        std::vector<std::vector<AttentionMap>> attention;
        int rowsInCall = 0;
        double milliseconds = 0;
    };
    // Combines by guidance, records, resumes the sampler to its next request.
    void answer(const std::vector<Branch>& branches, Outcome outcome);

    // The run as it is now, to be published. Shares the records.
    std::shared_ptr<const Run> snapshot(RunStatus status, const std::string& problem = {});
    void countCall() { ++m_run.networkCalls; }
    const Plan& plan() const { return m_plan; }
    void setPeakBytes(std::size_t bytes) { m_run.peakBytes = bytes; }

private:
    Tensor noise(int draw, const Tensor& like) override;
    void advanced(const Tensor& x, const Level& to, bool stochastic) override;
    void begin();
    void beginAtBranch();
    void resume();
    void record(const DenoiseRequest& q, const std::vector<Branch>& branches, const Outcome& outcome, const Answer& answer, double weight);
    void emitEvaluation(std::shared_ptr<const Evaluation> e);
    double secondsLeft() const;

    Plan m_plan;
    Run m_run;
    std::shared_ptr<const Run> m_parent;
    Model& m_model;
    Backend& m_backend;
    Engine::Sink& m_sink;
    ConditioningPtr m_conditional, m_unconditional;
    Trajectory m_record;
    std::unique_ptr<Sampling> m_sampling;
    SamplerTask m_task;
    std::size_t m_replayUntil = 0;  // evaluations of the parent's record to answer from
    std::chrono::steady_clock::time_point m_started, m_lastPreview;
};

// One packed call for the pending requests of these runs (none paused or done, all of the model). Returns rows of the call.
int evaluateTogether(Model& model, Backend& backend, const std::vector<ActiveRun*>& runs);

}  // namespace meander
