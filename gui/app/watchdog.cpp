#include "gui/app/watchdog.h"

#include "gui/panels/log/log_model.h"

#ifdef Q_OS_LINUX
#    include <cstdio>
#    include <fcntl.h>
#    include <pthread.h>
#    include <time.h>
#    include <unistd.h>
#endif

namespace meander::gui {
namespace {

constexpr std::chrono::milliseconds pauseBetween{5};

#ifdef Q_OS_LINUX
struct GuiThread {
    clockid_t clock{};
    bool hasClock = pthread_getcpuclockid(pthread_self(), &clock) == 0;
    int schedule =
        ::open("/proc/thread-self/schedstat",
               O_RDONLY | O_CLOEXEC);  // nanoseconds on a processor, nanoseconds ready and waiting for one, time slices
};
// Of the thread that asks first.
const GuiThread& guiThread() {
    static const GuiThread t;
    return t;
}
// Processor time of the GUI thread so far, asked from any thread.
std::optional<double> ownMs() {
    timespec t{};
    if (!guiThread().hasClock || clock_gettime(guiThread().clock, &t) != 0) return std::nullopt;
    return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
}
std::optional<double> schedulingDelayMs() {
    char buffer[128] = {};
    unsigned long long ran = 0, waited = 0;
    if (guiThread().schedule < 0 || ::pread(guiThread().schedule, buffer, sizeof buffer - 1, 0) <= 0
        || std::sscanf(buffer, "%llu %llu", &ran, &waited) != 2)
        return std::nullopt;
    return double(waited) / 1e6;
}
#else
void guiThread() {}
std::optional<double> schedulingDelayMs() { return std::nullopt; }
std::optional<double> ownMs() { return std::nullopt; }
#endif

std::optional<double> since(std::optional<double> before, std::optional<double> now) {
    return before && now ? std::optional(*now - *before) : std::nullopt;
}

}  // namespace

Watchdog::Watchdog(int limitMs, QObject* parent) : QObject(parent), m_limitMs(limitMs) {
#ifdef MEANDER_WATCHDOG
    start();
#endif
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    if (m_thread.joinable()) m_thread.join();
}

void Watchdog::start() {
    if (m_thread.joinable()) return;
    guiThread();  // this one
    m_thread = std::thread([this] { watch(); });
}

Watchdog::Block Watchdog::longest() const {
    const std::lock_guard lock(m_mutex);
    return m_longest;
}
Watchdog::Block Watchdog::longestCaused() const {
    const std::lock_guard lock(m_mutex);
    return m_longestCaused;
}
int Watchdog::stalls() const {
    const std::lock_guard lock(m_mutex);
    return m_stalls;
}
int Watchdog::questions() const {
    const std::lock_guard lock(m_mutex);
    return m_questions;
}

void Watchdog::reset() {
    const std::lock_guard lock(m_mutex);
    m_longest = m_longestCaused = {};
    m_stalls = m_questions = 0;
}

void Watchdog::watch() {
    std::unique_lock lock(m_mutex);
    while (!m_stopping) {
        m_isWaiting = true;
        m_asked = Clock::now();
        m_ownAtQuestion = ownMs();
        m_schedulingDelayAtQuestion = schedulingDelayMs();
        ++m_questions;
        lock.unlock();
        QMetaObject::invokeMethod(this, &Watchdog::answer, Qt::QueuedConnection);
        lock.lock();
        m_wake.wait(lock, [this] { return m_stopping || !m_isWaiting; });
        m_wake.wait_for(lock, pauseBetween, [this] { return m_stopping; });
    }
}

void Watchdog::answer() {
    Block block;
    {
        const std::lock_guard lock(m_mutex);
        block.ms = std::chrono::duration<double, std::milli>(Clock::now() - m_asked).count();
        block.ownMs = since(m_ownAtQuestion, ownMs());
        block.schedulingDelayMs = since(m_schedulingDelayAtQuestion, schedulingDelayMs());
        if (block.ms > m_longest.ms) m_longest = block;
        if (block.causedMs() > m_longestCaused.causedMs()) m_longestCaused = block;
        if (block.ms > m_limitMs) ++m_stalls;
        m_isWaiting = false;
    }
    m_wake.notify_all();
    if (block.ms > m_limitMs)
        programLog().add(LogLevel::Warning, tr("The window did not answer for %1 ms").arg(qRound(block.ms)));
}

}  // namespace meander::gui
