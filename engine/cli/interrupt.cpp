#include "engine/cli/interrupt.h"

#include <csignal>

namespace meander::cli {
namespace {

volatile std::sig_atomic_t received = 0;

void onSignal(int number) {
    received = number;
    std::signal(number, SIG_DFL);
}

}  // namespace

void watchInterrupts() {
    if (received != 0) return;  // the second signal ends the program, whatever runs next
    std::signal(SIGINT, onSignal);
    std::signal(SIGTERM, onSignal);
}

int interruptedBy() { return int(received); }

}  // namespace meander::cli
