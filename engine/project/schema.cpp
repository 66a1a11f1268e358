#include "engine/project/schema.h"

#include <algorithm>
#include <stdexcept>

#include "meander_version.h"

namespace meander {
namespace {

void makeVersion1(Database& db) {
    db.run(R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE model(id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE run(id TEXT PRIMARY KEY, position INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, pinned INTEGER NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0, created TEXT NOT NULL, header TEXT NOT NULL, model INTEGER, levels BLOB,
  sites TEXT, tokens TEXT, initial INTEGER, pictures INTEGER) WITHOUT ROWID;
CREATE TABLE step(run TEXT NOT NULL, idx INTEGER NOT NULL, t_from REAL, t_to REAL, stochastic INTEGER NOT NULL,
  state INTEGER, PRIMARY KEY(run, idx)) WITHOUT ROWID;
CREATE TABLE evaluation(run TEXT NOT NULL, idx INTEGER NOT NULL, step INTEGER NOT NULL, tau REAL, sigma REAL,
  log_snr REAL, network_time REAL, weight REAL, network_rows INTEGER,
  rows_in_call INTEGER, milliseconds REAL, replayed INTEGER NOT NULL, state INTEGER, denoised INTEGER,
  PRIMARY KEY(run, idx)) WITHOUT ROWID;
CREATE TABLE branch(run TEXT NOT NULL, evaluation INTEGER NOT NULL, position INTEGER NOT NULL, branch TEXT NOT NULL,
  denoised INTEGER, PRIMARY KEY(run, evaluation, position)) WITHOUT ROWID;
CREATE TABLE attention(run TEXT NOT NULL, evaluation INTEGER NOT NULL, image INTEGER NOT NULL, site INTEGER NOT NULL,
  heads INTEGER NOT NULL, probabilities INTEGER, entropy BLOB, mass BLOB,
  PRIMARY KEY(run, evaluation, image, site)) WITHOUT ROWID;
CREATE TABLE tensor(id INTEGER PRIMARY KEY, run TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX tensor_run ON tensor(run);
)");
    db.run("PRAGMA application_id = " + std::to_string(projectApplicationId));
}

// What guidance rules measured, a number for every image. Position −1: the selection of particles.
void makeVersion2(Database& db) {
    db.run(R"(
CREATE TABLE reading(run TEXT NOT NULL, evaluation INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,
  numbers BLOB NOT NULL, PRIMARY KEY(run, evaluation, position)) WITHOUT ROWID;
)");
}

struct SummedTable {
    const char *table, *columns;
};

// What the sums of version 3 cover.
constexpr SummedTable summedInVersion3[] = {
    {"meta", "key, value"},
    {"model", "json"},
    {"run", "id, position, number, name, status, pinned, removed, created, header, model, levels, sites, tokens, "
            "initial, pictures"},
    {"step", "run, idx, t_from, t_to, stochastic, state"},
    {"evaluation", "run, idx, step, tau, sigma, log_snr, network_time, weight, network_rows, rows_in_call, "
                   "milliseconds, replayed, state, denoised"},
    {"branch", "run, evaluation, position, branch, denoised"},
    {"reading", "run, evaluation, position, name, numbers"},
    {"attention", "run, evaluation, image, site, heads, probabilities, entropy, mass"},
    {"tensor", "run, data"},
};

// A checksum of every row. Tensors of older versions keep to the one in their blob.
void makeVersion3(Database& db) {
    for (const auto& [table, columns] : summedInVersion3) {
        db.run(std::string("ALTER TABLE ") + table + " ADD COLUMN sum INTEGER");
        if (std::string_view(table) != "tensor")
            db.run(std::string("UPDATE ") + table + " SET sum = row_sum(" + columns + ")");
    }
}

// What the sums of the newest version cover: a step that adds a table or a column enters it here too, and sums its old
// rows anew where their old sum holds.
const std::vector<SummedTable>& summedTables() {
    static const std::vector<SummedTable> tables(std::begin(summedInVersion3), std::end(summedInVersion3));
    return tables;
}

}  // namespace

std::string columnsOf(std::string_view table) {
    for (const auto& t : summedTables())
        if (table == t.table) return t.columns;
    throw std::logic_error("no summed table");
}

std::string insertionInto(std::string_view table, std::string_view kind) {
    const std::string columns = columnsOf(table);
    const auto count = std::count(columns.begin(), columns.end(), ',') + 1;
    std::string values;
    for (std::ptrdiff_t i = 1; i <= count; ++i) values += (i > 1 ? ", ?" : "?") + std::to_string(i);
    return std::string(kind) + " INTO " + std::string(table) + "(" + columns + ", sum) VALUES(" + values + ", row_sum("
           + values + "))";
}

void writeMeta(Database& db, std::string_view key, std::string_view value) {
    Statement(db, insertionInto("meta", "INSERT OR REPLACE")).bind(1, key).bind(2, value).finish();
}

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> steps = {
        {"a new project", makeVersion1},
        {"readings of guidance rules", makeVersion2},
        {"checksums of rows", makeVersion3},
    };
    return steps;
}

int newestProjectVersion() { return int(migrations().size()); }

void checkIdentity(const Database& db, const std::string& path) {
    const auto id = db.number("PRAGMA application_id");
    if (id != projectApplicationId)
        throw Failure(
            "'" + path
            + "' is not a Meander project: it is a database of another program. Choose a file that ends in .meander.");
    const auto version = db.number("PRAGMA user_version");
    if (version > newestProjectVersion()) {
        std::string writer;
        try {
            writer = db.text("SELECT value FROM meta WHERE key = 'program'").substr(0, 40);
        } catch (const DatabaseError&) {}
        throw Failure("'" + path + "' was written by " + (writer.empty() ? "a later Meander" : "Meander " + writer)
                      + " as project version " + std::to_string(version)
                      + "; this is Meander " MEANDER_VERSION ", which reads up to version "
                      + std::to_string(newestProjectVersion()) + ". Install a newer Meander to open it.");
    }
    if (version < 1)
        throw Failure("'" + path
                      + "' is an empty or unfinished Meander project and has nothing to open. Make a new project.");
}

void migrate(Database& db) {
    for (auto v = db.number("PRAGMA user_version"); v < newestProjectVersion(); ++v) {
        Transaction t(db);
        migrations()[std::size_t(v)].apply(db);
        db.run("PRAGMA user_version = " + std::to_string(v + 1));
        t.commit();
    }
}

}  // namespace meander
