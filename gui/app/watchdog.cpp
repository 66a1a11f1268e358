#include "gui/app/watchdog.h"

#include <chrono>

#include "gui/panels/log/log_model.h"

namespace meander::gui {

Watchdog::Watchdog(int limitMs, QObject* parent) : QObject(parent), m_limitMs(limitMs) {
#ifdef MEANDER_WATCHDOG
    m_thread = std::thread([this] { watch(); });
#endif
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_stop.notify_all();
    if (m_thread.joinable()) m_thread.join();
}

void Watchdog::watch() {
    using Clock = std::chrono::steady_clock;
    std::unique_lock lock(m_mutex);
    auto asked = Clock::now();
    bool isWaiting = false;
    while (!m_stop.wait_for(lock, std::chrono::milliseconds(10), [this] { return m_stopping; })) {
        const int waited = int(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked).count());
        if (isWaiting && m_answered) {
            isWaiting = false;
            if (waited > m_limitMs + 10) {
                ++m_stalls;
                if (waited > m_longest) m_longest = waited;
                programLog().add(LogLevel::Warning, tr("The window did not answer for %1 ms").arg(waited));
            }
        }
        if (isWaiting) continue;
        m_answered = false;
        isWaiting = true;
        asked = Clock::now();
        QMetaObject::invokeMethod(this, [this] { m_answered = true; }, Qt::QueuedConnection);
    }
}

}  // namespace meander::gui
