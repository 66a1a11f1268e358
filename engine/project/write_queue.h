// The store's own thread: writes jobs to the database in the order they were given, many in one transaction. A job
// leaves memory when its transaction is committed, not before; while the disk is full or the file cannot be written the
// jobs wait and are tried again.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/project/run_rows.h"

namespace meander {

struct WriteJob {
    std::function<void(Database&, RunWriter&)> write;
    bool durable = false;             // must survive a power loss once committed
    std::function<void()> committed;  // on the store's thread
};

class WriteQueue {
public:
    explicit WriteQueue(std::string path) : m_path(std::move(path)) {}
    ~WriteQueue() { stop(); }

    // A closed database means that the project is read only.
    void start(Database db);
    void add(WriteJob job);
    // Waits until all jobs given before are committed, or an attempt to write them has failed; tells of a job that
    // could never be written, once.
    Status flush();
    std::size_t waiting() const;
    void setOnProblem(ProjectStore::OnProblem f);
    void stop();  // ends the thread after the job at hand; what waits stays

    // Calls `act` while nothing is being written, with all jobs that wait; when it returns those are taken as done. For
    // saving elsewhere.
    void whilePaused(const std::function<void(Database&, std::deque<WriteJob>&)>& act);
    void setPath(const std::string& path);
    // Before the file is closed; the thread must have been stopped.
    Database takeDatabase() { return std::move(m_db); }

private:
    void loop();
    bool attempt();  // one transaction; false when writing failed
    void write(std::size_t n, bool durable);
    void report(const Error& e);
    Error sentence(const DatabaseError& e) const;

    mutable std::mutex m_mutex;  // everything but m_db and m_writer
    std::condition_variable m_wake, m_progress;
    std::deque<WriteJob> m_jobs;
    std::string m_path;
    ProjectStore::OnProblem m_onProblem;
    std::uint64_t m_added = 0, m_done = 0, m_attempts = 0;
    std::optional<Error> m_trouble;
    std::optional<Error> m_lost;  // a job was given up since the last flush
    std::string m_reported;       // the sentence that was told last
    bool m_stopping = false, m_retryNow = false;

    std::mutex m_databaseMutex;  // taken before m_mutex
    Database m_db;
    std::unique_ptr<RunWriter> m_writer;
    std::thread m_thread;
};

// A sentence with cause and remedy for a database failure on the project at `path`.
Error databaseSentence(const DatabaseError& e, const std::string& path, const std::string& doing);

}  // namespace meander
