// What a file is, by its first bytes: names may have any ending, in any case. The ending decides only where the bytes
// do not (a damaged file, none yet).
#pragma once
#include <cstdint>
#include <string>

namespace meander {

enum class FileKind : std::uint8_t {
    Project,
    Image,
    Other
};  // Project: any SQLite database; opening it tells of another program's

FileKind fileKindOf(const std::string& path);
// The whole of a Meander project's mark is there.
bool isMeanderProject(const std::string& path);

}  // namespace meander
