// The layout of a project file and its history: a chain of steps v → v+1. To change the layout add a step at the end
// and a stored file of the old version under tests/engine/project/data; never change a step that was released.
#pragma once
#include "engine/project/database.h"

namespace meander {

constexpr std::int64_t projectApplicationId = 0x4D6E6472;  // "Mndr"

struct Migration {
    const char* what;  // for the log and the tests
    void (*apply)(Database&);
};
// migrations()[v] leads from version v to v + 1; version 0 is an empty database.
const std::vector<Migration>& migrations();
int newestProjectVersion();

// Throws Failure with a sentence when the file is not a project, or of a later version.
void checkIdentity(const Database& db, const std::string& path);
// Every missing step, each in its own transaction.
void migrate(Database& db);

// Rows and their checksums (checksum.h). The columns that a table's sum covers, in order: all but the sum.
std::string columnsOf(std::string_view table);
// "INSERT INTO table(columns, sum) VALUES(?1, ..., row_sum(?1, ...))"; `kind`: INSERT, INSERT OR REPLACE ...
std::string insertionInto(std::string_view table, std::string_view kind = "INSERT");
void writeMeta(Database& db, std::string_view key, std::string_view value);

}  // namespace meander
