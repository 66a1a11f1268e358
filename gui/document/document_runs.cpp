// Runs: what comes up from the engine, and the commands that go down.
#include <algorithm>

#include "gui/document/document_state.h"
#include "gui/document/run_text.h"

namespace meander::gui {

RunPtr* Document::Implementation::find(const QString& id) {
    const std::string key = id.toStdString();
    const auto it = std::find_if(runs.begin(), runs.end(), [&](const RunPtr& r) { return r->id == key; });
    return it == runs.end() ? nullptr : &*it;
}

void Document::Implementation::replace(const RunPtr& run) {
    if (RunPtr* old = find(qstr(run->id))) {
        // Names and pins are the window's: they may have changed while the run was under way.
        if ((*old)->name != run->name || (*old)->pinned != run->pinned) {
            Run copy = *run;
            copy.name = (*old)->name;
            copy.pinned = (*old)->pinned;
            *old = std::make_shared<const Run>(std::move(copy));
        } else {
            *old = run;
        }
    } else {
        runs.push_back(run);
        lastNumber = std::max(lastNumber, run->number);
    }
}

void Document::Implementation::changeRun(const QString& id, const std::function<void(Run&)>& change) {
    RunPtr* run = find(id);
    if (!run) return;
    Run copy = **run;
    change(copy);
    *run = std::make_shared<const Run>(std::move(copy));
    if (const auto it = live.find(id); it != live.end()) it->second.run = *run;
}

// An entry stands where its index says: what the started run already holds (the steps that a branch takes over) may
// arrive again, and nothing is put behind a gap, which the whole record closes when the run ends.
template <class T> static void appendInOrder(std::vector<T>& record, const std::vector<T>& fresh) {
    for (const T& entry : fresh)
        if (entry->index == int(record.size())) record.push_back(entry);
}

void Document::Implementation::append(const QString& id, const FreshRecords& fresh) {
    const auto it = live.find(id);
    if (it == live.end()) return;  // late: the run has ended or belongs to another project
    changeRun(id, [&](Run& r) {
        Trajectory t = r.trajectory ? *r.trajectory : Trajectory();
        appendInOrder(t.evaluations, fresh.evaluations);
        appendInOrder(t.steps, fresh.steps);
        r.trajectory = std::make_shared<const Trajectory>(std::move(t));
    });
}

void Document::Implementation::receive(const Arrival& arrival) {
    QSet<QString> changed;
    bool isListChanged = false;
    // A run that starts in this arrival must be known before its record is appended; one that ends brings the whole
    // record itself.
    std::vector<const RunEvent*> later;
    for (const RunEvent& e : arrival.events) {
        if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Cancelled || e.kind == RunEventKind::Failed) {
            later.push_back(&e);
            continue;
        }
        const std::size_t before = runs.size();
        receiveEvent(e);
        isListChanged |= runs.size() != before;
        if (!e.runId.empty()) changed.insert(qstr(e.runId));
    }
    for (const auto& [id, fresh] : arrival.fresh) {
        append(qstr(id), fresh);
        changed.insert(qstr(id));
    }
    for (const RunEvent* e : later) {
        ended(*e);
        changed.insert(qstr(e->runId));
        isListChanged = true;
    }
    if (isListChanged) emit owner.runsChanged();
    for (const QString& id : changed)
        if (find(id)) emit owner.runChanged(id);
    for (const RunEvent* e : later)
        if (find(qstr(e->runId)) && !live.contains(qstr(e->runId))) emit owner.runFinished(qstr(e->runId));
}

void Document::Implementation::receiveEvent(const RunEvent& e) {
    const QString id = qstr(e.runId);
    if (e.kind == RunEventKind::DeviceReady || e.kind == RunEventKind::Idle) {
        emit owner.deviceChanged();
        return;
    }
    if (e.kind == RunEventKind::QueuePaused || e.kind == RunEventKind::QueueResumed) {
        isQueuePaused = e.kind == RunEventKind::QueuePaused;
        if (isQueuePaused && !pauseAfter.isEmpty() && !live.contains(pauseAfter)) pauseAfter.clear();
        emit owner.queueChanged();
        return;
    }
    if (e.kind == RunEventKind::Queued && e.run && !live.contains(id)) {
        replace(e.run);
        live[id].run = *find(id);
        live[id].evaluations = e.evaluations;
        waitingOrder.append(id);
        if (!cells.contains(id)) emit owner.runQueued(id);  // a person goes on looking at what is shown
        return;
    }
    const auto it = live.find(id);
    if (it == live.end()) return;
    LiveRun& l = it->second;
    if (e.run && e.kind == RunEventKind::Started) {
        replace(e.run);
        changeRun(id, [](Run& r) { r.status = RunStatus::Running; });
        if (withdrawn.remove(id))
            emit owner.problem(Document::tr("Run %1 has begun and cannot be edited any more. Duplicate it, and cancel "
                                            "this one.")
                                   .arg(e.run->number),
                               {});
    }
    if (e.evaluations > 0) l.evaluations = e.evaluations, l.evaluation = e.evaluation, l.secondsLeft = e.secondsLeft;
    if (e.evaluation > 0 && !l.loading.isEmpty())
        emit owner.message(Document::tr("Loaded %1").arg(std::exchange(l.loading, {})));
    if (e.preview) l.preview = e.preview;
    if (e.kind == RunEventKind::Paused) changeRun(id, [](Run& r) { r.status = RunStatus::Paused; });
    if (e.kind == RunEventKind::Resumed) changeRun(id, [](Run& r) { r.status = RunStatus::Running; });
    if (e.kind == RunEventKind::Loading) l.loading = qstr(e.message);
    if (!e.message.empty())
        emit owner.message(e.kind == RunEventKind::Loading ? Document::tr("Loading %1").arg(qstr(e.message))
                                                           : qstr(e.message));
}

void Document::Implementation::ended(const RunEvent& e) {
    const QString id = qstr(e.runId);
    if (!live.contains(id) || takeBack(e)) return;
    if (e.run) replace(e.run);
    live.erase(id);
    if (pauseAfter == id) pauseAfter.clear();
    waitingOrder.removeAll(id);
    if (!find(id)) return;
    changeRun(id, [](Run& r) {  // one that never began has nothing to be loaded
        if (!r.trajectory) r.trajectory = std::make_shared<const Trajectory>();
    });
    const RunPtr kept = *find(id);
    const Run& run = *kept;
    if (cells.remove(id)) {
        // Hundreds of records do not stay in memory; they are loaded when they are looked at.
        if (run.status == RunStatus::Finished) changeRun(id, [](Run& r) { r.trajectory.reset(); });
    } else if (e.kind == RunEventKind::Failed) {
        emit owner.problem(
            Document::tr("Run %1 failed. %2").arg(run.number).arg(qstr(run.problem.empty() ? e.message : run.problem)),
            qstr(e.message));
    } else if (e.kind == RunEventKind::Cancelled) {
        emit owner.message(Document::tr("Run %1 was cancelled; its steps so far are kept").arg(run.number));
    } else {
        emit owner.message(Document::tr("Run %1 finished in %2 · %3")
                               .arg(run.number)
                               .arg(secondsText(run.seconds), evaluationsText(run.evaluations)));
    }
    if (e.kind == RunEventKind::Cancelled && (!run.trajectory || run.trajectory->empty()))
        std::erase_if(runs, [&](const RunPtr& r) { return qstr(r->id) == id; });
    if (file.isUntitled() && !dirty) {
        dirty = true;
        emit owner.projectChanged();
    }
    scheduleAutosave();
    if (run.status == RunStatus::Finished) startPlanning();  // what an evaluation takes is known better now
}

std::vector<RunPtr> Document::runs() const {
    const auto& d = *m_implementation;
    std::vector<RunPtr> shown;
    for (const RunPtr& r : d.runs)
        if (!d.removed.contains(qstr(r->id))) shown.push_back(r);
    return shown;
}

RunPtr Document::run(const QString& id) const {
    if (m_implementation->removed.contains(id)) return nullptr;
    const RunPtr* r = m_implementation->find(id);
    return r ? *r : nullptr;
}

const LiveRun* Document::live(const QString& id) const {
    const auto it = m_implementation->live.find(id);
    return it == m_implementation->live.end() ? nullptr : &it->second;
}

// In the order in which the engine takes them: cells of sweeps behind all others.
QStringList Document::queue() const {
    QStringList running, waiting, cells;
    for (const QString& id : m_implementation->waitingOrder) {
        if (!isWaiting(id)) running.append(id);
        else if (m_implementation->cells.contains(id)) cells.append(id);
        else waiting.append(id);
    }
    return running + waiting + cells;
}

RunPtr Document::baseline() const {
    for (const RunPtr& r : runs())
        if (r->pinned) return r;
    return nullptr;
}

bool Document::isBusy() const { return !m_implementation->live.empty(); }

void Document::requestTrajectory(const QString& id) {
    auto& d = *m_implementation;
    const RunPtr r = run(id);
    if (!r || r->trajectory || d.requested.contains(id) || d.live.contains(id)) return;
    d.requested.insert(id);
    d.file.loadTrajectory(id);
}

void Document::requestImage(const QString& id) {
    auto& d = *m_implementation;
    const RunPtr r = run(id);
    if (!r || r->images || d.live.contains(id)) return;
    if (r->model.state.kind == StateKind::Points) requestTrajectory(id);
    else if (!d.requested.contains("image/" + id)) {
        d.requested.insert("image/" + id);
        d.file.loadImages(id);
    }
}

void Document::runDraft() {
    auto& d = *m_implementation;
    if (!d.invalidFields.isEmpty()) {
        emit problem(d.invalidFields.front(), {});
        return;
    }
    startEngine();
    if (d.isPlanUnderWay) {
        d.runWhenPlanned = true;
        return;
    }
    d.submit();
}

void Document::Implementation::submit() {
    if (!plan.plan) {
        emit owner.problem(qstr(plan.plan.error().text), qstr(plan.plan.error().detail));
        return;
    }
    RunPtr parent;
    if (draft.branch) {
        if (RunPtr* found = find(qstr(draft.branch->run))) parent = *found;
        if (parent && !parent->trajectory) {
            emit owner.problem(
                Document::tr("The record of the run to branch from is not loaded yet. Show that run, then try again."),
                {});
            owner.requestTrajectory(qstr(parent->id));
            return;
        }
    }
    if (!edited.isEmpty()) return putBack();
    submit({.plan = *plan.plan, .parent = parent, .number = ++lastNumber});
}

void Document::Implementation::submit(Submission submission) {
    std::vector<Submission> one;
    one.push_back(std::move(submission));
    submit(std::move(one));
}

// Known here and to the file before the engine has it: events of the run come through the event loop.
void Document::Implementation::submit(std::vector<Submission> submissions) {
    for (Submission& s : submissions) {
        if (s.id.empty()) s.id = newRunId();
        Run run = waitingRunOf(s);
        if (!s.interrupted) file.recordWaiting(run);
        RunEvent queued;
        queued.runId = run.id;
        queued.evaluations = s.plan.evaluations;
        queued.run = std::make_shared<const Run>(std::move(run));
        const QString id = qstr(queued.runId);
        live.erase(id);  // a held run is live already
        waitingOrder.removeAll(id);
        if (!s.group.empty()) cells.insert(id);
        receiveEvent(queued);
    }
    bridge.engine()->submit(std::move(submissions));
    saveQueue();
    snapshot();  // a crash during the run is found again at the next start
    emit owner.runsChanged();
}

void Document::setBranchPoint(const QString& runId, int step) {
    const RunPtr parent = run(runId);
    if (!parent) return;
    Recipe next = parent->recipe;
    next.branch = BranchPoint{parent->id, step};
    editDraft(next, tr("branch at step %1").arg(step));
}

void Document::pause(const QString& id) {
    if (Engine* e = m_implementation->bridge.engine()) e->pause(id.toStdString());
}
void Document::resume(const QString& id) {
    if (m_implementation->held.contains(id)) return m_implementation->prepare(id, Continuation::Start);
    if (Engine* e = m_implementation->bridge.engine()) e->resume(id.toStdString());
}
void Document::singleStep(const QString& id) {
    if (Engine* e = m_implementation->bridge.engine()) e->step(id.toStdString());
}
void Document::cancel(const QString& id) {
    if (m_implementation->edited == id) m_implementation->edited.clear(), emit queueChanged();
    if (m_implementation->held.contains(id)) return m_implementation->dropHeld(id);
    if (Engine* e = m_implementation->bridge.engine()) e->cancel(id.toStdString());
}
void Document::cancelAll() {
    m_implementation->edited.clear();
    for (const QString& id : QSet<QString>(m_implementation->held)) m_implementation->dropHeld(id);
    if (Engine* e = m_implementation->bridge.engine()) e->cancelAll();
}

void Document::renameRun(const QString& id, const QString& name) {
    const RunPtr r = run(id);
    const std::string next = name.trimmed().toStdString();
    if (!r || r->name == next) return;
    const auto set = [this, id](const std::string& n) {
        m_implementation->changeRun(id, [&](Run& x) { x.name = n; });
        emit runsChanged();
        emit runChanged(id);
    };
    undoStack().push(new DocumentEdit(
        tr("rename run"), {}, [set, next] { set(next); }, [set, old = r->name] { set(old); }));
}

void Document::setPinned(const QString& id, bool pinned) {
    const RunPtr r = run(id);
    if (!r || r->pinned == pinned) return;
    const RunPtr before = baseline();
    const auto set = [this](const QString& only) {
        for (const RunPtr& x : runs()) {
            const bool is = qstr(x->id) == only;
            if (x->pinned != is) m_implementation->changeRun(qstr(x->id), [is](Run& y) { y.pinned = is; });
        }
        emit runsChanged();
    };
    const QString old = before ? qstr(before->id) : QString(), next = pinned ? id : QString();
    undoStack().push(new DocumentEdit(
        pinned ? tr("make baseline") : tr("remove baseline"), {}, [set, next] { set(next); },
        [set, old] { set(old); }));
}

void Document::addRun(RunPtr added) {
    if (!added || run(qstr(added->id))) return;
    auto& d = *m_implementation;
    auto numbered = std::make_shared<Run>(*added);
    if (numbered->number <= 0) numbered->number = d.lastNumber + 1;
    d.lastNumber = std::max(d.lastNumber, numbered->number);
    d.runs.push_back(numbered);
    // Into the file in the order in which a live run would have been written.
    const auto record = d.file.recorder();
    const auto write = [&](RunEventKind kind, std::shared_ptr<const Evaluation> evaluation = nullptr,
                           std::shared_ptr<const Step> step = nullptr) {
        RunEvent e;
        e.kind = kind;
        e.runId = numbered->id;
        e.run = numbered;
        e.evaluationRecord = std::move(evaluation);
        e.stepRecord = std::move(step);
        if (record) record(e);
    };
    write(RunEventKind::Queued);
    write(RunEventKind::Started);
    if (numbered->trajectory) {
        for (const auto& e : numbered->trajectory->evaluations) write(RunEventKind::Evaluated, e);
        for (const auto& s : numbered->trajectory->steps) write(RunEventKind::Stepped, nullptr, s);
    }
    write(RunEventKind::Finished);
    d.dirty = true;
    emit runsChanged();
    emit runFinished(qstr(numbered->id));
    emit projectChanged();
}

void Document::removeRun(const QString& id) {
    if (!run(id)) return;
    if (live(id)) cancel(id);
    const auto set = [this, id](bool isRemoved) {
        if (isRemoved) m_implementation->removed.insert(id);
        else m_implementation->removed.remove(id);
        emit runsChanged();
    };
    undoStack().push(new DocumentEdit(
        tr("delete run"), {}, [set] { set(true); }, [set] { set(false); }));
}

}  // namespace meander::gui
