// Long work in a thread of its own that can be cancelled. One job at a time: a new one ends the one before. GUI thread
// only, but for the ticket.
#pragma once
#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <functional>
#include <memory>

namespace meander::gui {

class BackgroundJob : public QObject {
    Q_OBJECT
public:
    explicit BackgroundJob(QObject* parent = nullptr);
    ~BackgroundJob() override;

    // What the work holds; values are copied into the functions it posts.
    class Ticket {
    public:
        bool isCancelled() const { return m_isCancelled->load(std::memory_order_relaxed); }
        void check() const;  // throws when cancelled
        // Carried out in the GUI thread, unless the job was cancelled in the meantime.
        void post(std::function<void()> what) const;

    private:
        friend class BackgroundJob;
        std::shared_ptr<std::atomic<bool>> m_isCancelled = std::make_shared<std::atomic<bool>>(false);
        QObject* m_owner = nullptr;
    };
    // `work` may throw; `ended` is then told the sentence. It is not told of jobs that were cancelled.
    void start(std::function<void(const Ticket&)> work, std::function<void(const QString& problem)> ended);
    void cancel();
    bool isBusy() const { return m_isBusy; }

signals:
    void busyChanged(bool busy);

private:
    void setBusy(bool on);
    QThreadPool m_pool;
    Ticket m_ticket;
    bool m_isBusy = false;
};

}  // namespace meander::gui
