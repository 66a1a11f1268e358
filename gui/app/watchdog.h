// Tells how long the GUI thread kept the event loop waiting: a thread asks it a question every few milliseconds and
// times the answer. Runs in development builds (MEANDER_WATCHDOG) and where it is started by hand (meander --measure).
#pragma once
#include <QObject>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace meander::gui {

class Watchdog : public QObject {
    Q_OBJECT
public:
    explicit Watchdog(int limitMs = 50, QObject* parent = nullptr);
    ~Watchdog() override;
    void start();  // again: does nothing. On the GUI thread

    struct Block {
        double ms = 0;  // from question to answer
        // Absent where the system does not tell: processor time of the GUI thread meanwhile, and the time it was ready
        // while other programs and threads had the processors.
        std::optional<double> ownMs, schedulingDelayMs;
        // What the program itself caused: work, and waits for locks and disks.
        double causedMs() const { return std::max(0.0, ms - schedulingDelayMs.value_or(0)); }
    };
    Block longest() const;
    Block longestCaused() const;
    int stalls() const;  // blocks longer than the limit
    int questions() const;
    void reset();

private:
    void watch();
    void answer();

    const int m_limitMs;
    using Clock = std::chrono::steady_clock;
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    bool m_stopping = false, m_isWaiting = false;
    Clock::time_point m_asked;
    std::optional<double> m_ownAtQuestion, m_schedulingDelayAtQuestion;
    Block m_longest, m_longestCaused;
    int m_stalls = 0, m_questions = 0;
    std::thread m_thread;
};

}  // namespace meander::gui
