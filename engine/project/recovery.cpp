#include "engine/project/recovery.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/core/durable_file.h"
#include "engine/project/run_rows.h"
#include "engine/project/schema.h"

namespace meander {
namespace {

namespace fs = std::filesystem;

// Removes a working copy and what lies beside it, however the function ends.
struct WorkingCopy {
    std::string path;
    ~WorkingCopy() {
        removeFile(path);
        removeCompanions(path);
    }
};

std::string copyName(const std::string& path, int n) {
    const fs::path p(path);
    return (p.parent_path()
            / (p.stem().string() + (n == 1 ? " (recovered)" : " (recovered " + std::to_string(n) + ")")
               + p.extension().string()))
        .string();
}

std::string freeName(const std::string& path) {
    int n = 1;
    while (fs::exists(copyName(path, n))) ++n;
    return copyName(path, n);
}

// Tells one damaged file from another, and from itself after a change: length and time of the last write.
std::string fingerprint(const std::string& path) {
    return std::to_string(fs::file_size(path)) + " "
           + std::to_string(fs::last_write_time(path).time_since_epoch().count());
}

constexpr const char* rescuedFrom = "rescued_from";

// The copy made when this file was opened before: opened again, it gives that one with what was done in it since.
std::string earlierCopy(const std::string& path) {
    const std::string wanted = fingerprint(path);
    for (int n = 1;; ++n) {
        const std::string candidate = copyName(path, n);
        if (!fs::exists(candidate)) return {};
        try {
            const Database db(candidate, OpenMode::Read);
            Statement s(db, "SELECT value FROM meta WHERE key = ?");
            s.bind(1, std::string_view(rescuedFrom));
            if (s.next() && s.text(0) == wanted) return candidate;
        } catch (const DatabaseError&) {  // damaged too
        }
    }
}

// Ids from both ends of the table, so that a damaged page in the middle costs only what is on it.
std::vector<std::string> idsOf(const Database& db, std::vector<std::string>& losses) {
    std::vector<std::string> ids;
    for (const char* direction : {"ASC", "DESC"}) {
        try {
            Statement s(db, std::string("SELECT id FROM run WHERE removed = 0 ORDER BY id ") + direction);
            while (s.next())
                if (std::find(ids.begin(), ids.end(), s.text(0)) == ids.end()) ids.push_back(s.text(0));
            break;
        } catch (const DatabaseError& e) {
            losses.push_back(e.what());
        }
    }
    // In the order of the list again, as far as it can be read.
    std::map<std::string, std::int64_t> places;
    for (const auto& id : ids) {
        try {
            Statement s(db, "SELECT position FROM run WHERE id = ?");
            s.bind(1, id);
            if (s.next()) places[id] = s.integer(0);
        } catch (const DatabaseError&) {  // stays where its id puts it
        }
    }
    std::stable_sort(ids.begin(), ids.end(), [&](const auto& a, const auto& b) { return places[a] < places[b]; });
    return ids;
}

void copyMeta(const Database& from, Database& to) {
    try {
        Statement s(from, "SELECT key, value, " + RunReader(from).soundness("meta") + " FROM meta");
        while (s.next())
            if (s.integer(2) != 0) writeMeta(to, s.text(0), s.text(1));
    } catch (const DatabaseError&) {  // name and draft are worth less than the runs
    }
}

// One run with whatever is sound of it; false when not even its row can be read.
bool copyRun(const Database& from, RunWriter& to, const std::string& id, Recovered& result) {
    std::vector<std::string> losses;
    const RunReader reader(from, &losses);
    Run run;
    try {
        run = reader.run(id);
    } catch (const std::exception&) {
        return false;
    }
    try {
        run.trajectory = reader.trajectory(id);
    } catch (const std::exception& e) {
        losses.push_back(e.what());
    }
    try {
        run.images = reader.images(id);
    } catch (const std::exception& e) {
        losses.push_back(e.what());
    }
    const bool ended =
        run.status == RunStatus::Finished || run.status == RunStatus::Cancelled || run.status == RunStatus::Failed;
    const bool isShort =
        !losses.empty() && (!run.trajectory || run.trajectory->steps.size() + 1 < run.trajectory->levels.size());
    if (!ended || (run.status == RunStatus::Finished && isShort)) run.status = RunStatus::Interrupted;
    if (!losses.empty()) ++result.damagedRuns;
    to.finish(run);
    ++result.runs;
    return true;
}

std::string sentenceOf(const std::string& path, const Recovered& r, int lost) {
    std::string s = "'" + path + "' is damaged. What could be read was put into the copy '" + r.path
                    + "', which is open now: " + std::to_string(r.runs) + (r.runs == 1 ? " run" : " runs");
    if (r.damagedRuns > 0) s += ", " + std::to_string(r.damagedRuns) + " of them incomplete";
    if (lost > 0) s += "; " + std::to_string(lost) + " could not be read";
    return s + ". The damaged file was left as it is.";
}

// "SQLite format 3" at the start; a project whose first bytes are gone is not found again.
bool looksLikeDatabase(const std::string& path) {
    std::array<char, 16> head{};
    std::ifstream in(path, std::ios::binary);
    return in.read(head.data(), head.size()) && std::memcmp(head.data(), "SQLite format 3", 16) == 0;
}

Recovered recover(const std::string& path) {
    if (!looksLikeDatabase(path))
        throw Failure(
            "'" + path
            + "' is not a Meander project, or its beginning is damaged. Choose a file that ends in .meander.");
    Recovered result;
    if (result.path = earlierCopy(path); !result.path.empty()) {
        result.sentence = "'" + path
                          + "' is damaged. What could be read of it when it was opened before is in the copy '"
                          + result.path + "', which is open now.";
        return result;
    }
    result.path = freeName(path);
    const WorkingCopy damaged{result.path + "-damaged"}, fresh{result.path + "-new"};
    fs::copy_file(path, damaged.path, fs::copy_options::overwrite_existing);
    if (fs::exists(path + "-wal"))
        fs::copy_file(path + "-wal", damaged.path + "-wal", fs::copy_options::overwrite_existing);

    Database from(damaged.path, OpenMode::Write), to(fresh.path, OpenMode::Create);
    std::vector<std::string> losses;
    try {
        if (from.number("PRAGMA user_version") > 0) migrate(from);
    } catch (const DatabaseError& e) {
        losses.push_back(e.what());
    }
    to.run("PRAGMA auto_vacuum = INCREMENTAL");
    migrate(to);
    int lost = 0;
    {
        Transaction t(to);
        RunWriter writer(to);
        copyMeta(from, to);
        writeMeta(to, rescuedFrom, fingerprint(path));
        for (const auto& id : idsOf(from, losses))
            if (!copyRun(from, writer, id, result)) ++lost;
        t.commit();
    }
    to.close();
    if (result.runs == 0 && (lost > 0 || !losses.empty()))
        throw Failure("'" + path + "' is damaged and no run in it can be read. The file was left as it is.");
    replaceFile(fresh.path, result.path);
    result.sentence = sentenceOf(path, result, lost);
    return result;
}

}  // namespace

Result<Recovered> recoverProject(const std::string& path) {
    try {
        return recover(path);
    } catch (const DatabaseError& e) {
        return Error{"'" + path + "' is damaged and nothing in it can be read. The file was left as it is.", e.what()};
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

}  // namespace meander
