// The file of the open project. An untitled project has a working file in the program's own folder, so its finished
// runs survive a crash like those of any other; a small description beside it (recovery/<id>.json) tells the next start
// what it is. GUI thread, except the recorder.
#pragma once
#include <QLockFile>
#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <memory>
#include <vector>

#include "engine/project/continuation.h"
#include "engine/project/project_store.h"
#include "engine/run/engine.h"
#include "gui/document/document.h"

namespace meander::gui {

struct ProjectContent {
    Recipe draft;
    std::optional<Recipe> unsavedDraft;  // autosaved by a program that did not end well
    std::vector<RunPtr> runs;
    QStringList removed;
    QStringList waiting;  // ids of runs that waited, in their order
    std::vector<Sweep> sweeps = {};
};

struct OpenedProject {
    std::shared_ptr<ProjectStore> store;
    ProjectContent content;
};

class ProjectFile : public QObject {
    Q_OBJECT
public:
    explicit ProjectFile(QObject* parent = nullptr);
    ~ProjectFile() override;

    // These leave the present project as it is when they fail.
    Result<ProjectContent> create();
    Result<ProjectContent> open(const QString& path);
    Result<ProjectContent> openCopy(const QString& path, const QString& name);
    Result<ProjectContent> restore(const RecoveryEntry& entry);
    Status save(const ProjectContent& content);
    Status saveAs(const QString& path, const ProjectContent& content);
    // What a crash must not lose: the draft, and for untitled projects names and pins too.
    Status snapshot(const ProjectContent& content);
    // Leaves one clean file; waits for what is still to be written; the working file of an untitled project goes,
    // unless it was recovered and never saved.
    void close();

    QString path() const { return m_isUntitled ? QString() : m_path; }
    bool isUntitled() const { return m_isUntitled; }
    QString name() const;

    // Writes events into the file that is open now; called on the engine thread.
    std::function<void(const RunEvent&)> recorder() const;
    void loadTrajectory(const QString& runId);
    void loadImages(const QString& runId);
    void prepareRun(const QString& runId, Continuation how);
    // Runs that wait: in the file before they start, so that a crash does not lose them.
    void recordWaiting(const Run& run);
    void setWaitingOrder(const QStringList& ids);
    void dropRun(const QString& runId);
    void saveSweep(const Sweep& sweep);
    void restoreRun(const Run& run);  // one that was dropped waits again

    static QString recoveryFolder();
    std::vector<RecoveryEntry> recoverable() const;
    static void discard(const RecoveryEntry& entry);

signals:
    void trajectoryLoaded(const QString& runId, std::shared_ptr<const meander::Run> run);
    void trajectoryLost(const QString& runId, const QString& sentence);  // it cannot be read; `problem` follows
    void imagesLoaded(const QString& runId, const meander::HostTensor& images);
    void prepared(const QString& runId, meander::Continuation how, const meander::Result<meander::Submission>& ready);
    void problem(const QString& sentence, const QString& detail);

private:
    static Result<OpenedProject> read(Result<std::unique_ptr<ProjectStore>> store);  // any thread
    ProjectContent adopt(OpenedProject opened, const QString& path, bool isUntitled, const QString& name,
                         const QString& id, std::unique_ptr<QLockFile> lock);
    void synchronise(const ProjectContent& content);
    void describe(int runs);  // writes the recovery description, on a thread of its own
    void forgetDescription();
    void leave(bool isInBackground);  // the present file is closed, with or without letting the window paint on

    std::shared_ptr<ProjectStore> m_store;
    QString m_path, m_name, m_id;  // m_id: of the recovery description
    bool m_isUntitled = true, m_isRecovered = false;
    std::unique_ptr<QLockFile> m_lock;
    QStringList m_removed;       // as the store knows them
    QThreadPool m_pool;          // reads
    QThreadPool m_notes;         // writes the description
    bool m_hasAutosave = false;  // the file holds a draft that was never saved
};

}  // namespace meander::gui
