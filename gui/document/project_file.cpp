#include "gui/document/project_file.h"

#include <QDir>
#include <QFileInfo>
#include <QUuid>
#include <QtConcurrent>
#include <set>

#include "gui/bridge/worker_threads.h"
#include "gui/document/run_text.h"

namespace meander::gui {
namespace {

// Waits for work on another thread; the window paints on, but takes no input.
template <class F> auto inBackground(F work) {
    using Answer = decltype(work());
    QFuture<Answer> future = QtConcurrent::run(workerThreads(), std::move(work));
    QElapsedTimer sinceStart;
    sinceStart.start();
    while (!future.isFinished() && sinceStart.elapsed() < 15)
        QThread::usleep(100);  // most work is done by then, without a nested event loop
    if (!future.isFinished()) {
        QFutureWatcher<Answer> watcher;
        QEventLoop loop;
        QObject::connect(&watcher, &QFutureWatcherBase::finished, &loop, &QEventLoop::quit);
        watcher.setFuture(future);
        loop.exec(QEventLoop::ExcludeUserInputEvents);
    }
    return future.takeResult();
}

QString newId() { return QUuid::createUuid().toString(QUuid::Id128); }
QString inRecovery(const QString& id, const char* suffix) {
    return ProjectFile::recoveryFolder() + '/' + id + QLatin1String(suffix);
}

std::unique_ptr<QLockFile> lockFor(const QString& id) {
    auto lock = std::make_unique<QLockFile>(inRecovery(id, ".lock"));
    lock->setStaleLockTime(0);
    lock->tryLock(0);
    return lock;
}

void removeWorkingFiles(const QString& id) {
    for (const char* suffix : {".meander", ".meander-wal", ".meander-shm", ".meander-lock", ".json"})
        QFile::remove(inRecovery(id, suffix));
}

}  // namespace

ProjectFile::ProjectFile(QObject* parent) : QObject(parent) {
    m_pool.setMaxThreadCount(1);
    m_notes.setMaxThreadCount(1);
}

ProjectFile::~ProjectFile() { close(); }

QString ProjectFile::name() const {
    if (!m_isUntitled) return QFileInfo(m_path).fileName();
    return m_name.isEmpty() ? tr("Untitled") : m_name;
}

// A store with what the document needs of it, read in one go on another thread: every wait may cost the window 15 ms.
Result<OpenedProject> ProjectFile::read(Result<std::unique_ptr<ProjectStore>> store) {
    if (!store) return store.error();
    auto runs = (*store)->runs();
    if (!runs) return runs.error();
    OpenedProject o;
    if (auto draft = (*store)->draft()) o.content.draft = *draft;
    o.content.unsavedDraft = (*store)->recoverableDraft();
    if (const auto waiting = (*store)->waitingRuns())
        for (const Run& r : *waiting) o.content.waiting.append(qstr(r.id));
    o.content.sweeps = (*store)->sweeps();
    for (Run& r : *runs) o.content.runs.push_back(std::make_shared<const Run>(std::move(r)));
    o.store = std::move(*store);
    return o;
}

ProjectContent ProjectFile::adopt(OpenedProject opened, const QString& path, bool isUntitled, const QString& name,
                                  const QString& id, std::unique_ptr<QLockFile> lock) {
    ProjectContent content = std::move(opened.content);
    leave(true);
    m_store = std::move(opened.store);
    m_hasAutosave = content.unsavedDraft.has_value();
    m_path = path;
    m_name = name;
    m_id = id;
    m_isUntitled = isUntitled;
    m_isRecovered = false;
    m_lock = std::move(lock);
    m_removed.clear();
    m_store->setOnProblem([this](const Error& e) {
        QMetaObject::invokeMethod(
            this, [this, e] { emit problem(qstr(e.text), qstr(e.detail)); }, Qt::QueuedConnection);
    });
    if (const std::string note = m_store->note(); !note.empty()) emit problem(qstr(note), {});
    return content;
}

Result<ProjectContent> ProjectFile::create() {
    QDir().mkpath(recoveryFolder());
    const QString id = newId(), path = inRecovery(id, ".meander");
    auto lock = lockFor(id);
    auto fresh = read(ProjectStore::create(path.toStdString()));
    if (!fresh) return fresh.error();
    return adopt(std::move(*fresh), path, true, {}, id, std::move(lock));
}

Result<ProjectContent> ProjectFile::open(const QString& path) {
    const QString absolute = QFileInfo(path).absoluteFilePath();
    if (!QFileInfo::exists(absolute))
        return Error{tr("The project '%1' is not there any more. It may have been moved or renamed.")
                         .arg(QDir::toNativeSeparators(absolute))
                         .toStdString(),
                     ""};
    if (!m_isUntitled && m_store && QFileInfo(m_path) == QFileInfo(absolute))
        return Error{tr("This project is open already.").toStdString(), ""};
    auto project = inBackground([absolute] { return read(ProjectStore::open(absolute.toStdString())); });
    if (!project) return project.error();
    const QString real = qstr(project->store->path());
    const QString id = newId();
    QDir().mkpath(recoveryFolder());
    return adopt(std::move(*project), real.isEmpty() ? absolute : real, false, {}, id, lockFor(id));
}

Result<ProjectContent> ProjectFile::openCopy(const QString& path, const QString& name) {
    const QString id = newId(), copy = inRecovery(id, ".meander");
    QDir().mkpath(recoveryFolder());
    auto lock = lockFor(id);
    auto project = inBackground([path, copy]() -> Result<OpenedProject> {
        if (!QFile::copy(path, copy))
            return Error{tr("Cannot copy '%1'. Check that it can be read and that the disk is not full.")
                             .arg(path)
                             .toStdString(),
                         ""};
        QFile::setPermissions(copy, QFile::ReadOwner | QFile::WriteOwner);
        auto o = read(ProjectStore::open(copy.toStdString()));
        if (!o) QFile::remove(copy);
        return o;
    });
    if (!project) return project.error();
    return adopt(std::move(*project), copy, true, name, id, std::move(lock));
}

void ProjectFile::synchronise(const ProjectContent& content) {
    for (const RunPtr& r : content.runs) m_store->updateRun(r->id, r->name, r->pinned);
    for (const QString& id : content.removed)
        if (!m_removed.contains(id)) m_store->removeRun(id.toStdString());
    for (const QString& id : m_removed)
        if (!content.removed.contains(id)) m_store->restoreRun(id.toStdString());
    m_removed = content.removed;
}

Status ProjectFile::save(const ProjectContent& content) {
    if (m_isUntitled) return Error{tr("The project has no name yet. Choose where to save it.").toStdString(), ""};
    if (m_store->isReadOnly())
        return Error{tr("'%1' may not be written. Save the project under another name.")
                         .arg(QDir::toNativeSeparators(m_path))
                         .toStdString(),
                     ""};
    synchronise(content);
    m_store->saveDraft(content.draft);
    m_hasAutosave = false;
    const Status s = inBackground([store = m_store] { return store->flush(); });
    if (s) {
        forgetDescription();
        m_isRecovered = false;
    }
    return s;
}

Status ProjectFile::saveAs(const QString& path, const ProjectContent& content) {
    const QString absolute = QFileInfo(path).absoluteFilePath();
    synchronise(content);
    const std::optional<Recipe> before = m_store->draft();
    m_store->saveDraft(content.draft);
    const Status s = inBackground([store = m_store, absolute] { return store->saveAs(absolute.toStdString()); });
    if (!s) {
        if (before) m_store->saveDraft(*before);
        return s;
    }
    m_hasAutosave = false;
    m_notes.waitForDone();
    if (m_isUntitled) removeWorkingFiles(m_id);
    else forgetDescription();
    m_path = absolute;
    m_isUntitled = false;
    m_isRecovered = false;
    m_name.clear();
    return s;
}

void ProjectFile::close() { leave(false); }

void ProjectFile::leave(bool isInBackground) {
    if (!m_store) return;
    // A project that was only looked at is not written to.
    if (!m_isUntitled && m_hasAutosave && !m_isRecovered)
        if (const auto saved = m_store->draft())
            m_store->saveDraft(*saved);  // forgets what was autosaved and then given up
    const auto work = [this, store = m_store] {
        m_pool.waitForDone();
        m_notes.waitForDone();
        return store->close();
    };
    const Status s = isInBackground ? inBackground(work) : work();
    if (!s) emit problem(qstr(s.error().text), qstr(s.error().detail));
    m_store.reset();
    m_lock.reset();
    if (m_isRecovered) return;
    if (m_isUntitled) removeWorkingFiles(m_id);
    else forgetDescription();
}

std::function<void(const RunEvent&)> ProjectFile::recorder() const {
    struct Record {
        std::shared_ptr<ProjectStore> store;
        std::set<std::string> known, begun;
    };
    return [record = std::make_shared<Record>(Record{m_store, {}, {}})](const RunEvent& e) {
        Record& r = *record;
        // A run that waited and never began leaves nothing.
        if (r.store && e.kind == RunEventKind::Cancelled && e.run && !e.run->trajectory) r.store->removeRun(e.runId);
        if (e.kind == RunEventKind::Queued || e.kind == RunEventKind::Started) r.known.insert(e.runId);
        if (!r.store || !r.known.contains(e.runId)) return;  // no file, or a run of a project that was open before
        const auto begin = [&](const Run& run) {
            if (!r.begun.insert(e.runId).second) return;
            r.store->beginRun(run);
            if (run.trajectory && !run.trajectory->empty())
                r.store->setStart(e.runId, {run.trajectory->levels, run.trajectory->initial, run.trajectory->sites,
                                            run.trajectory->tokens});
        };
        switch (e.kind) {
        case RunEventKind::Started:
            if (e.run) begin(*e.run);
            break;
        case RunEventKind::Evaluated:
        case RunEventKind::Stepped:
            if (e.evaluationRecord) r.store->appendEvaluation(e.runId, e.evaluationRecord);
            if (e.stepRecord) r.store->appendStep(e.runId, e.stepRecord);
            break;
        case RunEventKind::Finished:
        case RunEventKind::Cancelled:
        case RunEventKind::Failed:
            r.known.erase(e.runId);
            if (!e.run || (!r.begun.contains(e.runId) && e.kind == RunEventKind::Cancelled)) break;
            begin(*e.run);
            r.store->finishRun(*e.run);
            break;
        default: break;
        }
    };
}

void ProjectFile::loadTrajectory(const QString& runId) {
    (void)QtConcurrent::run(&m_pool, [this, store = m_store, runId] {
        auto loaded = store->loadRun(runId.toStdString());
        QMetaObject::invokeMethod(
            this,
            [this, runId, loaded = std::move(loaded), store]() mutable {
                if (store != m_store) return;  // another project is open by now
                if (!loaded) {
                    emit trajectoryLost(runId, qstr(loaded.error().text));
                    emit problem(qstr(loaded.error().text), qstr(loaded.error().detail));
                } else emit trajectoryLoaded(runId, std::make_shared<const Run>(std::move(*loaded)));
            },
            Qt::QueuedConnection);
    });
}

void ProjectFile::prepareRun(const QString& runId, Continuation how) {
    (void)QtConcurrent::run(&m_pool, [this, store = m_store, runId, how] {
        auto ready = meander::prepareRun(*store, runId.toStdString(), how);
        QMetaObject::invokeMethod(
            this,
            [this, runId, how, store, ready = std::move(ready)] {
                if (store == m_store) emit prepared(runId, how, ready);
            },
            Qt::QueuedConnection);
    });
}

void ProjectFile::recordWaiting(const Run& run) {
    if (m_store) m_store->beginRun(run);
}

void ProjectFile::setWaitingOrder(const QStringList& ids) {
    std::vector<std::string> order;
    for (const QString& id : ids) order.push_back(id.toStdString());
    if (m_store) m_store->setWaitingOrder(order);
}

void ProjectFile::dropRun(const QString& runId) {
    if (m_store) m_store->removeRun(runId.toStdString());
}

void ProjectFile::restoreRun(const Run& run) {
    if (!m_store) return;
    m_store->restoreRun(run.id);
    m_store->beginRun(run);
}

void ProjectFile::saveSweep(const Sweep& sweep) {
    if (m_store) m_store->saveSweep(sweep);
}

void ProjectFile::loadImages(const QString& runId) {
    (void)QtConcurrent::run(&m_pool, [this, store = m_store, runId] {
        auto loaded = store->loadImages(runId.toStdString());
        QMetaObject::invokeMethod(
            this,
            [this, runId, loaded = std::move(loaded), store] {
                if (store == m_store && loaded && *loaded) emit imagesLoaded(runId, *loaded);
            },
            Qt::QueuedConnection);
    });
}

}  // namespace meander::gui
