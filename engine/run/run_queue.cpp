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

void RunQueue::setPaused(bool isPaused) {
    {
        const std::lock_guard lock(m_mutex);
        m_isPaused = isPaused;
    }
    m_changed.notify_all();
}

bool RunQueue::isPaused() const {
    const std::lock_guard lock(m_mutex);
    return m_isPaused;
}

void RunQueue::pauseAfter(const std::string& id) {
    const std::lock_guard lock(m_mutex);
    m_pauseAfter = id;
}

bool RunQueue::ended(const std::string& id) {
    const std::lock_guard lock(m_mutex);
    if (id.empty() || m_pauseAfter != id) return false;
    m_pauseAfter.clear();
    return !std::exchange(m_isPaused, true);
}

bool RunQueue::holdsGroup(const std::string& group) const {
    const std::lock_guard lock(m_mutex);
    return std::any_of(m_runs.begin(), m_runs.end(), [&](const WaitingRun& r) { return r.group == group; });
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
        return m_stopping || !m_commands.empty() || progress.hasRunnable || hasChanged(progress, mostActive);
    });
    return !m_stopping;
}

std::vector<std::pair<std::string, RunCommand>> RunQueue::takeCommands() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_commands, {});
}

std::optional<WaitingRun> RunQueue::takeNext(const Progress& progress, int mostActive) {
    const std::lock_guard lock(m_mutex);
    const auto it = startable(progress, mostActive);
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

std::deque<WaitingRun>::iterator RunQueue::startable(const Progress& progress, int mostActive) {
    auto best = m_runs.end();
    if (m_isPaused) return best;
    for (auto it = m_runs.begin(); it != m_runs.end(); ++it) {
        if (best != m_runs.end() && it->priority <= best->priority) continue;
        const bool isUrgent = !progress.hasRunnable || it->priority > progress.priority;
        const bool joins =
            progress.hasRunnable && it->priority == progress.priority && it->modelKey() == progress.modelKey;
        const bool hasRoom = progress.active < mostActive || (progress.hasRunnable && it->priority > progress.priority);
        if (hasRoom && (isUrgent || joins)) best = it;
    }
    return best;
}

bool RunQueue::hasChanged(const Progress& progress, int mostActive) {
    return m_isPaused != progress.isPaused || startable(progress, mostActive) != m_runs.end();
}

}  // namespace meander
