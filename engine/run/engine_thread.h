// What the engine thread does: takes commands, starts waiting runs, carries out rounds, publishes ends. The queue and
// the two descriptions are shared between threads; everything else is the engine thread's alone.
#pragma once
#include <list>
#include <mutex>
#include <thread>

#include "engine/run/device_set.h"
#include "engine/run/driver.h"
#include "engine/run/run_queue.h"
#include "engine/run/shared_work.h"

namespace meander {

class EngineThread {
public:
    EngineThread(EngineOptions options, Engine::Sink sink);
    ~EngineThread();  // cancels, waits for the current network call

    RunQueue queue;
    std::string deviceDescription() const;
    std::string deviceNote() const;

private:
    using ActiveRuns = std::list<std::unique_ptr<ActiveRun>>;

    void loop();
    void failAll(const std::exception& e);
    // The device of a plan; says so when the runs from here on are on another one.
    DeviceSet::Device& useDevice(const std::string& name);
    DeviceSet::Device& deviceOf(const Plan& plan) { return *m_devices.open(plan.resolved.device).device; }
    RunQueue::Progress progress() const;
    // --- commands ---
    void processCommands();
    bool cancelWaiting(const std::string& id);
    void pauseQueue(bool isPaused);
    void grant(ActiveRuns::iterator it, RunCommand command);
    bool isRunnable(const ActiveRun& run) const { return run.stepBudget > 0 || (!run.paused && !queue.isPaused()); }
    // Those that may go on in this round: of the highest priority.
    std::vector<ActiveRun*> runnable() const;
    // --- starts ---
    void admit();
    void start(WaitingRun w);
    void startOnce(const WaitingRun& w, std::shared_ptr<Run> run);
    std::vector<Model*> modelsFor(const Plan& plan, const std::string& runId);
    Model& modelFor(const std::string& id, std::size_t weightBytes, const Plan& plan, const std::string& runId);
    // Used by an active run, or by the plan given.
    ModelCache::IsInUse inUseBeside(const Plan* plan) const;
    void freeMemory();
    // --- rounds ---
    void tick();
    std::size_t take(ActiveRun& run, std::string& key, int& rows);
    void rotate(ActiveRun* run);
    void rescueOrFail(ActiveRun& run);
    bool decodeNext(ActiveRun& run);
    void collect();
    void noteEnd(const std::string& id, const std::string& group);
    void publish(RunEventKind kind, ActiveRun& run, RunStatus status, const Error& why = {});
    // --- events ---
    void tell(RunEventKind kind, const std::string& message = {});
    void emit(RunEventKind kind, std::shared_ptr<const Run> run, const std::string& message);

    const EngineOptions m_options;
    const Engine::Sink m_sink;
    mutable std::mutex m_mutex;  // of the two descriptions
    std::string m_description, m_note;

    DeviceSet m_devices{m_options};
    std::map<std::string, SharedWork> m_shared;  // by group; before m_active, which uses it
    ActiveRuns m_active;
    std::thread m_thread;  // last: starts when everything else is ready
};

}  // namespace meander
