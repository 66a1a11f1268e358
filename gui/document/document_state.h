// The inside of Document, shared by its source files only.
#pragma once
#include <QFutureWatcher>
#include <QSet>
#include <QThreadPool>
#include <QTimer>
#include <functional>
#include <map>

#include "gui/bridge/engine_bridge.h"
#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/document/project_file.h"

namespace meander::gui {

struct PlanAnswer {
    Result<Plan> plan = Error{"The recipe was not planned yet.", ""};
    std::shared_ptr<const ModelInfo> model;
};

struct ModelAnswer {
    QString id;
    Recipe asked;  // the draft at the time
    Result<ModelInfo> model = Error{"", ""};
    Recipe draft;  // on that model
};

// An undoable edit as two functions; edits with the same key that follow each other become one.
class DocumentEdit : public QUndoCommand {
public:
    DocumentEdit(const QString& label, QString key, std::function<void()> redo, std::function<void()> undo)
        : QUndoCommand(label), m_key(std::move(key)), m_redo(std::move(redo)), m_undo(std::move(undo)) {}
    void redo() override { m_redo(); }
    void undo() override { m_undo(); }
    int id() const override { return m_key.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override {
        const auto* next = dynamic_cast<const DocumentEdit*>(other);
        if (!next || next->m_key != m_key) return false;
        m_redo = next->m_redo;
        return true;
    }

private:
    QString m_key;
    std::function<void()> m_redo, m_undo;
};

struct Document::Implementation {
    explicit Implementation(Document& d) : owner(d), bridge(&d) {}

    Document& owner;

    // Draft and plan.
    Recipe draft;
    QStringList invalidFields;
    QUndoStack undo;
    PlanAnswer plan;
    QFutureWatcher<PlanAnswer> planning;
    QThreadPool planPool;
    bool isPlanUnderWay = false;  // until planned() has taken the answer; the future itself ends earlier
    bool replan = false;          // the draft changed while a plan was under way
    bool runWhenPlanned = false;
    std::unique_ptr<Latest<ModelAnswer>> modelWork;

    // Runs.
    std::vector<RunPtr> runs;  // all, removed ones too
    QSet<QString> removed;
    std::map<QString, LiveRun> live;
    QStringList waitingOrder;  // live ids in the order of the queue
    QSet<QString> requested;   // trajectories under way
    QSet<QString> held;        // live ids that wait since another session: the engine does not know them
    QSet<QString> preparing;   // being loaded and planned to go on
    int lastNumber = 0;
    std::vector<Sweep> sweeps;
    QSet<QString> cells;  // ids of live runs that belong to a sweep
    bool isQueuePaused = false;
    QString pauseAfter;
    QSet<QString> withdrawn;  // asked back from the engine to be edited
    QString edited;           // the waiting run whose recipe is the draft; it is held
    int editedPlace = 0;      // in the queue

    // The file.
    ProjectFile file;
    bool dirty = false;  // changes that are not on the undo stack (a recovered or never saved project)
    QTimer autosave;

    EngineBridge bridge;  // last: the engine ends before what it records into

    RunPtr* find(const QString& id);
    RunPtr recordFor(const std::string& id);  // a run the draft builds on; its record is asked for
    void replace(const RunPtr& run);          // same id
    void changeRun(const QString& id, const std::function<void(Run&)>& change);
    void startPlanning();
    void planned();
    void submit();
    void submit(Submission submission);
    void submit(std::vector<Submission> submissions);
    void saveSweep(const Sweep& sweep);
    void hold(const QStringList& waiting);
    void saveQueue();
    void prepare(const QString& id, Continuation how);
    void prepared(const QString& id, Continuation how, Result<Submission> ready);
    void dropHeld(const QString& id);
    QStringList waiting() const;  // in the order of the queue
    void setWaiting(const QStringList& order);
    void beginEditing(const QString& id);
    bool takeBack(const RunEvent& e);  // a withdrawn run: held from now on; false: it is none
    void putBack();                    // the draft as the recipe of the edited run
    void receive(const Arrival& arrival);
    void receiveEvent(const RunEvent& e);
    void append(const QString& id, const FreshRecords& fresh);
    void ended(const RunEvent& e);
    void adopt(ProjectContent content);  // everything of another project
    ProjectContent content() const;
    void saved();  // what is in memory is in the file
    void scheduleAutosave();
    void snapshot();  // what a crash must not lose, now
};

}  // namespace meander::gui
