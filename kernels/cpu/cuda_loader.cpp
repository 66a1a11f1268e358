// Finds and opens the CUDA module. It stays open until the program ends: its code may be in use by objects that outlive
// any owner of the handle.
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "kernels/api/backend.h"
#if defined(_WIN32)
#    include <windows.h>
#else
#    include <dlfcn.h>
#endif

namespace meander::kernels {
namespace {

namespace fs = std::filesystem;
using Create = Backend* (*)(int device, char* why, std::size_t whySize, int apiVersion);

#if defined(_WIN32)
constexpr const char* moduleName = "meander-cuda.dll";
#elif defined(__APPLE__)
constexpr const char* moduleName = "libmeander-cuda.dylib";
#else
constexpr const char* moduleName = "libmeander-cuda.so";
#endif

fs::path programFolder() {
    std::error_code error;
#if defined(_WIN32)
    wchar_t name[32768];
    const DWORD length = GetModuleFileNameW(nullptr, name, 32768);
    return length ? fs::path(std::wstring(name, length)).parent_path() : fs::path();
#else
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path() : program.parent_path();
#endif
}

std::vector<fs::path> candidates(const std::string& moduleFolder) {
    if (!moduleFolder.empty()) return {fs::path(moduleFolder) / moduleName};
    if (const char* named = std::getenv("MEANDER_CUDA_MODULE"); named && *named) return {fs::path(named) / moduleName};
    const fs::path folder = programFolder();
    if (folder.empty()) return {};
    return {folder / moduleName, folder / ".." / "lib" / "meander" / moduleName, folder / ".." / "lib" / moduleName};
}

// The module's entry, or null and the loader's words.
Create openModule(const fs::path& path, std::string& words) {
#if defined(_WIN32)
    const HMODULE module = LoadLibraryW(path.c_str());
    if (!module) {
        words = "error " + std::to_string(GetLastError());
        return nullptr;
    }
    return reinterpret_cast<Create>(reinterpret_cast<void*>(GetProcAddress(module, "meanderCreateCudaBackend")));
#else
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        if (const char* text = dlerror()) words = text;
        return nullptr;
    }
    return reinterpret_cast<Create>(dlsym(module, "meanderCreateCudaBackend"));
#endif
}

}  // namespace

CudaProbe createCudaBackend(int device, const std::string& moduleFolder) {
    fs::path found;
    std::error_code error;
    for (const fs::path& path : candidates(moduleFolder))
        if (fs::exists(path, error)) {
            found = path;
            break;
        }
    if (found.empty()) {
        const char* named = std::getenv("MEANDER_CUDA_MODULE");
        const std::string where = !moduleFolder.empty() ? "in " + moduleFolder
                                  : named && *named     ? "in " + std::string(named) + " (MEANDER_CUDA_MODULE)"
                                                        : "beside the program or in its lib/meander folder";
        return {nullptr, std::string("No CUDA module is installed; ") + moduleName + " was not found " + where
                             + ". The CPU is used instead."};
    }
    std::string words;
    const Create create = openModule(found, words);
    if (!create && !words.empty())
        return {nullptr,
                "The CUDA module " + found.string() + " could not be opened: " + words + ". The CPU is used instead."};
    if (!create)
        return {nullptr, "The file " + found.string()
                             + " is not a CUDA module of this program; reinstall Meander. The CPU is used instead."};
    char why[1024] = "";
    std::unique_ptr<Backend> backend(create(device, why, sizeof why, backendApiVersion));
    if (backend) return {std::move(backend), {}};
    return {nullptr, why[0] ? why : "The CUDA module gave no reason why it cannot be used. The CPU is used instead."};
}

}  // namespace meander::kernels
