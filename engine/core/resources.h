// Where the files that belong to the program are: environment MEANDER_RESOURCES, then ../share/meander beside the
// executable, then the source folder.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace meander {

// Folders that are searched, best first; only those that exist.
std::vector<std::string> resourceFolders();
// Absolute path of a file or folder below a resource folder ("models/sprites-unet"), or nothing.
std::optional<std::string> findResource(const std::string& relative);

}  // namespace meander
