// Files that survive: bytes are on the disk before a name points to them.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "engine/core/result.h"

namespace meander {

// Throw Failure with a sentence.
void syncFile(const std::string& path);
// `from` takes the place of `to`, whole or not at all, also after a power loss.
void replaceFile(const std::string& from, const std::string& to);
// The file appears with all these bytes or stays as it was.
Status writeWholeFile(const std::string& path, std::span<const std::byte> bytes);
Status writeWholeFile(const std::string& path, const std::string& text);
void removeFile(const std::string& path) noexcept;
// What SQLite keeps beside a database, removed.
void removeCompanions(const std::string& path) noexcept;
// Absolute, with links resolved as far as the path exists.
std::string absolutePath(const std::string& path);

// An advisory lock on a project: `path`-lock, held by the operating system, so it ends with the process however that
// ends.
class ProjectLock {
public:
    ProjectLock() = default;
    ~ProjectLock() { release(); }
    ProjectLock(ProjectLock&& o) noexcept;
    ProjectLock& operator=(ProjectLock&& o) noexcept;

    enum class LockResult { Taken, HeldByOther, NotPossible };  // NotPossible: the folder cannot be written
    LockResult take(const std::string& projectPath);
    void release() noexcept;

private:
    std::string m_path;
    void* m_handle = nullptr;  // Windows
    int m_descriptor = -1;     // elsewhere
};

}  // namespace meander
