// The inside of ProjectStore, shared by its source files only.
#pragma once
#include "engine/core/durable_file.h"
#include "engine/project/project_store.h"
#include "engine/project/write_queue.h"

namespace meander {

struct ProjectStore::Implementation {
    explicit Implementation(const std::string& p) : path(p), queue(p) {}

    mutable std::mutex mutex;  // path, note and what is remembered of meta
    std::string path, note;
    bool isReadOnly = false, isClosed = false;
    ProjectInfo info;
    std::optional<Recipe> draft, recoverable;
    std::vector<std::string> waitingOrder;
    std::vector<Sweep> sweeps;

    ProjectLock lock;
    std::mutex readMutex;
    Database reader;
    WriteQueue queue;

    // Opens the file that is known to be a sound project of the newest version (or read only).
    void attach(Database writer);
    void readMeta();
    void putMeta(const std::string& key, const std::string& value, bool durable = false);
    void dropMeta(const std::string& key);
    // Runs `read` with the reading connection; failures become sentences.
    template <class T> Result<T> reading(const std::function<T(const RunReader&)>& read);
    Error sentence(const std::exception& e, const std::string& doing) const;
    // The file alone at `target`: everything written, `waiting` applied to it.
    void writeTo(const std::string& target, Database& from, std::deque<WriteJob>& waiting, bool dropRemoved);
    Status close(bool force);
};

// Locks; throws Failure when another program has the project open. The answer tells whether the folder can be written.
bool lockProject(ProjectLock& lock, const std::string& path);
// What a save that was killed left beside the file. The lock must be held.
void removeUnfinished(const std::string& path);
// A connection for writing: WAL, with room that deleted runs left given back on request.
Database openForWriting(const std::string& path);
// Writes what WAL holds into the file and removes its companions.
void backToOneFile(Database& db);

}  // namespace meander
