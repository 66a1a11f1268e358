// A recipe carried out to its end, in a test.
#pragma once
#include <QtTest>
#include <mutex>

#include "engine/run/engine.h"

namespace meander::bench {

inline Plan planned(const Recipe& r, const Run* parent = nullptr) {
    auto p = plan(r, parent);
    if (!p) qFatal("%s", p.error().text.c_str());
    return *p;
}

// All recipes at once, so that they share network calls.
inline std::vector<std::shared_ptr<const Run>> runTogether(const std::vector<Recipe>& recipes,
                                                           std::shared_ptr<const Run> parent = nullptr) {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<const Run>> ended;
    std::vector<std::string> ids;
    {
        EngineOptions options;
        options.device = "cpu";
        Engine engine(options, [&](const RunEvent& e) {
            const std::lock_guard lock(mutex);
            if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) ended[e.runId] = e.run;
        });
        if (parent)
            for (const auto& r : recipes) ids.push_back(engine.submit(planned(r, parent.get()), parent));
        else {
            std::vector<Plan> plans;
            for (const auto& r : recipes) plans.push_back(planned(r));
            ids = engine.submit(plans);
        }
        engine.waitIdle();
    }
    std::vector<std::shared_ptr<const Run>> runs;
    for (const auto& id : ids) runs.push_back(ended.at(id));
    return runs;
}

inline std::shared_ptr<const Run> runOne(const Recipe& r, std::shared_ptr<const Run> parent = nullptr) {
    auto run = runTogether({r}, parent).front();
    if (run->status != RunStatus::Finished) qFatal("%s", run->problem.c_str());
    return run;
}

inline bool sameRecord(const Run& a, const Run& b) {
    const auto &x = a.trajectory->evaluations, &y = b.trajectory->evaluations;
    if (x.size() != y.size() || !a.trajectory->last().sameBits(b.trajectory->last())) return false;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (!x[i]->state.sameBits(y[i]->state) || !x[i]->denoised.sameBits(y[i]->denoised)
            || x[i]->ancestors != y[i]->ancestors)
            return false;
    return true;
}

}  // namespace meander::bench
