// How an opened file is handled, by its first bytes: names may have any ending, in any case. The ending decides only
// where the bytes do not (a damaged file, none yet).
#pragma once
#include <cstdint>
#include <string>

namespace meander {

enum class FileKind : std::uint8_t {
    Project,  // any SQLite database; opening it tells of another program's
    Image,    // PNG, JPEG or WebP, whose metadata may hold a recipe
    Recipe,   // JSON or text: a recipe of ours, settings or a graph of another program
    Other     // weights, points, folders, names of built-in models
};

FileKind fileKindOf(const std::string& path);
// The whole of a Meander project's mark is there.
bool isMeanderProject(const std::string& path);

}  // namespace meander
