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

#include "engine/run/model_cache.h"
#include "engine/run/plan.h"

namespace meander {

struct WaitingRun {
    Plan plan;
    Run run;
    std::shared_ptr<const Run> parent;
    std::shared_ptr<const Run> interrupted = nullptr;  // the run's own record, when it goes on
    bool paused = false;  // asked for while it waited: it starts and stops before its first evaluation
    int stepBudget = 0;   // evaluations that it may do nevertheless

    // Runs with equal keys share a loaded model on one device.
    std::string modelKey() const { return modelKeyOf(plan); }
    static std::string modelKeyOf(const Plan& p) {
        return ModelCache::keyOf(p.resolved.model, p.loadOptions()) + "|" + p.resolved.device;
    }
};

enum class RunCommand : std::uint8_t { Pause, Resume, Step, Cancel };

class RunQueue {
public:
    // --- any thread ---
    void add(std::vector<WaitingRun> runs);
    void command(const std::string& id, RunCommand w);
    void cancelAll();  // "*" in the wishes: those in progress
    void move(const std::string& id, int position);
    void stop();
    void waitIdle();

    // --- the engine thread ---
    // What is in progress there, which decides what may start.
    struct Progress {
        int active = 0;
        bool hasRunnable = false;
        std::string modelKey;
    };
    // Sleeps until there is something to do; false: stop. `onIdle` is called once, unlocked, when everything is done.
    bool waitForWork(const Progress& progress, int mostActive, const std::function<void()>& onIdle);
    std::vector<std::pair<std::string, RunCommand>> takeCommands();
    // A waiting run may start when it shares the model of those in progress, or nothing runnable is in progress.
    std::optional<WaitingRun> takeNext(const Progress& progress, int mostActive);
    // Takes a waiting run out; nothing when it is not waiting.
    std::optional<WaitingRun> remove(const std::string& id);
    // A wish other than cancel for a waiting run; false when it is not waiting.
    bool note(const std::string& id, RunCommand w);

private:
    std::deque<WaitingRun>::iterator find(const std::string& id);
    bool canStart(const Progress& progress, int mostActive) const;

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<WaitingRun> m_runs;
    std::vector<std::pair<std::string, RunCommand>> m_commands;
    bool m_stopping = false, m_idle = true;
};

}  // namespace meander
