// Creating and opening projects.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/core/json.h"
#include "engine/project/project_state.h"
#include "engine/project/recovery.h"
#include "engine/project/schema.h"
#include "meander_version.h"

namespace meander {
namespace {

namespace fs = std::filesystem;
// Larger files are not read through when they are opened; damage in them is found when a run is loaded.
constexpr std::uintmax_t checkedOnOpening = std::uintmax_t(96) << 20;

void writeEmptyProject(const std::string& path) {
    const std::string fresh = path + "-new";
    removeFile(fresh);
    removeCompanions(fresh);
    {
        Database db(fresh, OpenMode::Create);
        db.run("PRAGMA auto_vacuum = INCREMENTAL");
        migrate(db);
        Transaction t(db);
        writeMeta(db, "created", nowUtc());
        writeMeta(db, "program", MEANDER_VERSION);
        t.commit();
    }
    removeCompanions(path);
    replaceFile(fresh, path);
}

struct Damage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

bool isWritable(const std::string& path) {
    std::ofstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    return bool(out);
}

// A file that ends inside a page lost its end, unless a journal beside it still holds what is missing.
bool endsInsidePage(const Database& db, const std::string& path) {
    std::error_code error;
    const auto journal = fs::file_size(path + "-wal", error);
    if (!error && journal > 0) return false;
    const auto size = fs::file_size(path, error);
    const auto page = db.number("PRAGMA page_size");
    return !error && page > 0 && size % std::uintmax_t(page) != 0;
}

// Identity, version and, for files of ordinary size, every page.
void examine(const Database& db, const std::string& path) {
    checkIdentity(db, path);
    if (endsInsidePage(db, path)) throw Damage("the file ends inside a page");
    std::error_code error;
    if (fs::file_size(path, error) <= checkedOnOpening && !error) {
        const std::string answer = db.text("PRAGMA quick_check(1)");
        if (answer != "ok") throw Damage(answer);
    }
    Statement(db, "SELECT id, header, model FROM run LIMIT 1").next();
}

}  // namespace

void removeUnfinished(const std::string& path) {
    removeFile(path + "-new");
    removeCompanions(path + "-new");
}

bool lockProject(ProjectLock& lock, const std::string& path) {
    const auto answer = lock.take(path);
    if (answer == ProjectLock::LockResult::HeldByOther)
        throw Failure("'" + path + "' is open in another Meander. Close it there, or work on a copy.");
    return answer == ProjectLock::LockResult::Taken;
}

Database openForWriting(const std::string& path) {
    Database db(path, OpenMode::Write);
    if (db.text("PRAGMA journal_mode = WAL") != "wal")
        throw DatabaseError(8, "the journal cannot be kept beside the file");
    db.run("PRAGMA synchronous = NORMAL");
    return db;
}

void backToOneFile(Database& db) {
    db.run("PRAGMA incremental_vacuum");
    Statement(db, "PRAGMA wal_checkpoint(TRUNCATE)").finish();
    Statement(db, "PRAGMA journal_mode = DELETE").finish();
}

void ProjectStore::Implementation::attach(Database writer) {
    if (writer.isOpen()) {
        Transaction t(writer);
        RunWriter(writer).interruptRunning();
        writeMeta(writer, "program", MEANDER_VERSION);
        t.commit();
    }
    reader = Database(path, OpenMode::Read);
    readMeta();
    queue.start(std::move(writer));
}

void ProjectStore::Implementation::readMeta() {
    const auto recipe = [](const std::string& text) -> std::optional<Recipe> {
        const auto j = parseJson(text, "a draft");
        if (!j) return {};
        auto r = recipeFromJson(*j);
        return r ? std::optional<Recipe>(*r) : std::nullopt;
    };
    Statement s(reader, "SELECT key, value, " + RunReader(reader).soundness("meta") + " FROM meta");
    while (s.next()) {
        const std::string key = s.text(0), value = s.text(1);
        if (s.integer(2) == 0) {
            note += (note.empty() ? "" : " ") + ("The " + key + " of '" + path + "' is damaged and was left out.");
            continue;
        }
        if (key == "queue")
            if (auto j = parseJson(value, "the order of the queue"); j && j->is_array())
                for (const auto& id : *j)
                    if (id.is_string()) waitingOrder.push_back(id.get<std::string>());
        if (key.starts_with("sweep/"))
            if (auto j = parseJson(value, "a sweep"))
                if (auto sweep = sweepFromJson(*j)) sweeps.push_back(std::move(*sweep));
        if (key == "name") info.name = value;
        if (key == "created") info.created = value;
        if (key == "program") info.program = value;
        if (key == "draft") draft = recipe(value);
        if (key == "autosave") recoverable = recipe(value);
    }
    std::stable_sort(sweeps.begin(), sweeps.end(),
                     [](const Sweep& a, const Sweep& b) { return a.created < b.created; });
    if (recoverable && draft && *recoverable == *draft) recoverable.reset();
}

Result<std::unique_ptr<ProjectStore>> ProjectStore::create(const std::string& given, bool replace) {
    const std::string path = absolutePath(given);
    auto d = std::make_unique<Implementation>(path);
    try {
        if (fs::is_directory(path)) throw Failure("Cannot make the project '" + path + "': a folder has this name.");
        if (!replace && fs::exists(path))
            throw Failure("Cannot make the project '" + path
                          + "': the file exists already. Open it, or choose another name.");
        if (!lockProject(d->lock, path))
            throw Failure("Cannot make the project '" + path
                          + "': its folder does not exist or may not be written. Choose another folder.");
        writeEmptyProject(path);
        d->attach(openForWriting(path));
        return std::unique_ptr<ProjectStore>(new ProjectStore(std::move(d)));
    } catch (const std::exception& e) {
        return d->sentence(e, "make the project");
    }
}

Result<std::unique_ptr<ProjectStore>> ProjectStore::open(const std::string& given) {
    const std::string path = absolutePath(given);
    auto d = std::make_unique<Implementation>(path);
    try {
        if (!fs::exists(path)) throw Failure("There is no project '" + path + "'. It may have been moved or deleted.");
        if (!fs::is_regular_file(path)) throw Failure("Cannot open '" + path + "': it is not a file.");
        d->isReadOnly = !lockProject(d->lock, path) || !isWritable(path);
        if (!d->isReadOnly) removeUnfinished(path);
        try {
            Database writer;
            if (!d->isReadOnly) {
                try {
                    examine(Database(path, OpenMode::Write), path);  // plays back what a crash left in the WAL
                    writer = openForWriting(path);
                    migrate(writer);
                } catch (const DatabaseError& e) {
                    if (e.code != SQLITE_FULL) throw;
                    writer = {};
                    d->isReadOnly = true;  // no room for a journal
                }
            }
            if (d->isReadOnly) {
                examine(Database(path, OpenMode::Read), path);
                d->note = "'" + path
                          + "' cannot be written: it is open for reading. To keep changes, save the project under "
                            "another name.";
            }
            d->attach(std::move(writer));
            return std::unique_ptr<ProjectStore>(new ProjectStore(std::move(d)));
        } catch (const Damage&) {
        } catch (const DatabaseError& e) {
            if (!e.isDamage() && e.code != 1) throw;  // 1: a table or column is missing
        }
        d->lock.release();
        auto copy = recoverProject(path);
        if (!copy) return copy.error();
        auto store = open(copy->path);
        if (store) store.value()->m_implementation->note = copy->sentence;
        return store;
    } catch (const std::exception& e) {
        return d->sentence(e, "open");
    }
}

}  // namespace meander
