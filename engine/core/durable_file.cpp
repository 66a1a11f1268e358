#include "engine/core/durable_file.h"

#include <filesystem>
#include <fstream>
#include <utility>

#ifdef _WIN32
#    include <windows.h>
#else
#    include <fcntl.h>
#    include <sys/file.h>
#    include <sys/stat.h>
#    include <unistd.h>

#    include <cerrno>
#    include <cstring>
#endif

namespace meander {

namespace fs = std::filesystem;

#ifndef _WIN32
namespace {

void syncPath(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) throw Failure("Cannot write '" + path + "': " + std::strerror(errno) + ".");
    const int failed = ::fsync(fd) != 0 && errno != EINVAL && errno != EROFS ? errno : 0;
    ::close(fd);
    if (failed) throw Failure("Cannot write '" + path + "': " + std::strerror(failed) + ". Check the disk.");
}

}  // namespace

void syncFile(const std::string& path) { syncPath(path, O_RDONLY); }
#else
void syncFile(const std::string& path) {
    const HANDLE h =
        CreateFileW(fs::path(path).c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr, OPEN_EXISTING, 0, nullptr);
    if (h == INVALID_HANDLE_VALUE || !FlushFileBuffers(h)) {
        if (h != INVALID_HANDLE_VALUE) CloseHandle(h);
        throw Failure("Cannot write '" + path + "'. Check the disk.");
    }
    CloseHandle(h);
}
#endif

void replaceFile(const std::string& from, const std::string& to) {
    syncFile(from);
    std::error_code error;
    fs::rename(from, to, error);
    if (error)
        throw Failure("Cannot write '" + to + "': " + error.message() + ". Choose another folder or free the file.");
#ifndef _WIN32
    const std::string folder = fs::path(to).parent_path().string();
    syncPath(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
#endif
}

Status writeWholeFile(const std::string& path, std::span<const std::byte> bytes) {
    const std::string fresh = path + ".part";
    try {
        {
            std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
            out.write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
            out.close();
            if (!out)
                throw Failure("Cannot write '" + path
                              + "'. Check that the folder exists, may be written and has room.");
        }
        replaceFile(fresh, path);
        return Done{};
    } catch (const Failure& e) {
        removeFile(fresh);
        return Error{e.what()};
    }
}

Status writeWholeFile(const std::string& path, const std::string& text) {
    return writeWholeFile(path, std::as_bytes(std::span(text)));
}

void removeFile(const std::string& path) noexcept {
    std::error_code ignored;
    fs::remove(path, ignored);
}

void removeCompanions(const std::string& path) noexcept {
    for (const char* ending : {"-wal", "-shm", "-journal"}) removeFile(path + ending);
}

std::string absolutePath(const std::string& path) {
    std::error_code error;
    const fs::path p = fs::weakly_canonical(path, error);
    return error ? fs::absolute(path, error).string() : p.string();
}

ProjectLock::ProjectLock(ProjectLock&& o) noexcept
    : m_path(std::move(o.m_path)),
      m_handle(std::exchange(o.m_handle, nullptr)),
      m_descriptor(std::exchange(o.m_descriptor, -1)) {}

ProjectLock& ProjectLock::operator=(ProjectLock&& o) noexcept {
    if (this != &o) {
        release();
        m_path = std::move(o.m_path);
        m_handle = std::exchange(o.m_handle, nullptr);
        m_descriptor = std::exchange(o.m_descriptor, -1);
    }
    return *this;
}

#ifdef _WIN32
ProjectLock::LockResult ProjectLock::take(const std::string& projectPath) {
    release();
    m_path = projectPath + "-lock";
    const HANDLE h = CreateFileW(fs::path(m_path).c_str(), GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS,
                                 FILE_FLAG_DELETE_ON_CLOSE, nullptr);
    if (h == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_SHARING_VIOLATION ? LockResult::HeldByOther : LockResult::NotPossible;
    m_handle = h;
    return LockResult::Taken;
}
void ProjectLock::release() noexcept {
    if (m_handle) CloseHandle(m_handle);
    m_handle = nullptr;
}
#else
ProjectLock::LockResult ProjectLock::take(const std::string& projectPath) {
    release();
    m_path = projectPath + "-lock";
    for (int attempt = 0; attempt < 100; ++attempt) {
        const int fd = ::open(m_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) return LockResult::NotPossible;
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const bool held = errno == EWOULDBLOCK;
            ::close(fd);
            return held ? LockResult::HeldByOther : LockResult::NotPossible;
        }
        // The former holder removes the file when it lets go: what we locked must still be what the name means.
        struct stat ours {
        }, named{};
        if (::fstat(fd, &ours) == 0 && ::stat(m_path.c_str(), &named) == 0 && ours.st_ino == named.st_ino
            && ours.st_dev == named.st_dev) {
            m_descriptor = fd;
            return LockResult::Taken;
        }
        ::close(fd);
    }
    return LockResult::NotPossible;
}
void ProjectLock::release() noexcept {
    if (m_descriptor < 0) return;
    removeFile(m_path);
    ::close(m_descriptor);
    m_descriptor = -1;
}
#endif

}  // namespace meander
