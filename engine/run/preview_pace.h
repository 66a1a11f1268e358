// When a preview may be decoded on the engine thread: at most 30 a second, and never more than a twentieth of the run's
// time. Decoding that would come late is left out, so a slow codec does not hold up the sampler.
#pragma once
#include <chrono>

namespace meander {

class PreviewPace {
public:
    using Clock = std::chrono::steady_clock;

    bool isDue(Clock::time_point now) const {
        return now - m_last > std::chrono::milliseconds(33) && (now - m_started) / 20 >= m_spent;
    }
    void decoded(Clock::time_point from, Clock::time_point to) {
        m_last = to;
        m_spent += to - from;
    }

private:
    Clock::time_point m_started = Clock::now(), m_last;
    Clock::duration m_spent{};
};

}  // namespace meander
