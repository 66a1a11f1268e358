// SIGINT and SIGTERM as a wish: the running command cancels its runs, keeps what was recorded and ends. A second signal
// ends the program at once.
#pragma once

namespace meander::cli {

void watchInterrupts();
int interruptedBy();  // the signal's number; 0: none came

}  // namespace meander::cli
