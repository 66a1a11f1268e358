#include "engine/cli/export_folder.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "engine/core/durable_file.h"
#include "engine/exchange/run_export.h"

namespace meander::cli {
namespace {

namespace fs = std::filesystem;

// Files that exports write and this one did not.
std::set<std::string> leftovers(const fs::path& folder, const std::vector<std::string>& written) {
    std::set<std::string> names;
    std::error_code error;
    const auto add = [&](const fs::path& path) {
        const std::string name = path.lexically_relative(folder).generic_string();
        const bool isOurs = name.starts_with("image-") || name.starts_with("strip-")
                            || name.starts_with("attention/image-") || name == "points.npy" || name == "trajectory.csv"
                            || name == "diagnostics.csv";
        if (isOurs && fs::is_regular_file(path, error)
            && std::find(written.begin(), written.end(), name) == written.end())
            names.insert(name);
    };
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) add(it->path());
    for (fs::recursive_directory_iterator it(folder / "attention", error), end; !error && it != end;
         it.increment(error))
        add(it->path());
    return names;
}

}  // namespace

CLI::Option* addFolder(CLI::App& command, std::string& folder) {
    return command.add_option("-o,--output", folder, "Folder for images, film strips, tables and attention maps")
        ->type_name("FOLDER")
        ->check(notEmpty());
}

void prepareFolder(const std::string& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder, error))
        throw Failure("Cannot write to '" + folder
                      + "': " + (fs::exists(folder, error) ? "it is no folder" : "the folder cannot be made")
                      + ". Choose another folder.");
    const std::string probe = (fs::path(folder) / ".meander-probe").string();
    const Status s = writeWholeFile(probe, "meander");
    removeFile(probe);
    if (!s)
        throw Failure("Cannot write to the folder '" + folder
                      + "'. Check that it may be written and has room, or choose another.");
}

std::vector<std::string> exportInto(const Run& run, const std::string& folder) {
    auto files = valueOrThrow(exportRun(run, folder));
    if (const auto old = leftovers(folder, files); !old.empty())
        std::cerr << "meander-run: '" << folder << "' also holds " << old.size()
                  << (old.size() == 1 ? " file" : " files") << " of another export, " << *old.begin()
                  << (old.size() == 1 ? "" : " first") << ". Remove what is not wanted, or export into a new folder.\n";
    return files;
}

}  // namespace meander::cli
