#include "engine/optimise/carry_out.h"

#include <chrono>
#include <condition_variable>
#include <map>

namespace meander {
namespace {

// What the engine thread tells, until all have ended.
class Progress {
public:
    explicit Progress(const std::vector<Plan>& plans) {
        for (const Plan& p : plans) m_evaluations += double(p.evaluations) * p.resolved.images;
    }
    void hear(const RunEvent& e) {
        const std::lock_guard lock(m_mutex);
        if (e.kind == RunEventKind::Evaluated) m_done[e.runId] = e.evaluation;
        if (e.run && hasEnded(e.run->status)) m_ended[e.runId] = e.run;
        m_changed.notify_all();
    }
    // Waits for a moment, or until `runs` have ended.
    bool waitFor(std::size_t runs) {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return m_ended.size() >= runs; });
    }
    double share(const std::map<std::string, int>& images) {
        const std::lock_guard lock(m_mutex);
        double done = 0;
        for (const auto& [id, evaluations] : m_done)
            if (const auto n = images.find(id); n != images.end()) done += double(evaluations) * n->second;
        return m_evaluations > 0 ? std::min(1.0, done / m_evaluations) : 0;
    }
    std::shared_ptr<const Run> ended(const std::string& id) {
        const std::lock_guard lock(m_mutex);
        const auto it = m_ended.find(id);
        return it == m_ended.end() ? nullptr : it->second;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    double m_evaluations = 0;
    std::map<std::string, int> m_done;
    std::map<std::string, std::shared_ptr<const Run>> m_ended;
};

}  // namespace

std::vector<std::shared_ptr<const Run>> carryOut(const std::vector<Plan>& plans, const CarryOutOptions& options) {
    Progress progress(plans);
    std::vector<std::string> ids;
    bool isCancelled = false;
    {
        EngineOptions engineOptions;
        engineOptions.device = options.device;
        engineOptions.threads = options.threads;
        engineOptions.preview = false;
        Engine engine(engineOptions, [&](const RunEvent& e) { progress.hear(e); });
        std::vector<Submission> submissions;
        for (const Plan& p : plans) submissions.push_back({.plan = p, .group = "optimisation"});
        ids = engine.submit(std::move(submissions));
        std::map<std::string, int> images;
        for (std::size_t i = 0; i < ids.size(); ++i) images[ids[i]] = plans[i].resolved.images;
        do {
            isCancelled = options.isCancelled && options.isCancelled();
            if (!isCancelled && options.progress) options.progress(progress.share(images));
        } while (!isCancelled && !progress.waitFor(ids.size()));
        if (isCancelled) engine.cancelAll();
        engine.waitIdle();
    }
    std::vector<std::shared_ptr<const Run>> runs;
    for (const std::string& id : ids) {
        runs.push_back(progress.ended(id));
        if (!isCancelled && runs.back()->status != RunStatus::Finished)
            throw Failure(runs.back()->problem.empty() ? "A run of the optimisation was stopped. Begin it again."
                                                       : runs.back()->problem);
    }
    if (isCancelled) return {};
    return runs;
}

}  // namespace meander
