#include "engine/cli/progress.h"

#include <cstdio>

#ifndef _WIN32
#    include <unistd.h>
#endif

#include "engine/core/printable.h"

namespace meander::cli {

bool isWatched() {
#ifdef _WIN32
    return false;
#else
    return ::isatty(2) == 1;
#endif
}

void showProgress(const std::string& line) {
    if (isWatched()) std::fprintf(stderr, "\r%s", printable(line).c_str());
}

void clearProgress() {
    if (isWatched()) std::fprintf(stderr, "\r%78s\r", "");
}

}  // namespace meander::cli
