// A stack that can be left and entered again.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>

namespace meander::emulator {

class Fiber {
public:
    explicit Fiber(std::function<void()> work);
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    void resume();  // from outside; returns when the work leaves or ends
    void leave();   // from inside; returns when it is resumed
    bool isDone() const;

private:
    struct State;
    std::unique_ptr<State> m;
};

}  // namespace meander::emulator
