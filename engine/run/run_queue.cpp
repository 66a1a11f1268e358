#include "engine/run/run_queue.h"

#include <algorithm>

namespace meander {

void RunQueue::add(std::vector<WaitingRun> runs) {
    if (runs.empty()) return;  // nothing would wake the engine thread to say that it is idle again
    {
        const std::lock_guard lock(m_mutex);
        for (auto& r : runs) m_runs.push_back(std::move(r));
        m_idle = false;
    }
    m_changed.notify_all();
}

void RunQueue::command(const std::string& id, RunCommand w) {
    {
        const std::lock_guard lock(m_mutex);
        m_commands.emplace_back(id, w);
    }
    m_changed.notify_all();
}

void RunQueue::cancelAll() {
    {
        const std::lock_guard lock(m_mutex);
        for (const auto& r : m_runs) m_commands.emplace_back(r.run.id, RunCommand::Cancel);
        m_commands.emplace_back("*", RunCommand::Cancel);
    }
    m_changed.notify_all();
}

void RunQueue::move(const std::string& id, int position) {
    const std::lock_guard lock(m_mutex);
    const auto it = find(id);
    if (it == m_runs.end()) return;
    WaitingRun r = std::move(*it);
    m_runs.erase(it);
    m_runs.insert(m_runs.begin() + std::clamp(position, 0, int(m_runs.size())), std::move(r));
}

void RunQueue::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_changed.notify_all();
}

void RunQueue::waitIdle() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_idle; });
}

bool RunQueue::waitForWork(const Progress& progress, int mostActive, const std::function<void()>& onIdle) {
    std::unique_lock lock(m_mutex);
    if (m_runs.empty() && progress.active == 0 && !m_idle) {
        m_idle = true;
        lock.unlock();
        m_changed.notify_all();
        onIdle();
        lock.lock();
    }
    m_changed.wait(lock, [&] {
        return m_stopping || !m_commands.empty() || progress.hasRunnable || canStart(progress, mostActive);
    });
    return !m_stopping;
}

std::vector<std::pair<std::string, RunCommand>> RunQueue::takeCommands() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_commands, {});
}

std::optional<WaitingRun> RunQueue::takeNext(const Progress& progress, int mostActive) {
    const std::lock_guard lock(m_mutex);
    if (!canStart(progress, mostActive)) return {};
    auto it = m_runs.begin();
    if (progress.hasRunnable)
        it = std::find_if(m_runs.begin(), m_runs.end(),
                          [&](const WaitingRun& r) { return r.modelKey() == progress.modelKey; });
    if (it == m_runs.end()) return {};
    WaitingRun next = std::move(*it);
    m_runs.erase(it);
    return next;
}

std::optional<WaitingRun> RunQueue::remove(const std::string& id) {
    const std::lock_guard lock(m_mutex);
    const auto it = find(id);
    if (it == m_runs.end()) return {};
    WaitingRun r = std::move(*it);
    m_runs.erase(it);
    return r;
}

bool RunQueue::note(const std::string& id, RunCommand w) {
    const std::lock_guard lock(m_mutex);
    const auto it = find(id);
    if (it == m_runs.end()) return false;
    it->paused = w != RunCommand::Resume;
    it->stepBudget = w == RunCommand::Step ? it->stepBudget + 1 : 0;
    return true;
}

std::deque<WaitingRun>::iterator RunQueue::find(const std::string& id) {
    return std::find_if(m_runs.begin(), m_runs.end(), [&](const WaitingRun& r) { return r.run.id == id; });
}

bool RunQueue::canStart(const Progress& progress, int mostActive) const {
    if (m_runs.empty() || progress.active >= mostActive) return false;
    return !progress.hasRunnable || std::any_of(m_runs.begin(), m_runs.end(), [&](const WaitingRun& r) {
        return r.modelKey() == progress.modelKey;
    });
}

}  // namespace meander
