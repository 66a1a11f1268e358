#include "engine/core/resources.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#if defined(_WIN32)
#    include <windows.h>
#elif defined(__APPLE__)
#    include <mach-o/dyld.h>
#elif defined(__linux__)
#    include <sys/auxv.h>
#endif

namespace meander {
namespace {

namespace fs = std::filesystem;

fs::path executableFolder() {
    std::error_code error;
#if defined(_WIN32)
    wchar_t buffer[4096];
    const DWORD n = GetModuleFileNameW(nullptr, buffer, 4096);
    return n > 0 && n < 4096 ? fs::path(buffer).parent_path() : fs::path();
#elif defined(__APPLE__)
    char buffer[4096];
    std::uint32_t size = sizeof buffer;
    return _NSGetExecutablePath(buffer, &size) == 0 ? fs::canonical(buffer, error).parent_path() : fs::path();
#else
    if (const fs::path self = fs::read_symlink("/proc/self/exe", error); !error) return self.parent_path();
#    if defined(__linux__)
    // Without /proc, as in a bare chroot: the name that the program was started by.
    if (const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN)))
        return fs::canonical(name, error).parent_path();
#    endif
    return {};
#endif
}

}  // namespace

std::vector<std::string> resourceFolders() {
    std::vector<fs::path> candidates;
    if (const char* named = std::getenv("MEANDER_RESOURCES"); named && *named) candidates.emplace_back(named);
    if (const fs::path folder = executableFolder(); !folder.empty()) {
        candidates.push_back(folder.parent_path() / MEANDER_INSTALLED_RESOURCES);
        candidates.push_back(folder.parent_path() / "Resources");  // a macOS bundle
        candidates.push_back(folder / "resources");                // an unpacked folder on Windows
    }
    candidates.emplace_back(MEANDER_SOURCE_RESOURCES);
    std::vector<std::string> folders;
    std::error_code error;
    for (const auto& c : candidates)
        if (fs::is_directory(c, error)) folders.push_back(c.lexically_normal().string());
    return folders;
}

std::optional<std::string> findResource(const std::string& relative) {
    std::error_code error;
    for (const auto& folder : resourceFolders()) {
        const fs::path path = fs::path(folder) / relative;
        if (fs::exists(path, error)) return fs::absolute(path, error).lexically_normal().string();
    }
    return std::nullopt;
}

}  // namespace meander
