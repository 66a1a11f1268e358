// The loop of the engine thread, its device and its commands.
#include "engine/run/engine_thread.h"

#include <algorithm>

#include "engine/run/run_failure.h"

namespace meander {

EngineThread::EngineThread(EngineOptions options, Engine::Sink sink)
    : m_options(std::move(options)), m_sink(std::move(sink)), m_thread([this] { loop(); }) {}

EngineThread::~EngineThread() {
    queue.stop();
    m_thread.join();
}

void EngineThread::loop() {
    useDevice("auto");
    while (queue.waitForWork(progress(), m_options.maximumConcurrentRuns, [this] { tell(RunEventKind::Idle); })) {
        try {
            processCommands();
            admit();
            tick();
        } catch (const std::exception& e) {
            failAll(e);
        }
    }
    for (auto& run : m_active) publish(RunEventKind::Cancelled, *run, RunStatus::Cancelled);
    m_active.clear();
    m_shared.clear();
    m_devices.clear();
}

// Nothing of a single run comes here: the record could not be told of, or memory for the engine's own lists is gone.
void EngineThread::failAll(const std::exception& e) {
    ActiveRuns all = std::exchange(m_active, {});
    const Error why = errorOf(e);
    for (auto& run : all) publish(RunEventKind::Failed, *run, RunStatus::Failed, why);
    for (auto& run : all) noteEnd(run->id(), run->group());
}

DeviceSet::Device& EngineThread::useDevice(const std::string& name) {
    const auto& [device, note] = m_devices.open(name);
    const std::string description = device->backend->description();
    {
        const std::lock_guard lock(m_mutex);
        if (m_description == description && m_note == note) return *device;
        m_description = description;
        m_note = note;
    }
    tell(RunEventKind::DeviceReady, note);
    return *device;
}

// Paused runs do not block others.
RunQueue::Progress EngineThread::progress() const {
    RunQueue::Progress p{.active = int(m_active.size()), .isPaused = queue.isPaused()};
    const auto all = runnable();
    p.hasRunnable = !all.empty();
    if (!p.hasRunnable) return p;
    p.priority = all.front()->priority();
    p.modelKey = WaitingRun::modelKeyOf(all.front()->plan());
    return p;
}

std::vector<ActiveRun*> EngineThread::runnable() const {
    std::vector<ActiveRun*> all;
    for (const auto& r : m_active) {
        if (!isRunnable(*r) || (!all.empty() && r->priority() < all.front()->priority())) continue;
        if (!all.empty() && r->priority() > all.front()->priority()) all.clear();
        all.push_back(r.get());
    }
    return all;
}

std::string EngineThread::deviceDescription() const {
    const std::lock_guard lock(m_mutex);
    return m_description;
}

std::string EngineThread::deviceNote() const {
    const std::lock_guard lock(m_mutex);
    return m_note;
}

// --- commands ---

void EngineThread::processCommands() {
    for (const auto& [id, command] : queue.takeCommands()) {
        if (id == "*") {
            while (!m_active.empty()) grant(m_active.begin(), command);
            continue;
        }
        if (command == RunCommand::PauseQueue || command == RunCommand::ResumeQueue) {
            pauseQueue(command == RunCommand::PauseQueue);
            continue;
        }
        const bool isTaken = command == RunCommand::Cancel || command == RunCommand::Withdraw;
        if (isTaken ? cancelWaiting(id) : queue.note(id, command)) continue;
        const auto it =
            std::find_if(m_active.begin(), m_active.end(), [&id = id](const auto& r) { return r->id() == id; });
        if (it != m_active.end()) grant(it, command);
    }
}

bool EngineThread::cancelWaiting(const std::string& id) {
    auto waiting = queue.remove(id);
    if (!waiting) return false;
    auto run = std::make_shared<Run>(waiting->interrupted ? *waiting->interrupted : waiting->run);
    run->status = RunStatus::Cancelled;
    emit(RunEventKind::Cancelled, run, {});
    noteEnd(id, waiting->group);
    return true;
}

void EngineThread::pauseQueue(bool isPaused) {
    if (queue.isPaused() == isPaused) return;
    queue.setPaused(isPaused);
    tell(isPaused ? RunEventKind::QueuePaused : RunEventKind::QueueResumed);
}

void EngineThread::grant(ActiveRuns::iterator it, RunCommand command) {
    ActiveRun& run = **it;
    switch (command) {
    case RunCommand::Pause:
        if (run.paused) break;
        run.paused = true;
        publish(RunEventKind::Paused, run, RunStatus::Paused);
        break;
    case RunCommand::Resume:
        if (!run.paused) break;
        run.paused = false;
        run.stepBudget = 0;
        publish(RunEventKind::Resumed, run, RunStatus::Running);
        break;
    case RunCommand::Step:
        if (!run.paused) {
            run.paused = true;
            publish(RunEventKind::Paused, run, RunStatus::Paused);
        }
        ++run.stepBudget;
        break;
    case RunCommand::Cancel: {
        const std::string id = run.id(), group = run.group();
        publish(RunEventKind::Cancelled, run, RunStatus::Cancelled);
        m_active.erase(it);
        noteEnd(id, group);
        break;
    }
    case RunCommand::Withdraw:  // it has begun
    case RunCommand::PauseQueue:
    case RunCommand::ResumeQueue: break;
    }
}

// --- events ---

// A run as it is now. What its images cost in memory must not cost the run its end.
void EngineThread::publish(RunEventKind kind, ActiveRun& run, RunStatus status, const Error& why) {
    for (const bool isFirst : {true, false}) {
        try {
            return emit(kind, run.snapshot(status, why.text), why.detail.empty() ? why.text : why.detail);
        } catch (const std::exception& e) {
            if (isFirst && isOutOfMemory(e)) {
                freeMemory();
                continue;
            }
            auto bare = std::make_shared<Run>(*run.snapshot(RunStatus::Running));
            bare->status = RunStatus::Failed;
            bare->problem = "Its images could not be made from its last state. " + errorOf(e).text;
            return emit(RunEventKind::Failed, bare, e.what());
        }
    }
}

void EngineThread::tell(RunEventKind kind, const std::string& message) {
    RunEvent e;
    e.kind = kind;
    e.message = message;
    m_sink(e);
}

void EngineThread::emit(RunEventKind kind, std::shared_ptr<const Run> run, const std::string& message) {
    RunEvent e;
    e.kind = kind;
    e.runId = run->id;
    e.run = std::move(run);
    e.message = message;
    e.steps = stepsOf(*e.run);
    if (e.run->trajectory) {
        e.step = int(e.run->trajectory->steps.size());
        e.evaluation = e.run->evaluations;
    }
    m_sink(e);
}

}  // namespace meander
