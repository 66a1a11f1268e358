// What callers hand to the engine thread: runs that wait and wishes about runs. The only state of the engine that
// several threads touch.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/run/engine.h"
#include "engine/run/model_cache.h"

namespace meander {

struct WaitingRun {
    Plan plan;
    Run run;
    std::shared_ptr<const Run> parent;
    std::shared_ptr<const Run> interrupted = nullptr;  // the run's own record, when it goes on
    bool paused = false;  // asked for while it waited: it starts and stops before its first evaluation
    int stepBudget = 0;   // evaluations that it may do nevertheless
    RunPriority priority = RunPriority::Ordinary;
    std::string group = {};  // Submission::group

    // Runs with equal keys share a loaded model on one device.
    std::string modelKey() const { return modelKeyOf(plan); }
    static std::string modelKeyOf(const Plan& p) {
        return ModelCache::keyOf(p.resolved.model, p.loadOptions()) + "|" + p.resolved.device;
    }
};

// Withdraw takes out a run that waits, and leaves one that has begun.
enum class RunCommand : std::uint8_t { Pause, Resume, Step, Cancel, Withdraw, PauseQueue, ResumeQueue };

class RunQueue {
public:
    // --- any thread ---
    void add(std::vector<WaitingRun> runs);
    void command(const std::string& id, RunCommand w);
    void cancelAll();  // "*" in the wishes: those in progress
    void move(const std::string& id, int position);
    // A paused queue starts nothing, and nothing of it goes on but single steps.
    void setPaused(bool isPaused);
    bool isPaused() const;
    void pauseAfter(const std::string& id);  // pauses when that run ends; empty: it does not
    void stop();
    void waitIdle();

    // --- the engine thread ---
    // What is in progress there, which decides what may start.
    struct Progress {
        int active = 0;
        bool hasRunnable = false;
        bool isPaused = false;                           // the queue, as those in progress see it
        RunPriority priority = RunPriority::Background;  // the highest of those that may go on
        std::string modelKey;                            // of the first of these
    };
    // Sleeps until there is something to do; false: stop. `onIdle` is called once, unlocked, when everything is done.
    bool waitForWork(const Progress& progress, int mostActive, const std::function<void()>& onIdle);
    std::vector<std::pair<std::string, RunCommand>> takeCommands();
    // The first of the highest priority that may start: it shares the model of those in progress, or nothing runnable
    // is in progress, or what is has a lower priority. Then it starts whatever its model and however many there are.
    std::optional<WaitingRun> takeNext(const Progress& progress, int mostActive);
    // Takes a waiting run out; nothing when it is not waiting.
    std::optional<WaitingRun> remove(const std::string& id);
    // A wish other than cancel for a waiting run; false when it is not waiting.
    bool note(const std::string& id, RunCommand w);
    bool holdsGroup(const std::string& group) const;  // a run of the group waits
    // A run has ended; true when the queue pauses now because of it.
    bool ended(const std::string& id);

private:
    std::deque<WaitingRun>::iterator find(const std::string& id);
    std::deque<WaitingRun>::iterator startable(const Progress& progress, int mostActive);
    bool hasChanged(const Progress& progress, int mostActive);

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<WaitingRun> m_runs;
    std::vector<std::pair<std::string, RunCommand>> m_commands;
    std::string m_pauseAfter;
    bool m_stopping = false, m_idle = true, m_isPaused = false;
};

}  // namespace meander
