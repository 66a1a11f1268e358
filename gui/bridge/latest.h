// Runs work on a background thread and delivers only the newest result: a request that comes while one is under way
// replaces the waiting one. Work that throws (a damaged record) is logged and delivers an empty result. GUI thread
// only.
#pragma once
#include <QDebug>
#include <QFutureWatcher>
#include <QObject>
#include <QtConcurrent/QtConcurrentRun>
#include <exception>
#include <functional>
#include <optional>

#include "gui/bridge/worker_threads.h"

namespace meander::gui {

template <class T> class Latest {
public:
    explicit Latest(QObject* owner, std::function<void(const T&)> deliver)
        : m_watcher(new QFutureWatcher<T>(owner)), m_deliver(std::move(deliver)) {
        QObject::connect(m_watcher, &QFutureWatcher<T>::finished, owner, [this] {
            T result = m_watcher->result();
            bool isNewest = !m_waiting;
            if (auto next = std::exchange(m_waiting, {}))
                m_watcher->setFuture(QtConcurrent::run(workerThreads(), *next));
            if (isNewest) m_deliver(result);
        });
    }
    // `work` runs in another thread and must hold values only.
    void request(std::function<T()> work) {
        auto guarded = [work = std::move(work)]() -> T {
            try {
                return work();
            } catch (const std::exception& e) {
                qWarning("%s", e.what());
                return T();
            }
        };
        if (m_watcher->isRunning()) m_waiting = std::move(guarded);
        else m_watcher->setFuture(QtConcurrent::run(workerThreads(), std::move(guarded)));
    }
    bool isBusy() const { return m_watcher->isRunning(); }

private:
    QFutureWatcher<T>* m_watcher;
    std::function<void(const T&)> m_deliver;
    std::optional<std::function<T()>> m_waiting;
};

}  // namespace meander::gui
