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

}  // namespace meander
