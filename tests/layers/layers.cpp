// Reads every #include of the tree and says which ones break the plan of the house: gui → engine → kernels, one way
// down, one way inside engine and gui too, and each library in its room.
//   check_layers includes <root>   file:line of every include that goes up or sideways; exit 1 when there is one
//   check_layers columns <root>    file:line of every line over 120 columns; exit 1 when there is one
//   check_layers lengths <root>    files over the soft limit of 400 lines; always exit 0
//   check_layers self              the rules tried on includes that must pass and includes that must not
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr int softLimit = 400;
const std::vector<std::string> rooms{"kernels", "engine", "gui", "tests"};

bool startsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }
bool startsWithAny(std::string_view text, const std::vector<std::string>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& p) { return startsWith(text, p); });
}

// "gui/panels/x.h" in a file of the tree: where the file is, what it asks for, with quotes or brackets.
struct Include {
    std::string file;  // relative to the root
    int line = 0;
    std::string name;
    bool quoted = false;
};

// A folder of the tree and the project folders its files may include. The first row that fits a file counts.
struct Room {
    std::string folder;
    std::vector<std::string> mayInclude;
};
const std::vector<Room> roomRules{
    {"kernels/api/", {"kernels/api/"}},
    {"kernels/cpu/", {"kernels/api/", "kernels/cpu/"}},
    {"kernels/cuda/", {"kernels/api/", "kernels/cuda/"}},
    {"kernels/", {"kernels/api/", "kernels/cpu/", "kernels/verify/"}},
    {"engine/", {"engine/", "kernels/api/", "kernels/verify/"}},
    {"gui/", {"gui/", "engine/"}},
    {"tests/kernels/", {"tests/", "kernels/"}},
    {"tests/engine/", {"tests/", "engine/", "kernels/"}},
    {"tests/gui/", {"tests/", "gui/", "engine/"}},
    {"tests/", {"tests/", "gui/", "engine/", "kernels/"}},
};

// The folders inside two rooms, each may include those before it: one direction here too. Panels do not include each
// other, only what lies directly in gui/panels. A new folder is a name in its place.
const std::vector<std::string> engineFolders{"core",          "tensor",   "imaging",  "process",  "taps",     "nn",
                                             "weights",       "schedule", "sampling", "models",   "sprites",  "recipe",
                                             "interventions", "guidance", "run",      "analysis", "optimise", "sweep",
                                             "project",       "exchange", "cli"};
const std::vector<std::string> guiFolders{"look",     "commands",  "widgets", "plots",  "images", "bridge",
                                          "document", "selection", "forms",   "panels", "app"};

// "engine/run/plan.h" → "run"; empty for a file directly in the room.
std::string folderOf(const std::string& path, int depth = 1) {
    std::size_t begin = 0;
    for (int i = 0; i < depth; ++i) {
        begin = path.find('/', begin);
        if (begin == std::string::npos) return "";
        ++begin;
    }
    const std::size_t end = path.find('/', begin);
    return end == std::string::npos ? "" : path.substr(begin, end - begin);
}

std::optional<std::string> folderComplaint(const std::string& file, const std::string& target) {
    for (const auto& [room, folders] : {std::pair{"engine/", &engineFolders}, std::pair{"gui/", &guiFolders}}) {
        if (!startsWith(file, room) || !startsWith(target, room)) continue;
        const std::string from = folderOf(file), to = folderOf(target);
        const auto here = std::find(folders->begin(), folders->end(), from);
        const auto there = std::find(folders->begin(), folders->end(), to);
        if (here == folders->end()) return room + from + " is in no row of tests/layers/layers.cpp";
        if (there == folders->end()) return room + to + " is in no row of tests/layers/layers.cpp";
        if (there > here) return room + to + " lies above " + room + from;
        if (from == "panels" && to == "panels" && !folderOf(target, 2).empty()
            && folderOf(file, 2) != folderOf(target, 2))
            return "panels do not include each other; what two of them need goes below";
    }
    return {};
}

// A library and the folders whose files may include it; none: nobody.
struct Library {
    std::string label;
    std::vector<std::string> headers;
    std::vector<std::string> folders;
};
const std::vector<Library> libraryRules{
    {"CUDA",
     {"cuda", "cublas", "cudnn", "curand", "cufft", "nvrtc", "nvtx", "nvToolsExt", "cub/", "thrust/", "mma.h",
      "cooperative_groups", "driver_types.h", "vector_types.h"},
     {"kernels/cuda/", "tests/kernels/cuda/"}},
    {"oneDNN", {"oneapi/dnnl/", "dnnl"}, {"kernels/cpu/"}},
    {"OpenMP", {"omp.h"}, {"kernels/cpu/"}},
    {"OpenCV outside core and imgproc",
     {"opencv2/highgui", "opencv2/imgcodecs", "opencv2/videoio", "opencv2/dnn", "opencv2/opencv.hpp"},
     {}},
    {"OpenCV", {"opencv2/"}, {"engine/", "tests/engine/"}},
    {"SQLite", {"sqlite3"}, {"engine/project/", "tests/engine/"}},
    {"zstd", {"zstd"}, {"engine/", "tests/engine/"}},
    {"libpng", {"png.h"}, {"engine/", "tests/engine/"}},
    {"CLI11", {"CLI/"}, {"engine/cli/"}},
    {"spdlog", {"spdlog/"}, {"engine/", "gui/"}},
    {"nlohmann-json", {"nlohmann/"}, {"engine/", "gui/", "tests/"}},
};
bool isQt(std::string_view name) {
    return startsWith(name, "Qt")
           || (name.size() > 1 && name[0] == 'Q' && std::isupper(static_cast<unsigned char>(name[1])));
}

// A sentence about what is wrong with an include, or nothing.
std::optional<std::string> complaint(const Include& i, const fs::path& root) {
    if (i.name.find("..") != std::string::npos) return "goes up by \"..\"; write the path from the root of the tree";
    if (isQt(i.name) && !startsWithAny(i.file, {"gui/", "tests/"}))
        return "Qt belongs in gui and tests: kernels and engine are built without it";
    for (const auto& library : libraryRules)
        if (startsWithAny(i.name, library.headers) && !(i.quoted && startsWithAny(i.name, rooms))) {
            if (startsWithAny(i.file, library.folders)) break;
            std::string where;
            for (const auto& f : library.folders) where += (where.empty() ? "" : ", ") + f;
            return library.label + (where.empty() ? " is not used in this program" : " belongs in " + where);
        }
    std::string target = i.name;
    const bool fromRoot =
        std::any_of(rooms.begin(), rooms.end(), [&](const auto& r) { return startsWith(target, r + "/"); });
    if (!fromRoot) {
        if (!i.quoted) return {};
        const fs::path beside = fs::path(i.file).parent_path() / i.name;
        std::error_code error;
        if (!fs::exists(root / beside, error))
            return {};  // made by the build (moc, version) or the compiler's business
        target = beside.generic_string();
    }
    for (const auto& room : roomRules)
        if (startsWith(i.file, room.folder)) {
            if (startsWithAny(target, room.mayInclude)) return folderComplaint(i.file, target);
            std::string allowed;
            for (const auto& f : room.mayInclude) allowed += (allowed.empty() ? "" : ", ") + f;
            return room.folder + " may include " + allowed;
        }
    return "lies in no known room";
}

bool isSource(const fs::path& p) {
    static const std::vector<std::string> endings{".h", ".hpp", ".cuh", ".inl", ".c", ".cpp", ".cu"};
    return std::find(endings.begin(), endings.end(), p.extension().string()) != endings.end();
}

std::vector<std::string> sources(const fs::path& root) {
    std::vector<std::string> found;
    for (const auto& room : rooms)
        if (fs::is_directory(root / room))
            for (const auto& entry : fs::recursive_directory_iterator(root / room))
                if (entry.is_regular_file() && isSource(entry.path()))
                    found.push_back(fs::relative(entry.path(), root).generic_string());
    std::sort(found.begin(), found.end());
    return found;
}

std::optional<Include> parse(const std::string& line) {
    std::size_t at = line.find_first_not_of(" \t");
    if (at == std::string::npos || line[at] != '#') return {};
    at = line.find_first_not_of(" \t", at + 1);
    if (at == std::string::npos || line.compare(at, 7, "include") != 0) return {};
    at = line.find_first_of("\"<", at + 7);
    if (at == std::string::npos) return {};
    const std::size_t end = line.find(line[at] == '<' ? '>' : '"', at + 1);
    if (end == std::string::npos) return {};
    return Include{{}, 0, line.substr(at + 1, end - at - 1), line[at] == '"'};
}

// kernels/api/x.cpp beside kernels/api/x.h includes it before anything else, so compiling it proves that the header
// needs nothing else. (gui has a precompiled header that would hide what is missing; CMakeLists.txt compiles those
// headers alone.)
std::string ownHeader(const std::string& file, const fs::path& root) {
    const fs::path header = fs::path(file).replace_extension(".h");
    const bool applies = fs::path(file).extension() == ".cpp" && startsWithAny(file, {"kernels/", "engine/"})
                         && fs::exists(root / header);
    return applies ? header.generic_string() : "";
}

int checkIncludes(const fs::path& root) {
    int files = 0, includes = 0, wrong = 0;
    for (const auto& file : sources(root)) {
        ++files;
        std::ifstream in(root / file);
        std::string line, own = ownHeader(file, root);
        for (int number = 1; std::getline(in, line); ++number) {
            auto include = parse(line);
            if (!include) continue;
            ++includes;
            include->file = file;
            include->line = number;
            if (!own.empty() && include->name != own) {
                ++wrong;
                std::cout << file << ':' << number << ": " << include->name << ": comes before the file's own header "
                          << own << '\n';
            }
            own.clear();
            if (const auto why = complaint(*include, root)) {
                ++wrong;
                std::cout << file << ':' << number << ": " << include->name << ": " << *why << '\n';
            }
        }
    }
    std::cout << includes << " includes in " << files << " files, " << wrong << " out of place\n";
    return wrong || !files ? 1 : 0;
}

// Columns of a line of UTF-8: characters without continuation bytes and combining marks (U+0300 to U+036F).
int columns(const std::string& line) {
    int n = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        const auto next = i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : 0u;
        if ((c & 0xC0) == 0x80 || c == 0xCC || (c == 0xCD && next < 0xB0)) continue;
        ++n;
    }
    return n;
}

int checkColumns(const fs::path& root) {
    constexpr int limit = 120;
    int files = 0, wrong = 0;
    for (const auto& file : sources(root)) {
        ++files;
        std::ifstream in(root / file);
        std::string line;
        for (int number = 1; std::getline(in, line); ++number)
            if (const int n = columns(line); n > limit) {
                ++wrong;
                std::cout << file << ':' << number << ": " << n << " columns\n";
            }
    }
    std::cout << files << " files, " << wrong << " lines over " << limit << " columns\n";
    return wrong || !files ? 1 : 0;
}

int reportLengths(const fs::path& root) {
    std::vector<std::pair<int, std::string>> longer;
    int files = 0, total = 0;
    for (const auto& file : sources(root)) {
        std::ifstream in(root / file);
        const int lines = int(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
        ++files;
        total += lines;
        if (lines > softLimit) longer.emplace_back(lines, file);
    }
    std::sort(longer.rbegin(), longer.rend());
    for (const auto& [lines, file] : longer) std::cout << lines << ' ' << file << '\n';
    std::cout << total << " lines in " << files << " files, " << longer.size() << " files over " << softLimit << '\n';
    return 0;
}

int checkSelf() {
    struct Case {
        std::string file, line;
        bool allowed;
    };
    const std::vector<Case> cases{
        {"kernels/api/backend.h", "#include \"kernels/api/view.h\"", true},
        {"kernels/api/backend.h", "#include <vector>", true},
        {"kernels/cpu/x.cpp", "#include <oneapi/dnnl/dnnl.hpp>", true},
        {"kernels/cpu/x.cpp", "  #  include \"engine/tensor/tensor.h\"", false},
        {"kernels/cpu/x.cpp", "#include <cuda_runtime.h>", false},
        {"kernels/cpu/x.cpp", "#include \"kernels/cuda/device.h\"", false},
        {"kernels/cuda/x.cu", "#include <cudnn.h>", true},
        {"kernels/api/x.h", "#include <QString>", false},
        {"engine/run/driver.cpp", "#include \"kernels/api/backend.h\"", true},
        {"engine/run/driver.cpp", "#include \"kernels/cpu/loops.h\"", false},
        {"engine/run/driver.cpp", "#include <QObject>", false},
        {"engine/run/driver.cpp", "#include <QtCore/QObject>", false},
        {"engine/run/driver.cpp", "#include \"gui/look/theme.h\"", false},
        {"engine/project/store.cpp", "#include <sqlite3.h>", true},
        {"engine/run/driver.cpp", "#include <sqlite3.h>", false},
        {"engine/imaging/png.cpp", "#include <opencv2/highgui.hpp>", false},
        {"engine/sampling/sampling.h", "#include \"engine/process/process.h\"", true},
        {"engine/process/process.h", "#include \"engine/sampling/sampling.h\"", false},
        {"engine/recipe/recipe.cpp", "#include \"engine/guidance/guidance.h\"", false},
        {"engine/models/model.h", "#include \"engine/run/plan.h\"", false},
        {"engine/imaging/png.cpp", "#include \"engine/project/schema.h\"", false},
        {"engine/core/json.h", "#include \"engine/nowhere/json.h\"", false},
        {"gui/widgets/fields.cpp", "#include \"gui/look/theme.h\"", true},
        {"gui/look/theme.cpp", "#include \"gui/widgets/fields.h\"", false},
        {"gui/plots/layer.cpp", "#include \"gui/app/main_window.h\"", false},
        {"gui/document/document.h", "#include \"gui/selection/selection_model.h\"", false},
        {"gui/images/state_image.cpp", "#include \"gui/document/run_text.h\"", false},
        {"gui/panels/a/a.cpp", "#include \"gui/panels/a/b.h\"", true},
        {"gui/panels/a/a.cpp", "#include \"gui/panels/b/b.h\"", false},
        {"gui/panels/a/a.cpp", "#include \"gui/app/main_window.h\"", false},
        {"gui/app/main_window.cpp", "#include \"gui/panels/a/a.h\"", true},
        {"gui/panels/a/a.cpp", "#include \"engine/run/plan.h\"", true},
        {"gui/panels/a/a.cpp", "#include \"kernels/api/backend.h\"", false},
        {"gui/panels/a/a.cpp", "#include <QWidget>", true},
        {"gui/panels/a/a.cpp", "#include \"../b/b.h\"", false},
        {"tests/gui/tst_a.cpp", "#include \"gui/look/theme.h\"", true},
        {"tests/gui/tst_a.cpp", "#include \"kernels/api/view.h\"", false},
        {"tests/kernels/tst_a.cpp", "#include \"kernels/verify/cases.h\"", true},
        {"tests/kernels/tst_a.cpp", "#include \"gui/look/theme.h\"", false},
    };
    int failed = 0;
    for (const auto& c : cases) {
        auto include = parse(c.line);
        if (include) include->file = c.file;
        if (!include || !complaint(*include, {}) != c.allowed) {
            ++failed;
            std::cout << c.file << ": " << c.line << (c.allowed ? " should pass\n" : " should not pass\n");
        }
    }
    std::cout << cases.size() << " cases, " << failed << " wrong\n";
    return failed ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string what = count > 1 ? arguments[1] : "";
    if (what == "self") return checkSelf();
    if (what == "includes" && count > 2) return checkIncludes(arguments[2]);
    if (what == "columns" && count > 2) return checkColumns(arguments[2]);
    if (what == "lengths" && count > 2) return reportLengths(arguments[2]);
    std::cerr << "usage: check_layers includes|columns|lengths <root>, or check_layers self\n";
    return 2;
}
