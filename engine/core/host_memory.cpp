#include "engine/core/host_memory.h"

#ifdef _WIN32
#    include <windows.h>
#else
#    include <unistd.h>

#    include <fstream>
#    include <string>
#endif

namespace meander {

#ifdef _WIN32
HostMemory hostMemory() {
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof status;
    if (!GlobalMemoryStatusEx(&status)) return {};
    return {std::size_t(status.ullTotalPhys), std::size_t(status.ullAvailPhys)};
}
#else
HostMemory hostMemory() {
    HostMemory m;
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    if (pages > 0 && size > 0) m.total = std::size_t(pages) * std::size_t(size);
    std::ifstream in("/proc/meminfo");
    std::string key, unit;
    for (std::size_t kilobytes = 0; in >> key >> kilobytes;) {
        if (key == "MemAvailable:") m.available = kilobytes * 1024;
        std::getline(in, unit);
    }
    return m;
}
#endif

}  // namespace meander
