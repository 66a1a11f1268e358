// Carries plans out on an engine of their own and waits, for tests of whole runs.
#pragma once
#include <QtTest>
#include <condition_variable>
#include <map>
#include <mutex>

#include "engine/run/engine.h"

namespace meander::fixture {

// Keeps how every run ended and, where wished, every event.
class Listener {
public:
    explicit Listener(bool keepsEvents = true) : m_keepsEvents(keepsEvents) {}

    Engine::Sink sink() {
        return [this](const RunEvent& e) {
            const std::lock_guard lock(m_mutex);
            if (m_keepsEvents) m_events.push_back(e);
            if (e.run && isEnd(e.kind)) m_ended[e.runId] = e.run;
            m_changed.notify_all();
        };
    }
    std::shared_ptr<const Run> result(const std::string& id) {
        const std::lock_guard lock(m_mutex);
        const auto it = m_ended.find(id);
        return it == m_ended.end() ? nullptr : it->second;
    }
    bool waitFor(const std::string& id, RunEventKind kind) {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::seconds(60), [&] {
            return std::any_of(m_events.begin(), m_events.end(),
                               [&](const auto& e) { return e.runId == id && e.kind == kind; });
        });
    }
    int count(const std::string& id, RunEventKind kind) {
        const std::lock_guard lock(m_mutex);
        return int(std::count_if(m_events.begin(), m_events.end(),
                                 [&](const auto& e) { return e.runId == id && e.kind == kind; }));
    }
    std::vector<RunEvent> events() {
        const std::lock_guard lock(m_mutex);
        return m_events;
    }

private:
    static bool isEnd(RunEventKind k) {
        return k == RunEventKind::Finished || k == RunEventKind::Failed || k == RunEventKind::Cancelled;
    }
    const bool m_keepsEvents;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<RunEvent> m_events;
    std::map<std::string, std::shared_ptr<const Run>> m_ended;
};

inline Plan planned(const Recipe& r, const Run* parent = nullptr) {
    auto p = plan(r, parent);
    if (!p) qFatal("%s", p.error().text.c_str());
    return *p;
}

inline EngineOptions onCpu() {
    EngineOptions o;
    o.device = "cpu";
    o.preview = false;
    o.threads = 1;  // small runs: threads cost more than they bring
    return o;
}

// The runs as they ended, in the order of the plans.
inline std::vector<std::shared_ptr<const Run>> carryOut(const std::vector<Plan>& plans) {
    Listener l(false);
    Engine engine(onCpu(), l.sink());
    const auto ids = engine.submit(plans);
    engine.waitIdle();
    std::vector<std::shared_ptr<const Run>> runs;
    for (const auto& id : ids) runs.push_back(l.result(id));
    return runs;
}
inline std::shared_ptr<const Run> carryOut(const Plan& p, std::shared_ptr<const Run> parent = nullptr) {
    Listener l(false);
    Engine engine(onCpu(), l.sink());
    const auto id = engine.submit(p, std::move(parent));
    engine.waitIdle();
    return l.result(id);
}

// The same states, estimates and result, bit by bit.
inline bool sameRecord(const Run& a, const Run& b) {
    const Trajectory &x = *a.trajectory, &y = *b.trajectory;
    if (x.evaluations.size() != y.evaluations.size() || x.steps.size() != y.steps.size()) return false;
    for (std::size_t i = 0; i < x.evaluations.size(); ++i)
        if (!x.evaluations[i]->state.sameBits(y.evaluations[i]->state)
            || !x.evaluations[i]->denoised.sameBits(y.evaluations[i]->denoised))
            return false;
    for (std::size_t i = 0; i < x.steps.size(); ++i)
        if (!x.steps[i]->state.sameBits(y.steps[i]->state)) return false;
    return x.initial.sameBits(y.initial) && a.images.sameBits(b.images);
}

}  // namespace meander::fixture
