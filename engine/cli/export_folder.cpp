#include "engine/cli/export_folder.h"

#include <filesystem>
#include <set>

#include "engine/core/durable_file.h"
#include "engine/exchange/run_export.h"

namespace meander::cli {
namespace {

namespace fs = std::filesystem;

bool isOfExport(const std::string& name) {
    return name.starts_with("image-") || name.starts_with("strip-") || name.starts_with("attention/image-")
           || name == "points.npy" || name == "trajectory.csv" || name == "diagnostics.csv" || name == "run.json";
}

// Files of an earlier run. (A recipe.json alone may be a person's own.)
std::set<fs::path> filesOfExport(const fs::path& folder) {
    std::set<fs::path> files;
    std::error_code error;
    const auto add = [&](const fs::path& path) {
        if (isOfExport(path.lexically_relative(folder).generic_string()) && fs::is_regular_file(path, error))
            files.insert(path);
    };
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) add(it->path());
    for (fs::recursive_directory_iterator it(folder / "attention", error), end; !error && it != end;
         it.increment(error))
        add(it->path());
    return files;
}

}  // namespace

CLI::Option* addFolder(CLI::App& command, std::string& folder, bool& isReplacing) {
    auto* option = command
                       .add_option("-o,--output", folder,
                                   "Folder for images, film strips, tables and attention maps of this run alone")
                       ->type_name("FOLDER")
                       ->check(notEmpty());
    command.add_flag("--replace", isReplacing, "Remove the files of an earlier run from that folder");
    return option;
}

void prepareFolder(const std::string& folder, bool isReplacing) {
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
    if (const auto files = filesOfExport(folder); !files.empty() && !isReplacing)
        throw Failure("The folder '" + folder + "' holds the files of another run ("
                      + files.begin()->lexically_relative(folder).generic_string() + (files.size() > 1 ? " …" : "")
                      + "). Choose another folder, or add --replace to remove them.");
}

std::vector<std::string> exportInto(const Run& run, const std::string& folder, bool isReplacing) {
    if (isReplacing)
        for (const auto& file : filesOfExport(folder)) removeFile(file.string());
    return valueOrThrow(exportRun(run, folder));
}

}  // namespace meander::cli
