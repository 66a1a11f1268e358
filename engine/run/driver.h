// The driver answers what samplers ask. It packs the requests of all active runs, each at its own noise level, into shared network calls, applies guidance,
// records every evaluation, and answers from a parent's record where a run replays it. Engine thread only.
#pragma once
#include <chrono>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "engine/run/engine.h"
#include "engine/sampling/noise/noise.h"
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

    // The requests that still wait for an answer, in order; empty when done. They are answered first to last.
    std::span<DenoiseRequest> pending() const { return m_sampling->pending().subspan(m_answered); }
    // Answers the first from the parent's record if that covers it.
    bool answerFromRecord();
    // The branches a request needs, conditional first.
    std::vector<Branch> branches(const DenoiseRequest& q) const;
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
    // The first pending request: combines by guidance, records, and resumes the sampler when it was the last that waited.
    void answer(const std::vector<Branch>& branches, Outcome outcome);

    // The run as it is now, to be published. Shares the records.
    std::shared_ptr<const Run> snapshot(RunStatus status, const std::string& problem = {});
    void countCall() { ++m_run.networkCalls; }
    const Plan& plan() const { return m_plan; }
    void setPeakBytes(std::size_t bytes) { m_run.peakBytes = bytes; }

private:
    Tensor noise(const NoiseRequest& request, const Tensor& like) override;
    void advanced(const Tensor& x, const Level& to, bool stochastic) override;
    void begin();
    void beginAtBranch();
    void begin(Tensor start, int step);
    NoiseContext noiseContext() const;
    Tensor startState();
    Tensor startData() const;
    void answered();
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
    std::unique_ptr<NoiseSource> m_noise;
    Tensor m_clean;  // data that the run starts from
    std::unique_ptr<Sampling> m_sampling;
    SamplerTask m_task;
    std::size_t m_answered = 0;  // of the sampler's pending requests
    std::size_t m_replayUntil = 0;  // evaluations of the parent's record to answer from
    std::chrono::steady_clock::time_point m_started, m_lastPreview;
};

// The first `requests` pending requests of a run.
struct Ask {
    ActiveRun* run;
    std::size_t requests;
};
// One packed call for these (no run paused or done, all of the model). Returns rows of the call.
int evaluateTogether(Model& model, Backend& backend, const std::vector<Ask>& asks);

}  // namespace meander
