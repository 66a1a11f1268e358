#include "gui/bridge/background_job.h"

#include <QThread>
#include <QtConcurrent>
#include <exception>

namespace meander::gui {
namespace {

struct Cancelled : std::exception {};

}  // namespace

void BackgroundJob::Ticket::check() const {
    if (isCancelled()) throw Cancelled();
}

void BackgroundJob::Ticket::post(std::function<void()> what) const {
    QMetaObject::invokeMethod(
        m_owner,
        [isCancelled = m_isCancelled, what = std::move(what)] {
            if (!isCancelled->load()) what();
        },
        Qt::QueuedConnection);
}

BackgroundJob::BackgroundJob(QObject* parent) : QObject(parent) {
    m_pool.setMaxThreadCount(1);
    m_pool.setThreadPriority(QThread::LowPriority);  // runs and the window go first
}

BackgroundJob::~BackgroundJob() {
    *m_ticket.m_isCancelled = true;
    m_pool.waitForDone();
}

void BackgroundJob::start(std::function<void(const Ticket&)> work, std::function<void(const QString&)> ended) {
    *m_ticket.m_isCancelled = true;
    m_ticket = Ticket();
    m_ticket.m_owner = this;
    setBusy(true);
    (void)QtConcurrent::run(&m_pool, [this, ticket = m_ticket, work = std::move(work), ended = std::move(ended)] {
        QString problem;
        try {
            ticket.check();
            work(ticket);
        } catch (const Cancelled&) {
            return;
        } catch (const std::exception& e) {
            problem = QString::fromUtf8(e.what());
        }
        ticket.post([this, problem, ended] {
            setBusy(false);
            ended(problem);
        });
    });
}

void BackgroundJob::cancel() {
    *m_ticket.m_isCancelled = true;
    setBusy(false);
}

void BackgroundJob::setBusy(bool on) {
    if (on == m_isBusy) return;
    m_isBusy = on;
    emit busyChanged(on);
}

}  // namespace meander::gui
