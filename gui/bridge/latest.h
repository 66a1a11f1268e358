// Work in a worker thread of which only the newest answer counts: a request that comes while one is under way replaces
// the waiting one. GUI thread only.
#pragma once
#include <QFutureWatcher>
#include <QObject>
#include <QtConcurrent/QtConcurrentRun>
#include <functional>
#include <optional>

namespace meander::gui {

template <class T> class Latest {
public:
    explicit Latest(QObject* owner, std::function<void(const T&)> deliver)
        : m_watcher(new QFutureWatcher<T>(owner)), m_deliver(std::move(deliver)) {
        QObject::connect(m_watcher, &QFutureWatcher<T>::finished, owner, [this] {
            T result = m_watcher->result();
            bool isNewest = !m_waiting;
            if (auto next = std::exchange(m_waiting, {})) m_watcher->setFuture(QtConcurrent::run(*next));
            if (isNewest) m_deliver(result);
        });
    }
    // `work` runs in another thread and must hold values only.
    void request(std::function<T()> work) {
        if (m_watcher->isRunning()) m_waiting = std::move(work);
        else m_watcher->setFuture(QtConcurrent::run(std::move(work)));
    }
    bool isBusy() const { return m_watcher->isRunning(); }

private:
    QFutureWatcher<T>* m_watcher;
    std::function<void(const T&)> m_deliver;
    std::optional<std::function<T()>> m_waiting;
};

}  // namespace meander::gui
