#include "engine/run/engine.h"

#include "engine/run/engine_thread.h"

namespace meander {

Engine::Engine(EngineOptions options, Sink sink)
    : m_thread(std::make_unique<EngineThread>(std::move(options), std::move(sink))) {}
Engine::~Engine() = default;

Run waitingRunOf(const Submission& s) {
    Run run;
    if (s.interrupted) run = *s.interrupted;
    run.id = !s.id.empty() ? s.id : s.interrupted ? s.interrupted->id : newRunId();
    if (!s.interrupted) {
        run.number = s.number;
        run.name = s.name;
        run.created = nowUtc();
    }
    run.status = RunStatus::Queued;
    run.problem.clear();
    run.trajectory = nullptr;
    run.images = {};
    run.recipe = s.plan.resolved;
    run.model = s.plan.model;
    return run;
}

namespace {

WaitingRun waiting(Submission s) {
    WaitingRun w;
    w.run = waitingRunOf(s);
    w.plan = std::move(s.plan);
    w.parent = std::move(s.parent);
    w.interrupted = std::move(s.interrupted);
    w.paused = s.isPaused;
    w.priority = s.priority;
    w.group = std::move(s.group);
    return w;
}

}  // namespace

std::string Engine::submit(Submission submission) {
    std::vector<Submission> one;
    one.push_back(std::move(submission));
    return submit(std::move(one)).front();
}

std::string Engine::submit(const Plan& plan, std::shared_ptr<const Run> parent, std::string name, int number) {
    return submit(Submission{.plan = plan, .parent = std::move(parent), .name = std::move(name), .number = number});
}

std::vector<std::string> Engine::submit(const std::vector<Plan>& plans) {
    std::vector<Submission> all;
    for (const auto& p : plans) all.push_back({.plan = p});
    return submit(std::move(all));
}

std::vector<std::string> Engine::submit(std::vector<Submission> submissions) {
    std::vector<WaitingRun> entries;
    std::vector<std::string> ids;
    for (auto& s : submissions) {
        entries.push_back(waiting(std::move(s)));
        ids.push_back(entries.back().run.id);
    }
    m_thread->queue.add(std::move(entries));
    return ids;
}

void Engine::pause(const std::string& runId) { m_thread->queue.command(runId, RunCommand::Pause); }
void Engine::resume(const std::string& runId) { m_thread->queue.command(runId, RunCommand::Resume); }
void Engine::step(const std::string& runId) { m_thread->queue.command(runId, RunCommand::Step); }
void Engine::cancel(const std::string& runId) { m_thread->queue.command(runId, RunCommand::Cancel); }
void Engine::cancelAll() { m_thread->queue.cancelAll(); }
void Engine::withdraw(const std::string& runId) { m_thread->queue.command(runId, RunCommand::Withdraw); }
void Engine::pauseQueue() { m_thread->queue.command({}, RunCommand::PauseQueue); }
void Engine::resumeQueue() { m_thread->queue.command({}, RunCommand::ResumeQueue); }
void Engine::pauseAfter(const std::string& runId) { m_thread->queue.pauseAfter(runId); }
void Engine::move(const std::string& runId, int position) { m_thread->queue.move(runId, position); }
void Engine::waitIdle() { m_thread->queue.waitIdle(); }
std::string Engine::deviceDescription() const { return m_thread->deviceDescription(); }
std::string Engine::deviceNote() const { return m_thread->deviceNote(); }

}  // namespace meander
