#include "engine/exchange/file_kind.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "engine/project/schema.h"

namespace meander {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t headSize = 100;  // of SQLite
constexpr auto database = "SQLite format 3\0"sv, image = "\x89PNG\r\n\x1a\n"sv;

std::string headOf(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return {};
    std::string head(headSize, '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(head.data(), headSize);
    head.resize(std::size_t(in.gcount()));
    return head;
}

}  // namespace

FileKind fileKindOf(const std::string& path) {
    const std::string head = headOf(path);
    if (head.starts_with(database)) return FileKind::Project;
    if (head.starts_with(image)) return FileKind::Image;
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return ending == ".meander" ? FileKind::Project : ending == ".png" ? FileKind::Image : FileKind::Other;
}

bool isMeanderProject(const std::string& path) {
    const std::string head = headOf(path);
    if (head.size() < headSize || !head.starts_with(database)) return false;
    std::int64_t id = 0;
    for (std::size_t i = 68; i < 72; ++i) id = id << 8 | static_cast<unsigned char>(head[i]);
    return id == projectApplicationId;
}

}  // namespace meander
