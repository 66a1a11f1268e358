#include "engine/exchange/file_kind.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "engine/core/file_identity.h"
#include "engine/project/schema.h"

namespace meander {
namespace {

constexpr std::size_t sqliteHeader = 100, applicationIdAt = 68;

std::string endingOf(const std::string& path) {
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return ending;
}

// Points are text or JSON too (.csv, .json); the ending tells them from settings.
FileKind kindOfText(const std::string& ending) {
    return ending == ".json" || ending == ".txt" || ending == ".infotext" ? FileKind::Recipe : FileKind::Other;
}

}  // namespace

FileKind fileKindOf(const std::string& path) {
    const std::string ending = endingOf(path);
    switch (formatOfFile(path)) {
    case FileFormat::Sqlite: return FileKind::Project;
    case FileFormat::Png:
    case FileFormat::Jpeg:
    case FileFormat::WebP: return FileKind::Image;
    case FileFormat::Json:
    case FileFormat::Text: return kindOfText(ending);
    case FileFormat::Unknown:  // text in another encoding is refused as a recipe, by name
        if (kindOfText(ending) == FileKind::Recipe) return FileKind::Recipe;
        break;
    default: break;
    }
    if (ending == ".meander") return FileKind::Project;
    const bool isImage = ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
    return isImage ? FileKind::Image : FileKind::Other;
}

bool isMeanderProject(const std::string& path) {
    if (formatOfFile(path) != FileFormat::Sqlite) return false;
    std::string header(sqliteHeader, '\0');
    if (!std::ifstream(path, std::ios::binary).read(header.data(), sqliteHeader)) return false;
    std::int64_t id = 0;
    for (std::size_t i = applicationIdAt; i < applicationIdAt + 4; ++i)
        id = id << 8 | static_cast<unsigned char>(header[i]);
    return id == projectApplicationId;
}

}  // namespace meander
