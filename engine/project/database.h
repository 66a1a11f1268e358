// SQLite with owners: a connection, a prepared statement and a transaction. Failures throw DatabaseError; the project
// store turns them into sentences.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace meander {

struct DatabaseError : std::runtime_error {
    DatabaseError(int resultCode, const std::string& what) : std::runtime_error(what), code(resultCode) {}
    int code;                  // SQLite's primary result code
    bool isDamage() const;     // not a database, malformed
    bool isTemporary() const;  // disk full, read only, input/output, memory: worth trying again
};

enum class OpenMode : std::uint8_t { Read, Write, Create };

class Database {
public:
    Database() = default;
    Database(const std::string& path, OpenMode mode);
    ~Database();
    Database(Database&& o) noexcept;
    Database& operator=(Database&& o) noexcept;

    bool isOpen() const { return m_handle != nullptr; }
    void close();
    void run(const std::string& sql);                   // no results
    std::int64_t number(const std::string& sql) const;  // first column of the first row; 0 when there is none
    std::string text(const std::string& sql) const;
    std::int64_t lastId() const;
    sqlite3* handle() const { return m_handle; }

private:
    sqlite3* m_handle = nullptr;
};

// Bind with `bind(1, ...)`, then step through the rows. Column values are checked for their kind.
class Statement {
public:
    Statement(const Database& db, const std::string& sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(int i, std::int64_t v);
    Statement& bind(int i, double v);  // NaN becomes null
    Statement& bind(int i, std::string_view v);
    Statement& bind(int i, std::span<const std::byte> v);
    Statement& bindNull(int i);
    Statement& bind(int i, std::optional<std::int64_t> v) { return v ? bind(i, *v) : bindNull(i); }

    bool next();     // false after the last row
    void finish() {  // for statements without rows; ready for new bindings
        while (next()) {}
        reset();
    }
    void reset();

    bool isNull(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;  // NaN for null
    std::string text(int column) const;
    std::vector<std::byte> blob(int column) const;
    // Valid until the next step.
    std::span<const std::byte> blobView(int column) const;

private:
    void check(int code) const;
    sqlite3* m_db = nullptr;
    sqlite3_stmt* m_statement = nullptr;
};

// Rolled back unless committed.
class Transaction {
public:
    explicit Transaction(Database& db);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Database* m_db;
};

}  // namespace meander
