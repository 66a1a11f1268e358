// Threads for the window's own work. None of it may run on Qt's global pool: Qt paints and converts large images there,
// and the GUI thread then waits behind whatever the pool is busy with.
#pragma once
#include <QThreadPool>

namespace meander::gui {

// Lives as long as the application. GUI thread only.
QThreadPool* workerThreads();

}  // namespace meander::gui
