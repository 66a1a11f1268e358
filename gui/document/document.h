// The open project as the window sees it: the draft recipe (undoable by value swap), the runs, and the file. The only
// place that knows both the store and the engine bridge. GUI thread only.
#pragma once
#include <QObject>
#include <QString>
#include <QStringList>
#include <QUndoStack>
#include <memory>
#include <vector>

#include "engine/run/engine.h"
#include "engine/run/plan.h"
#include "engine/run/trajectory.h"
#include "engine/sweep/sweep_plan.h"

namespace meander::gui {

using RunPtr = std::shared_ptr<const Run>;

// What the window needs to know of a run that is not finished.
struct LiveRun {
    RunPtr run;  // status, recipe and the record so far
    int evaluation = 0, evaluations = 0;
    double secondsLeft = 0;
    QString loading;     // what was said to be loading, until the first evaluation
    HostTensor preview;  // newest x̂0 images
};

// Unsaved work of a program that ended without closing its project.
struct RecoveryEntry {
    QString id;           // of the snapshot
    QString name;         // as the project was called
    QString projectPath;  // empty: it had never been saved
    QString time;         // of the last change, local, for people
    qint64 bytes = 0;
    int runs = 0;
};

class Document : public QObject {
    Q_OBJECT
public:
    explicit Document(QObject* parent = nullptr);
    ~Document() override;

    // Starts the engine thread; called once, after the first paint. Runs asked for earlier wait.
    void startEngine();

    // The recipe being edited.
    const Recipe& draft() const;
    // One undoable edit; edits with the same non-empty `mergeKey` that follow each other become one.
    void editDraft(const Recipe& next, const QString& label, const QString& mergeKey = {});
    // What the draft would do; refreshed off the GUI thread after each edit (planChanged).
    const Result<Plan>& draftPlan() const;
    bool isPlanning() const;  // an answer for the newest draft is still under way
    // What the draft's model is; null until it is known, or when it cannot be read (the plan's error then says why).
    std::shared_ptr<const ModelInfo> draftModel() const;
    // Evaluations that each guidance rule of the draft adds in its place, in their order; as many as the planned draft
    // has rules, empty until it is planned.
    std::vector<RuleCost> guidanceCosts() const;
    // Reads off the GUI thread what the model is, then puts it into the draft (one undoable edit): settings that it can
    // run stay, the others become those it recommends, and `settingsKept` offers the rest of these. The newest request
    // counts; `problem` tells when the model cannot be read, and the draft stays.
    void useModel(const QString& idOrPath);
    // The model's recommended settings; what is drawn (prompt, seed ...) and where it runs stay.
    void useModelSettings();
    // Fields of the form whose text is no value, as sentences: while there are any the draft does not run.
    void setInvalidFields(const QStringList& sentences);
    const QStringList& invalidFields() const;
    QUndoStack& undoStack();

    // In order of creation; running ones included. Trajectories of old runs are loaded on demand: `run(id)->trajectory`
    // may be null until `trajectoryLoaded`.
    std::vector<RunPtr> runs() const;
    RunPtr run(const QString& id) const;
    const LiveRun* live(const QString& id) const;  // null when not waiting, running or paused
    QStringList queue() const;                     // ids of the live runs: running first, then waiting in their order
    RunPtr baseline() const;                       // the pinned run; null when none
    void requestTrajectory(const QString& id);
    // What a list needs to draw the run's image; runChanged follows.
    void requestImage(const QString& id);

    // Commands.
    void runDraft();
    void setBranchPoint(const QString& runId,
                        int step);  // only sets it: the run's recipe becomes the draft, to be changed before it runs
    // An interrupted, cancelled or failed run goes on behind its last recorded evaluation, as the same run.
    bool canGoOn(const QString& runId) const;
    void goOn(const QString& runId);
    void retry(const QString& runId);  // its recipe once more, as a new run
    // Of a run that reuses what the network computed: the finished one of its seed that computes everything, null when
    // there is none; and that one as a new run.
    RunPtr wholeRun(const QString& runId) const;
    void runWhole(const QString& runId);
    void pause(const QString& runId);
    void resume(const QString& runId);  // also of a run that waited when the program ended
    void singleStep(const QString& runId);
    void cancel(const QString& runId);
    void cancelAll();
    bool isBusy() const;                                   // anything waiting, running or paused
    bool isWaiting(const QString& runId) const;            // it has not begun, also since another session
    void moveInQueue(const QString& runId, int position);  // among those that wait; undoable while it waits
    // Everything rests: nothing starts and nothing in progress goes on. Going on starts what waited since another
    // session too.
    void pauseQueue();
    void resumeQueue();
    bool isQueuePaused() const;
    void pauseAfter(const QString& runId);  // the queue pauses when that run ends; empty: it does not
    QString pausesAfter() const;
    void duplicate(const QString& runId);  // its recipe once more, as a new run; also of one that waits or runs
    // A waiting run leaves its turn and its recipe becomes the draft; running the draft then puts it back, as the same
    // run in its old place. `problem` tells when it has begun already.
    void editWaiting(const QString& runId);
    void stopEditing();         // it goes back as it was
    QString editedRun() const;  // empty: none
    void renameRun(const QString& runId, const QString& name);
    void setPinned(const QString& runId, bool pinned);  // the baseline; at most one run is
    void addRun(RunPtr run);  // puts a finished run into the project (import, tests); emits runsChanged and runFinished
    void removeRun(const QString& runId);  // undoable until the project is closed

    // Sweeps of the project, oldest first. Their cells are runs like others, of lower priority; the records of those
    // that have finished are loaded on demand.
    const std::vector<Sweep>& sweeps() const;
    const Sweep* sweep(const QString& id) const;  // null: there is none
    // `definition`: base and axes, as `plan` is of. The sweep's id.
    QString startSweep(Sweep definition, const SweepPlan& plan);
    void retryCell(const QString& sweepId, std::size_t cell);  // as another run, in the place of the old one
    void cancelSweep(const QString& sweepId);                  // its runs that have not finished

    // The file. All of these keep the old project when they fail and tell why.
    void newProject();
    Status open(const QString& path);
    Status save();
    Status saveAs(const QString& path);
    // A copy of the file as a new, untitled project (samples, recovered work).
    Status openAsUntitled(const QString& path, const QString& name);
    QString path() const;         // empty: untitled
    QString displayName() const;  // "sprites-tour.meander" or "Untitled"
    bool isModified() const;

    // Snapshots left by programs that are not running any more, newest first.
    std::vector<RecoveryEntry> recoverable() const;
    Status restore(const RecoveryEntry& entry);  // its snapshot stays until the project is saved
    void discard(const RecoveryEntry& entry);

    std::string deviceDescription() const;  // empty until the engine has started
    std::string deviceNote() const;

signals:
    void draftChanged();
    void planChanged();
    void runsChanged();                  // the list: added, removed, renamed, reordered
    void sweepsChanged();                // another one, or cells with other runs
    void queueChanged();                 // paused, going on, paused after a run, a waiting run edited
    void runChanged(const QString& id);  // status, progress, preview or a new step; at most once per frame and run
    void runQueued(const QString& id);   // a run asked for by this window was accepted
    void runFinished(const QString& id);
    void trajectoryLoaded(const QString& id);
    void projectChanged();  // path, name, modified
    void deviceChanged();
    void settingsKept(const QString& sentence);  // the draft's model recommends others, see useModelSettings
    void problem(const QString& sentence, const QString& detail);  // shown as a notification and logged
    void message(const QString& sentence);                         // status bar and log

private:
    friend class DocumentEdit;
    struct Implementation;
    std::unique_ptr<Implementation> m_implementation;
};

}  // namespace meander::gui
