// Flushing, saving elsewhere and closing.
#include <filesystem>

#include "engine/project/project_state.h"
#include "engine/project/schema.h"

namespace meander {
namespace {

// Whoever wrote a project of this name last may have left a journal that must not be taken for the new file's: brings
// it home first.
void settleTarget(const std::string& target) {
    if (!std::filesystem::exists(target)) return;
    try {
        Database old(target, OpenMode::Write);
        Statement(old, "PRAGMA wal_checkpoint(TRUNCATE)").finish();
        Statement(old, "PRAGMA journal_mode = DELETE").finish();
    } catch (const DatabaseError&) {  // not a database: it is replaced anyway
    }
    removeCompanions(target);
}

void applyAll(Database& db, std::deque<WriteJob>& jobs, bool dropRemoved) {
    RunWriter writer(db);
    Transaction t(db);
    for (auto& j : jobs) j.write(db, writer);
    if (dropRemoved) writer.eraseRemoved();
    t.commit();
}

}  // namespace

void ProjectStore::Implementation::writeTo(const std::string& target, Database& from, std::deque<WriteJob>& waiting,
                                           bool dropRemoved) {
    const std::string fresh = target + "-new";
    removeFile(fresh);
    removeCompanions(fresh);
    try {
        Statement(from, "VACUUM INTO ?").bind(1, fresh).finish();
        {
            Database db(fresh, OpenMode::Write);
            applyAll(db, waiting, dropRemoved);
            db.run("PRAGMA incremental_vacuum");
        }
        settleTarget(target);
        replaceFile(fresh, target);
    } catch (...) {
        removeFile(fresh);
        removeCompanions(fresh);
        throw;
    }
}

Status ProjectStore::flush() { return m_implementation->queue.flush(); }

Status ProjectStore::copyTo(const std::string& given) {
    auto& d = *m_implementation;
    const std::string target = absolutePath(given);
    try {
        if (target == path()) throw Failure("A copy needs another name than the project itself.");
        ProjectLock lock;
        if (!lockProject(lock, target))
            throw Failure("Cannot write '" + target
                          + "': its folder does not exist or may not be written. Choose another folder.");
        static_cast<void>(d.queue.flush());
        const std::lock_guard reading(d.readMutex);
        std::deque<WriteJob> none;
        d.writeTo(target, d.reader, none, true);
        return Done{};
    } catch (const DatabaseError& e) {
        return databaseSentence(e, target, "write");
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

Status ProjectStore::saveAs(const std::string& given) {
    auto& d = *m_implementation;
    const std::string target = absolutePath(given);
    if (target == path()) return flush();
    try {
        ProjectLock lock;
        if (!lockProject(lock, target))
            throw Failure("Cannot write '" + target
                          + "': its folder does not exist or may not be written. Choose another folder.");
        static_cast<void>(d.queue.flush());
        d.queue.whilePaused([&](Database& writer, std::deque<WriteJob>& waiting) {
            const std::lock_guard reading(d.readMutex);
            d.writeTo(target, d.reader, waiting, false);
            Database next = openForWriting(target);
            Database nextReader(target, OpenMode::Read);
            // From here on nothing can fail: the project lives in the new file.
            d.reader = std::move(nextReader);
            if (writer.isOpen()) {
                try {
                    backToOneFile(writer);
                } catch (const DatabaseError&) {  // the old place has trouble: its WAL stays beside it
                }
            }
            writer = std::move(next);
            d.lock = std::move(lock);
            d.queue.setPath(target);
            const std::lock_guard state(d.mutex);
            d.path = target;
            d.isReadOnly = false;
            d.note.clear();
        });
        return Done{};
    } catch (const DatabaseError& e) {
        return databaseSentence(e, target, "write");
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

Status ProjectStore::Implementation::close(bool force) {
    if (isClosed) return Done{};
    if (!isReadOnly || queue.waiting() > 0)
        if (const Status s = queue.flush(); !s && !force) return s;
    isClosed = true;
    queue.stop();
    Database writer = queue.takeDatabase();
    {
        const std::lock_guard reading(readMutex);
        reader.close();
    }
    Status answer = Done{};
    if (writer.isOpen()) {
        try {
            Transaction t(writer);
            RunWriter(writer).eraseRemoved();
            t.commit();
            backToOneFile(writer);
        } catch (const std::exception& e) {
            answer = sentence(e, "tidy up");
        }
        writer.close();
    }
    lock.release();
    return answer;
}

Status ProjectStore::close() { return m_implementation->close(false); }

}  // namespace meander
