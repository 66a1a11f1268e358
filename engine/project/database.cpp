#include "engine/project/database.h"

#include <sqlite3.h>

#include <cmath>
#include <limits>
#include <utility>

#include "engine/project/checksum.h"

namespace meander {
namespace {

[[noreturn]] void fail(sqlite3* db, int code, const std::string& doing) {
    const std::string reason = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    throw DatabaseError(code & 0xff, doing + ": " + reason);
}

}  // namespace

bool DatabaseError::isDamage() const {
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_FORMAT;
}
bool DatabaseError::isTemporary() const {
    return code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_READONLY || code == SQLITE_CANTOPEN
           || code == SQLITE_NOMEM || code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PERM
           || code == SQLITE_AUTH || code == SQLITE_PROTOCOL;
}

Database::Database(const std::string& path, OpenMode mode) {
    const int flags = (mode == OpenMode::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE)
                      | (mode == OpenMode::Create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_FULLMUTEX;
    const int code = sqlite3_open_v2(path.c_str(), &m_handle, flags, nullptr);
    if (code != SQLITE_OK) {
        const std::string reason = m_handle ? sqlite3_errmsg(m_handle) : sqlite3_errstr(code);
        sqlite3_close(m_handle);
        m_handle = nullptr;
        throw DatabaseError(code & 0xff, "open: " + reason);
    }
    sqlite3_busy_timeout(m_handle, 10'000);
    // A file made by somebody else may hold views or triggers with SQL of its own: do not run any of it.
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    addRowSum(m_handle);
}

Database::~Database() { close(); }
Database::Database(Database&& o) noexcept : m_handle(std::exchange(o.m_handle, nullptr)) {}
Database& Database::operator=(Database&& o) noexcept {
    if (this != &o) {
        close();
        m_handle = std::exchange(o.m_handle, nullptr);
    }
    return *this;
}

void Database::close() {
    sqlite3_close_v2(m_handle);
    m_handle = nullptr;
}

void Database::run(const std::string& sql) {
    const int code = sqlite3_exec(m_handle, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(m_handle, code, sql.substr(0, 80));
}

std::int64_t Database::number(const std::string& sql) const {
    Statement s(*this, sql);
    return s.next() ? s.integer(0) : 0;
}

std::string Database::text(const std::string& sql) const {
    Statement s(*this, sql);
    return s.next() ? s.text(0) : std::string();
}

std::int64_t Database::lastId() const { return sqlite3_last_insert_rowid(m_handle); }

Statement::Statement(const Database& db, const std::string& sql) : m_db(db.handle()) {
    check(sqlite3_prepare_v2(m_db, sql.data(), int(sql.size()), &m_statement, nullptr));
}
Statement::~Statement() { sqlite3_finalize(m_statement); }

void Statement::check(int code) const {
    if (code != SQLITE_OK) fail(m_db, code, "statement");
}

Statement& Statement::bind(int i, std::int64_t v) {
    check(sqlite3_bind_int64(m_statement, i, v));
    return *this;
}
Statement& Statement::bind(int i, double v) {
    if (std::isnan(v)) return bindNull(i);
    check(sqlite3_bind_double(m_statement, i, v));
    return *this;
}
Statement& Statement::bind(int i, std::string_view v) {
    check(sqlite3_bind_text64(m_statement, i, v.data() ? v.data() : "", v.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}
Statement& Statement::bind(int i, std::span<const std::byte> v) {
    if (v.empty()) {
        check(sqlite3_bind_zeroblob(m_statement, i, 0));
        return *this;
    }
    check(sqlite3_bind_blob64(m_statement, i, v.data(), v.size(), SQLITE_TRANSIENT));
    return *this;
}
Statement& Statement::bindNull(int i) {
    check(sqlite3_bind_null(m_statement, i));
    return *this;
}

bool Statement::next() {
    const int code = sqlite3_step(m_statement);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    const std::string reason = sqlite3_errmsg(m_db);
    sqlite3_reset(m_statement);
    throw DatabaseError(code & 0xff, "step: " + reason);
}

void Statement::reset() {
    sqlite3_reset(m_statement);
    sqlite3_clear_bindings(m_statement);
}

bool Statement::isNull(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_statement, column); }
double Statement::real(int column) const {
    return isNull(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(m_statement, column);
}
std::string Statement::text(int column) const {
    const auto* t = sqlite3_column_text(m_statement, column);
    return t ? std::string(reinterpret_cast<const char*>(t), std::size_t(sqlite3_column_bytes(m_statement, column)))
             : std::string();
}
std::span<const std::byte> Statement::blobView(int column) const {
    const void* b = sqlite3_column_blob(m_statement, column);
    return {static_cast<const std::byte*>(b), b ? std::size_t(sqlite3_column_bytes(m_statement, column)) : 0};
}
std::vector<std::byte> Statement::blob(int column) const {
    const auto view = blobView(column);
    return {view.begin(), view.end()};
}

Transaction::Transaction(Database& db) : m_db(&db) { db.run("BEGIN IMMEDIATE"); }
Transaction::~Transaction() {
    if (m_db && !sqlite3_get_autocommit(m_db->handle()))
        sqlite3_exec(m_db->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}
void Transaction::commit() {
    m_db->run("COMMIT");
    m_db = nullptr;
}

}  // namespace meander
