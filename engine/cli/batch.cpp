#include "engine/cli/batch.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>

#include "engine/analysis/guidance_measures.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/progress.h"
#include "engine/core/printable.h"
#include "engine/project/record_event.h"

namespace meander::cli {
namespace {

using Clock = std::chrono::steady_clock;

const char* nameOf(RunEventKind k) {
    switch (k) {
    case RunEventKind::Queued: return "queued";
    case RunEventKind::Loading: return "loading";
    case RunEventKind::Started: return "started";
    case RunEventKind::Evaluated: return "evaluated";
    case RunEventKind::Stepped: return "stepped";
    case RunEventKind::Paused: return "paused";
    case RunEventKind::Resumed: return "resumed";
    case RunEventKind::Finished: return "finished";
    case RunEventKind::Cancelled: return "cancelled";
    case RunEventKind::Failed: return "failed";
    case RunEventKind::QueuePaused: return "queue_paused";
    case RunEventKind::QueueResumed: return "queue_resumed";
    case RunEventKind::Idle: return "idle";
    case RunEventKind::DeviceReady: return "device";
    }
    return "";
}

bool isEnd(RunEventKind k) {
    return k == RunEventKind::Finished || k == RunEventKind::Cancelled || k == RunEventKind::Failed;
}

// Lives on both threads: events come on the engine's.
class Watcher {
public:
    Watcher(const BatchOptions& options, std::size_t runs)
        : m_options(options),
          m_wanted(runs),
          m_showsBar(!options.isJson && !options.isQuiet && isWatched()),
          m_started(Clock::now()) {}

    // The end of a run is told when the run is safe in the project: whoever reads it may rely on it.
    static void hear(const std::shared_ptr<Watcher>& watcher, const RunEvent& e) {
        const bool tells = watcher->m_options.isJson && !watcher->m_options.onEnd && e.kind != RunEventKind::Stepped
                           && e.kind != RunEventKind::Idle;
        ProjectStore* project = watcher->m_options.project;
        if (const auto& onEnd = watcher->m_options.onEnd; onEnd && isEnd(e.kind) && e.run) {
            // One that was cancelled before it began leaves nothing in the project to wait for.
            const bool isKept = e.kind != RunEventKind::Cancelled || (e.run->trajectory && !e.run->trajectory->empty());
            if (project) recordEvent(*project, e, [watcher, run = e.run] { watcher->m_options.onEnd(*run); });
            if (!project || !isKept) onEnd(*e.run);
        } else if (!project) {
            if (tells) watcher->tell(e);
        } else if (tells && isEnd(e.kind)) {
            recordEvent(*project, e, [watcher, e] { watcher->tell(e); });
        } else {
            recordEvent(*project, e);
            if (tells) watcher->tell(e);
        }
        watcher->note(e);
    }

    void note(const RunEvent& e) {
        const std::lock_guard lock(m_mutex);
        if (e.kind == RunEventKind::Evaluated) m_evaluations[e.runId] = {e.evaluation, e.evaluations};
        if (isEnd(e.kind) && e.run) {
            m_ended[e.runId] = m_options.onEnd ? withoutRecord(*e.run) : e.run;
            m_changed.notify_all();
        }
        if (m_showsBar) draw(e);
    }

    // False: interrupted.
    bool wait() {
        std::unique_lock lock(m_mutex);
        while (m_ended.size() < m_wanted) {
            m_changed.wait_for(lock, std::chrono::milliseconds(100));
            if (interruptedBy() != 0) return false;
        }
        return true;
    }
    std::shared_ptr<const Run> ended(const std::string& id) {
        const std::lock_guard lock(m_mutex);
        const auto it = m_ended.find(id);
        return it == m_ended.end() ? nullptr : it->second;
    }
    void clearBar() const {
        if (m_showsBar) clearProgress();
    }
    double seconds() const { return std::chrono::duration<double>(Clock::now() - m_started).count(); }

private:
    static std::shared_ptr<const Run> withoutRecord(Run run) {
        run.trajectory.reset();
        run.images = {};
        return std::make_shared<const Run>(std::move(run));
    }

    void tell(const RunEvent& e) const {
        Json j = {{"event", nameOf(e.kind)}};
        if (!e.runId.empty()) j["run"] = e.runId;
        if (e.evaluations > 0)
            j["evaluation"] = e.evaluation, j["evaluations"] = e.evaluations, j["seconds_left"] = e.secondsLeft;
        if (e.steps > 0) j["step"] = e.step, j["steps"] = e.steps;
        if (e.evaluationRecord)
            j["sigma"] = e.evaluationRecord->sigma, j["milliseconds"] = e.evaluationRecord->milliseconds;
        if (e.evaluationRecord)
            for (const auto& [name, metric] : namedMetrics(*e.evaluationRecord))
                j["metrics"][name] = {{"unit", measureOf(name).unit}, {"values", metric->values}};  // one per image
        if (!e.message.empty()) j["message"] = e.message;
        if (isEnd(e.kind) && e.run) j["result"] = toJson(*e.run);
        const std::lock_guard lock(m_lines);  // ends are told on the project's thread
        printLine(j);
    }

    void draw(const RunEvent& e) {
        if (e.kind == RunEventKind::Loading) showProgress("Loading " + e.message + " ...");
        if (e.kind != RunEventKind::Evaluated) return;
        double share = double(m_ended.size());
        for (const auto& [id, count] : m_evaluations)
            if (!m_ended.contains(id) && count.second > 0) share += double(count.first) / count.second;
        share /= double(m_wanted);
        const int width = 30, full = int(share * width);
        const double left = share > 0 ? seconds() * (1 - share) / share : 0;
        std::string bar(std::size_t(full), '#');
        bar.resize(std::size_t(width), '.');
        showProgress("[" + bar + "] " + std::to_string(int(share * 100)) + " %  " + std::to_string(e.evaluation)
                     + " of " + std::to_string(e.evaluations) + " evaluations  " + secondsText(left) + " left   ");
    }

    const BatchOptions m_options;
    const std::size_t m_wanted;
    const bool m_showsBar;
    const Clock::time_point m_started;
    mutable std::mutex m_lines;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<std::string, std::pair<int, int>> m_evaluations;
    std::map<std::string, std::shared_ptr<const Run>> m_ended;
};

}  // namespace

BatchResult runBatch(const std::vector<Plan>& plans, const BatchOptions& options) {
    std::vector<Submission> all;
    for (const Plan& p : plans) all.push_back({.plan = p, .number = int(all.size()) + 1});
    return runBatch(std::move(all), options);
}

BatchResult runBatch(std::vector<Submission> submissions, const BatchOptions& options) {
    // With ids of their own, so that the project knows of all that wait before the first one begins.
    for (Submission& s : submissions) {
        if (s.id.empty()) s.id = newRunId();
        if (options.project && !s.interrupted) options.project->beginRun(waitingRunOf(s));
    }
    watchInterrupts();
    const auto watcher = std::make_shared<Watcher>(options, submissions.size());
    BatchResult result;
    std::vector<std::string> ids;
    {
        EngineOptions engineOptions;
        engineOptions.device = options.device;
        engineOptions.preview = false;
        Engine engine(engineOptions, [&](const RunEvent& e) { Watcher::hear(watcher, e); });
        ids = engine.submit(std::move(submissions));
        result.isInterrupted = !watcher->wait();
        if (result.isInterrupted) engine.cancelAll();
        engine.waitIdle();
        result.device = engine.deviceDescription();
        result.deviceNote = engine.deviceNote();
    }
    if (options.project) static_cast<void>(options.project->flush());  // what cannot be written its `close` tells
    watcher->clearBar();
    result.seconds = watcher->seconds();
    for (const auto& id : ids)
        if (auto run = watcher->ended(id)) result.runs.push_back(run);
    if (options.onEnd) return result;
    for (const auto& run : result.runs)
        if (run->status == RunStatus::Failed) throw Failure(run->problem.empty() ? "The run failed." : run->problem);
    return result;
}

}  // namespace meander::cli
