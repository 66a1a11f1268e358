// The open project as the window sees it: the draft recipe (undoable by value swap), the runs, and the file. The only place that knows both the store and the
// engine bridge. GUI thread only.
#pragma once
#include <QObject>
#include <QString>
#include <QUndoStack>
#include <memory>
#include <vector>

#include "engine/run/engine.h"
#include "engine/run/plan.h"
#include "engine/run/trajectory.h"

namespace meander::gui {

using RunPtr = std::shared_ptr<const Run>;

// What the window needs to know of a run that is not finished.
struct LiveRun {
    RunPtr run;                 // status, recipe and the record so far
    int evaluation = 0, evaluations = 0;
    double secondsLeft = 0;
    HostTensor preview;         // newest x̂0 pictures
};

class Document : public QObject {
    Q_OBJECT
public:
    explicit Document(QObject* parent = nullptr);
    ~Document() override;

    // The recipe being edited.
    const Recipe& draft() const;
    // One undoable edit; edits with the same non-empty `mergeKey` that follow each other become one.
    void editDraft(const Recipe& next, const QString& label, const QString& mergeKey = {});
    // What the draft would do; refreshed off the GUI thread after each edit (planChanged).
    const Result<Plan>& draftPlan() const;
    QUndoStack& undoStack();

    // In order of creation; running ones included. Trajectories of old runs are loaded on demand: `run(id)->trajectory` may be null until `trajectoryLoaded`.
    std::vector<RunPtr> runs() const;
    RunPtr run(const QString& id) const;
    const LiveRun* live(const QString& id) const;  // null when not waiting, running or paused
    void requestTrajectory(const QString& id);

    // Commands.
    void runDraft();
    void branchFrom(const QString& runId, int step);  // sets the draft's branch point and runs it
    void pause(const QString& runId);
    void resume(const QString& runId);
    void singleStep(const QString& runId);
    void cancel(const QString& runId);
    void moveInQueue(const QString& runId, int position);
    void renameRun(const QString& runId, const QString& name);
    void setPinned(const QString& runId, bool pinned);
    void removeRun(const QString& runId);  // undoable until the project is closed

    // The file. All of these keep the old project when they fail and tell why.
    void newProject();
    Status open(const QString& path);
    Status save();
    Status saveAs(const QString& path);
    QString path() const;         // empty: untitled
    QString displayName() const;  // "sprites-tour.meander" or "Untitled"
    bool isModified() const;

    std::string deviceDescription() const;
    std::string deviceNote() const;

signals:
    void draftChanged();
    void planChanged();
    void runsChanged();                       // the list: added, removed, renamed, reordered
    void runChanged(const QString& id);       // status, progress, preview or a new step; at most once per frame and run
    void runFinished(const QString& id);
    void trajectoryLoaded(const QString& id);
    void projectChanged();                    // path, name, modified
    void deviceChanged();
    void problem(const QString& sentence, const QString& detail);  // shown as a notification and logged
    void message(const QString& sentence);                         // status bar and log

private:
    struct Implementation;
    std::unique_ptr<Implementation> m_implementation;
};

}  // namespace meander::gui
