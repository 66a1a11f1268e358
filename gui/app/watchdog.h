// Tells when the GUI thread was blocked. In development builds only (MEANDER_WATCHDOG); elsewhere it does nothing.
#pragma once
#include <QObject>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace meander::gui {

class Watchdog : public QObject {
    Q_OBJECT
public:
    explicit Watchdog(int limitMs = 50, QObject* parent = nullptr);
    ~Watchdog() override;
    // How often and how long at worst the GUI thread did not answer within the limit.
    int stalls() const { return m_stalls; }
    int longestMs() const { return m_longest; }
    void reset() { m_stalls = 0, m_longest = 0; }

private:
    void watch();
    const int m_limitMs;
    std::atomic<int> m_stalls{0}, m_longest{0};
    std::atomic<bool> m_answered{true};
    std::mutex m_mutex;
    std::condition_variable m_stop;
    bool m_stopping = false;
    std::thread m_thread;
};

}  // namespace meander::gui
