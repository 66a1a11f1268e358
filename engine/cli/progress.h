// A line on stderr that the next one overwrites, where a person watches a terminal. Its text is escaped, the program's
// own carriage return is not.
#pragma once
#include <string>

namespace meander::cli {

bool isWatched();
void showProgress(const std::string& line);
void clearProgress();

}  // namespace meander::cli
