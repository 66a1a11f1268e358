// Runs that go on: those that waited when the program ended, interrupted ones from their record, any one again.
#include "engine/analysis/reuse_error.h"
#include "engine/run/branching.h"
#include "gui/document/document_state.h"
#include "gui/look/text.h"

namespace meander::gui {

// What waited comes back, paused: nothing starts by itself.
void Document::Implementation::hold(const QStringList& waiting) {
    for (const QString& id : waiting) {
        if (!find(id)) continue;
        held.insert(id);
        live[id].run = *find(id);
        waitingOrder.append(id);
        changeRun(id, [](Run& r) { r.status = RunStatus::Paused; });
    }
}

void Document::Implementation::saveQueue() {
    QStringList waiting;
    for (const QString& id : owner.queue())
        if (const LiveRun* l = owner.live(id); l && (held.contains(id) || l->run->status == RunStatus::Queued))
            waiting.append(id);
    file.setWaitingOrder(waiting);
}

void Document::Implementation::prepare(const QString& id, Continuation how) {
    owner.startEngine();
    if (preparing.contains(id)) return;
    preparing.insert(id);
    file.prepareRun(id, how);
}

void Document::Implementation::prepared(const QString& id, Continuation how, Result<Submission> ready) {
    preparing.remove(id);
    if (!ready) {
        emit owner.problem(qstr(ready.error().text), qstr(ready.error().detail));
        return;
    }
    const QStringList order = waiting();
    if (how == Continuation::Start && !held.remove(id)) return;  // cancelled meanwhile
    Submission s = std::move(*ready);
    if (how == Continuation::Again || how == Continuation::Whole) s.number = ++lastNumber;
    else
        for (const Sweep& sweep : sweeps)
            for (const SweepCell& c : sweep.cells)
                if (c.run == s.id || (s.interrupted && c.run == s.interrupted->id))
                    s.priority = RunPriority::Background, s.group = sweep.id;
    submit(std::move(s));
    if (how == Continuation::Start) setWaiting(order);
}

bool Document::canGoOn(const QString& id) const {
    const RunPtr r = run(id);
    return r && !live(id) && r->status != RunStatus::Finished && r->evaluations >= 0 && canReplay(r->recipe);
}

void Document::goOn(const QString& id) {
    if (canGoOn(id)) m_implementation->prepare(id, Continuation::GoOn);
}

void Document::retry(const QString& id) {
    if (run(id) && !live(id)) m_implementation->prepare(id, Continuation::Again);
}

RunPtr Document::wholeRun(const QString& id) const {
    const RunPtr of = run(id);
    if (!of) return nullptr;
    for (const RunPtr& other : runs())
        if (isPartner(*other, *of)) return other;
    return nullptr;
}

void Document::runWhole(const QString& id) {
    if (run(id) && !live(id)) m_implementation->prepare(id, Continuation::Whole);
}

void Document::Implementation::dropHeld(const QString& id) {
    held.remove(id);
    live.erase(id);
    waitingOrder.removeAll(id);
    std::erase_if(runs, [&](const RunPtr& r) { return qstr(r->id) == id; });
    file.dropRun(id);
    saveQueue();
    emit owner.runsChanged();
}

}  // namespace meander::gui
