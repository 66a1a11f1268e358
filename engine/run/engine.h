// The engine: a queue of runs, carried out on a thread of its own, together where they share a model. Values go down
// (submit, pause, cancel ...), events come up. All public functions may be called from any thread and return at once.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/run/plan.h"

namespace meander {

enum class RunEventKind : std::uint8_t {
    Queued,
    Loading,
    Started,
    Evaluated,
    Stepped,
    Paused,
    Resumed,
    Finished,
    Cancelled,
    Failed,
    QueuePaused,
    QueueResumed,
    Idle,
    DeviceReady
};

struct RunEvent {
    RunEventKind kind = RunEventKind::Queued;
    std::string runId;
    int step = 0, steps = 0;              // done, of
    int evaluation = 0, evaluations = 0;  // of the network for one image: done, planned
    double secondsLeft = 0;               // estimate
    // Queued, Started, Finished, Cancelled, Failed: the run as it is now (a cancelled or failed one keeps its steps).
    std::shared_ptr<const Run> run;
    // Evaluated, Stepped: the new entry of the record.
    std::shared_ptr<const Evaluation> evaluationRecord;
    std::shared_ptr<const Step> stepRecord;
    // An image of x̂0 (images, h, w, 3) for live preview of images, with Evaluated.
    HostTensor preview;
    std::string message;
};

struct EngineOptions {
    std::string device = "auto";
    int threads = 0;
    int maximumConcurrentRuns = 64;
    bool preview = true;
    std::size_t deviceMemory = 0;  // bytes that may be used of the device; 0: what it has
    // Bytes of one record that are kept in memory; the rest lies in a temporary file. 0: an eighth of the machine's.
    std::size_t recordMemory = 0;
    // Bytes of what runs of one group share; beyond it the oldest goes.
    std::size_t sharedMemory = std::size_t(512) << 20;
    std::function<std::unique_ptr<Backend>()> openBackend = {};  // in place of `device`
};

// What waits for what: an ordinary run starts before cells of a sweep, and they rest while it is in progress.
enum class RunPriority : std::uint8_t { Background, Ordinary };

// A run to be carried out.
struct Submission {
    Plan plan;
    std::shared_ptr<const Run> parent = nullptr;  // when it branches
    // An interrupted run with its record: it goes on behind its last evaluation, as the same run.
    std::shared_ptr<const Run> interrupted = nullptr;
    std::string id = {};  // empty: a new one
    std::string name = {};
    int number = 0;
    bool isPaused = false;  // waits for `resume` before its first evaluation
    RunPriority priority = RunPriority::Ordinary;
    // Runs of one group compute nothing twice: the encoding of a prompt, the network's answer to equal rows, the image
    // of a state (shared_work.h). Their numbers are the same in every bit as alone. Empty: every run for itself.
    std::string group = {};
};

// The run as it waits: what a project keeps of it until it starts.
Run waitingRunOf(const Submission& submission);

class EngineThread;

class Engine {
public:
    // `sink` is called on the engine thread for every event, in order; it must return quickly. It is the record:
    // nothing is skipped.
    using Sink = std::function<void(const RunEvent&)>;
    Engine(EngineOptions options, Sink sink);
    ~Engine();  // cancels, waits for the current network call

    // Returns the run's id.
    std::string submit(Submission submission);
    std::string submit(const Plan& plan, std::shared_ptr<const Run> parent = nullptr, std::string name = {},
                       int number = 0);
    // Several at once: they start together and share network calls.
    std::vector<std::string> submit(std::vector<Submission> submissions);
    std::vector<std::string> submit(const std::vector<Plan>& plans);

    void pause(const std::string& runId);
    void resume(const std::string& runId);
    void step(const std::string& runId);  // one evaluation, then paused again
    void cancel(const std::string& runId);
    void cancelAll();
    void withdraw(const std::string& runId);  // cancels it if it has not begun
    // Queue position among the waiting, 0 first.
    void move(const std::string& runId, int position);
    // Pauses everything: nothing starts, nothing in progress goes on but by `step`. Told by QueuePaused, QueueResumed.
    void pauseQueue();
    void resumeQueue();
    void pauseAfter(const std::string& runId);  // when that run has ended; empty: not
    void waitIdle();                            // for command line and tests, not for the window
    std::string deviceDescription() const;
    // "" when the GPU is in use, else the sentence why it is not.
    std::string deviceNote() const;

private:
    std::unique_ptr<EngineThread> m_thread;
};

// Between the engine thread and a slower reader: keeps every event except that a newer Evaluated or Stepped of a run
// replaces a waiting older one.
class Mailbox {
public:
    // `wake` is called (on the engine thread) when the box was empty.
    explicit Mailbox(std::function<void()> wake) : m_wake(std::move(wake)) {}
    void post(const RunEvent& e);
    std::vector<RunEvent> drain();

private:
    std::mutex m_mutex;
    std::vector<RunEvent> m_events;
    std::function<void()> m_wake;
};

}  // namespace meander
