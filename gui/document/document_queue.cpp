// The queue as a person handles it: its order, pauses, copies, and runs that are edited while they wait.
#include <algorithm>

#include "gui/document/document_state.h"
#include "gui/document/run_text.h"

namespace meander::gui {

QStringList Document::Implementation::waiting() const {
    QStringList ids;
    for (const QString& id : owner.queue())
        if (owner.isWaiting(id)) ids.append(id);
    return ids;
}

bool Document::isWaiting(const QString& id) const {
    const LiveRun* l = live(id);
    return l && (l->run->status == RunStatus::Queued || m_implementation->held.contains(id));
}

// Those of the order that still wait, before any that came later.
void Document::Implementation::setWaiting(const QStringList& order) {
    QStringList next;
    const QStringList now = waiting();
    for (const QString& id : order)
        if (now.contains(id)) next.append(id);
    for (const QString& id : now)
        if (!next.contains(id)) next.append(id);
    for (const QString& id : next) waitingOrder.removeAll(id);
    waitingOrder += next;
    if (Engine* e = bridge.engine()) {
        int position = 0;
        for (const QString& id : next)
            if (!held.contains(id)) e->move(id.toStdString(), position++);
    }
    saveQueue();
    emit owner.runsChanged();
}

void Document::moveInQueue(const QString& id, int position) {
    const QStringList before = m_implementation->waiting();
    QStringList after = before;
    if (!after.removeOne(id)) return;
    after.insert(std::clamp(position, 0, int(after.size())), id);
    if (after == before) return;
    const auto set = [this](const QStringList& order) { m_implementation->setWaiting(order); };
    undoStack().push(new DocumentEdit(
        tr("order of the queue"), {}, [set, after] { set(after); }, [set, before] { set(before); }));
}

void Document::pauseQueue() {
    startEngine();
    m_implementation->bridge.engine()->pauseQueue();
}

void Document::resumeQueue() {
    auto& d = *m_implementation;
    startEngine();
    d.bridge.engine()->resumeQueue();
    for (const QString& id : d.waiting())
        if (d.held.contains(id) && id != d.edited) d.prepare(id, Continuation::Start);
}

bool Document::isQueuePaused() const { return m_implementation->isQueuePaused; }

void Document::pauseAfter(const QString& id) {
    auto& d = *m_implementation;
    if (!id.isEmpty() && !live(id)) return;
    d.pauseAfter = id;
    if (Engine* e = d.bridge.engine()) e->pauseAfter(id.toStdString());
    emit queueChanged();
}

QString Document::pausesAfter() const { return m_implementation->pauseAfter; }

void Document::duplicate(const QString& id) {
    if (run(id)) m_implementation->prepare(id, Continuation::Again);
}

void Document::editWaiting(const QString& id) {
    auto& d = *m_implementation;
    if (!isWaiting(id) || d.edited == id) return;
    if (run(id)->evaluations > 0)
        return emit problem(tr("Run %1 goes on from its record, which holds for its own recipe only. Duplicate it and "
                               "change the copy.")
                                .arg(run(id)->number),
                            {});
    stopEditing();
    d.editedPlace = int(d.waiting().indexOf(id));
    if (d.held.contains(id)) return d.beginEditing(id);
    d.withdrawn.insert(id);
    d.bridge.engine()->withdraw(id.toStdString());
}

QString Document::editedRun() const { return m_implementation->edited; }

void Document::Implementation::beginEditing(const QString& id) {
    const RunPtr r = *find(id);
    edited = id;
    emit owner.queueChanged();
    owner.editDraft(r->recipe, Document::tr("edit waiting run"));
    emit owner.message(
        Document::tr("The recipe of run %1 is the draft; Run puts it back into the queue").arg(r->number));
}

bool Document::Implementation::takeBack(const RunEvent& e) {
    const QString id = qstr(e.runId);
    if (e.kind != RunEventKind::Cancelled || !withdrawn.remove(id)) return false;
    if (!e.run || (e.run->trajectory && !e.run->trajectory->empty())) return false;
    changeRun(id, [](Run& r) { r.status = RunStatus::Queued; });
    file.restoreRun(**find(id));
    changeRun(id, [](Run& r) { r.status = RunStatus::Paused; });
    held.insert(id);
    QStringList order = waiting();
    order.removeAll(id);
    order.insert(std::clamp(editedPlace, 0, int(order.size())), id);
    setWaiting(order);
    beginEditing(id);
    return true;
}

void Document::stopEditing() {
    auto& d = *m_implementation;
    const QString id = std::exchange(d.edited, {});
    if (id.isEmpty()) return;
    emit queueChanged();
    if (d.held.contains(id)) d.prepare(id, Continuation::Start);
}

void Document::Implementation::putBack() {
    const QString id = std::exchange(edited, {});
    RunPtr* r = find(id);
    if (!r || !held.remove(id)) return;
    const QStringList order = waiting();
    Submission s{.plan = *plan.plan, .id = id.toStdString(), .name = (*r)->name, .number = (*r)->number};
    if (draft.branch)
        if (RunPtr* found = find(qstr(draft.branch->run))) s.parent = *found;
    submit(std::move(s));
    QStringList next = waiting();
    next.removeAll(id);
    next.insert(std::clamp(editedPlace, 0, int(next.size())), id);
    setWaiting(next);
    emit owner.queueChanged();
}

}  // namespace meander::gui
