#include "gui/bridge/worker_threads.h"

#include <QCoreApplication>
#include <QPointer>

namespace meander::gui {

QThreadPool* workerThreads() {
    static QPointer<QThreadPool> pool;
    if (!pool) pool = new QThreadPool(QCoreApplication::instance());
    return pool;
}

}  // namespace meander::gui
