#include "engine/project/write_queue.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>

namespace meander {
namespace {

constexpr std::size_t jobsPerTransaction = 128;
constexpr std::chrono::seconds pauseAfterTrouble{2};

// Who waits for `flush` may end next; the promise to try again is for those who hear of trouble in passing.
Error whileItRuns(Error e) {
    e.text +=
        " What is not written yet is kept in memory and tried again while the program runs; what is still missing "
        "when it ends is lost. Free some space before that.";
    return e;
}

}  // namespace

Error databaseSentence(const DatabaseError& e, const std::string& path, const std::string& doing) {
    const std::string what = "Cannot " + doing + " '" + path + "': ";
    if (e.isDamage())
        return {what
                    + "the file is damaged. Save the project under another name and open the damaged file again to "
                      "recover what it holds.",
                e.what()};
    switch (e.code) {
    case SQLITE_FULL:
        return {what + "the disk is full. Free some space or save the project on another disk.", e.what()};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return {what + "the file or its folder is read only. Save the project under another name.", e.what()};
    case SQLITE_IOERR:
        return {what + "the disk refused it. It may be full, disconnected or failing; save the project elsewhere.",
                e.what()};
    case SQLITE_CANTOPEN:
        return {what + "the file or its folder cannot be opened. Check that they exist and may be used.", e.what()};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {what + "another program uses the file. Close that program, or save under another name.", e.what()};
    case SQLITE_NOMEM: return {what + "there is not enough memory. Close other programs.", e.what()};
    default: return {what + "the database reported a problem. Save the project under another name.", e.what()};
    }
}

void WriteQueue::start(Database db) {
    stop();
    {
        const std::lock_guard databaseLock(m_databaseMutex);
        m_db = std::move(db);
        m_writer = std::make_unique<RunWriter>(m_db);
    }
    m_stopping = false;
    m_thread = std::thread([this] { loop(); });
}

void WriteQueue::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    if (m_thread.joinable()) m_thread.join();
    m_progress.notify_all();
}

void WriteQueue::add(WriteJob job) {
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back(std::move(job));
        ++m_added;
    }
    m_wake.notify_one();
}

std::size_t WriteQueue::waiting() const {
    const std::lock_guard lock(m_mutex);
    return m_jobs.size();
}

void WriteQueue::setOnProblem(ProjectStore::OnProblem f) {
    const std::lock_guard lock(m_mutex);
    m_onProblem = std::move(f);
}

void WriteQueue::setPath(const std::string& path) {
    const std::lock_guard lock(m_mutex);
    m_path = path;
}

Status WriteQueue::flush() {
    std::unique_lock lock(m_mutex);
    const auto wanted = m_added;
    const auto firstAttempt = m_attempts;
    m_retryNow = true;
    m_wake.notify_one();
    m_progress.wait(lock, [&] { return m_done >= wanted || m_stopping || (m_trouble && m_attempts > firstAttempt); });
    if (m_lost) return *std::exchange(m_lost, std::nullopt);
    if (m_done >= wanted) return Done{};
    return m_trouble ? *m_trouble : Error{"The project was closed before everything was written."};
}

void WriteQueue::loop() {
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_wake.wait(lock, [&] { return m_stopping || !m_jobs.empty(); });
        if (m_trouble && !m_stopping && !m_retryNow)
            m_wake.wait_for(lock, pauseAfterTrouble, [&] { return m_stopping || m_retryNow; });
        if (m_stopping) return;
        m_retryNow = false;
        lock.unlock();
        attempt();
        lock.lock();
    }
}

bool WriteQueue::attempt() {
    const std::lock_guard databaseLock(m_databaseMutex);
    std::size_t n = 0;
    bool durable = false;
    {
        const std::lock_guard lock(m_mutex);
        // After trouble one job at a time, so that a job that can never be written does not hold up the others.
        n = std::min(m_jobs.size(), m_trouble ? std::size_t(1) : jobsPerTransaction);
        for (std::size_t i = 0; i < n; ++i) durable = durable || m_jobs[i].durable;
    }
    if (n == 0) return true;
    std::optional<Error> trouble;
    bool drop = false;  // the job itself is at fault
    try {
        write(n, durable);
    } catch (const DatabaseError& e) {
        trouble = sentence(e);
        drop = n == 1 && !e.isTemporary() && !e.isDamage();
    } catch (const std::exception& e) {
        trouble = Error{"A part of a run could not be put into the project: " + std::string(e.what())};
        drop = n == 1;
    }
    std::vector<std::function<void()>> committed;
    {
        const std::lock_guard lock(m_mutex);
        if (!trouble || n == 1) ++m_attempts;
        if (!trouble) m_reported.clear();
        if (!trouble || drop) {
            for (std::size_t i = 0; i < n; ++i) {
                if (!trouble && m_jobs.front().committed) committed.push_back(std::move(m_jobs.front().committed));
                m_jobs.pop_front();
            }
            m_done += n;
        }
        if (!trouble || drop) m_trouble.reset();
        if (n > 1 && trouble) m_retryNow = true;  // at once, singly
    }
    if (trouble) {
        m_writer->forget();
        if (n == 1) report(drop ? *trouble : whileItRuns(*trouble));
        const std::lock_guard lock(m_mutex);
        if (!drop) m_trouble = trouble;
        if (drop && !m_lost) m_lost = trouble;
    }
    for (const auto& f : committed) f();
    m_progress.notify_all();
    return !trouble;
}

void WriteQueue::write(std::size_t n, bool durable) {
    if (!m_db.isOpen()) throw DatabaseError(SQLITE_READONLY, "opened read only");
    m_db.run(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    Transaction t(m_db);
    for (std::size_t i = 0; i < n; ++i) {
        const WriteJob* job = nullptr;
        {
            const std::lock_guard lock(m_mutex);
            job = &m_jobs[i];  // stays where it is: others only add at the end
        }
        job->write(m_db, *m_writer);
    }
    t.commit();
}

void WriteQueue::report(const Error& e) {
    ProjectStore::OnProblem f;
    {
        const std::lock_guard lock(m_mutex);
        if (m_trouble && m_reported == e.text) return;
        m_reported = e.text;
        f = m_onProblem;
    }
    if (f) f(e);
}

Error WriteQueue::sentence(const DatabaseError& e) const {
    std::string path;
    {
        const std::lock_guard lock(m_mutex);
        path = m_path;
    }
    return databaseSentence(e, path, "write");
}

void WriteQueue::whilePaused(const std::function<void(Database&, std::deque<WriteJob>&)>& act) {
    const std::lock_guard databaseLock(m_databaseMutex);
    std::deque<WriteJob> jobs;
    {
        const std::lock_guard lock(m_mutex);
        jobs = m_jobs;
    }
    act(m_db, jobs);
    m_writer = std::make_unique<RunWriter>(m_db);
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.erase(m_jobs.begin(), m_jobs.begin() + std::ptrdiff_t(jobs.size()));
        m_done += jobs.size();
        m_trouble.reset();
    }
    for (const auto& j : jobs)
        if (j.committed) j.committed();
    m_progress.notify_all();
}

}  // namespace meander
