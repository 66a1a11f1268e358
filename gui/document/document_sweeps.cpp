// Sweeps: their cells are runs of the project that the engine carries out behind all others.
#include <QtConcurrent>
#include <algorithm>

#include "gui/bridge/worker_threads.h"
#include "gui/document/document_state.h"
#include "gui/look/text.h"

namespace meander::gui {

const std::vector<Sweep>& Document::sweeps() const { return m_implementation->sweeps; }

const Sweep* Document::sweep(const QString& id) const {
    const std::string key = id.toStdString();
    for (const Sweep& s : sweeps())
        if (s.id == key) return &s;
    return nullptr;
}

void Document::Implementation::saveSweep(const Sweep& sweep) {
    const auto known = std::find_if(sweeps.begin(), sweeps.end(), [&](const Sweep& s) { return s.id == sweep.id; });
    if (known == sweeps.end()) sweeps.push_back(sweep);
    else *known = sweep;
    file.saveSweep(sweep);
    emit owner.sweepsChanged();
}

QString Document::startSweep(Sweep definition, const SweepPlan& plan) {
    auto& d = *m_implementation;
    startEngine();
    definition.id = newRunId();
    definition.created = nowUtc();
    std::vector<Submission> all = submissionsOf(definition, plan, nullptr, d.lastNumber + 1);
    d.lastNumber += int(all.size());
    d.saveSweep(definition);  // before its runs: a crash never leaves cells that belong to nothing
    d.submit(std::move(all));
    return qstr(definition.id);
}

void Document::retryCell(const QString& sweepId, std::size_t cell) {
    const Sweep* s = sweep(sweepId);
    if (!s || cell >= s->cells.size()) return;
    startEngine();
    auto* planning = new QFutureWatcher<Result<Plan>>(this);
    connect(planning, &QFutureWatcherBase::finished, this, [this, planning, sweepId, cell] {
        planning->deleteLater();
        auto& d = *m_implementation;
        const Sweep* now = sweep(sweepId);
        if (!now || cell >= now->cells.size()) return;
        Result<Plan> plan = planning->result();
        if (!plan) return emit problem(qstr(plan.error().text), qstr(plan.error().detail));
        Submission again = submissionOf(*now, std::move(*plan), nullptr, ++d.lastNumber);
        Sweep next = *now;
        const std::string old = next.cells[cell].run;
        for (SweepCell& c : next.cells)
            if (!old.empty() && c.run == old) c.run = again.id;
        next.cells[cell] = {again.id, {}};
        d.saveSweep(next);
        d.submit(std::move(again));
    });
    planning->setFuture(QtConcurrent::run(workerThreads(), [copy = *s, cell]() -> Result<Plan> {
        try {
            return meander::plan(copy.recipe(cell));
        } catch (const std::exception& e) {
            return Error{e.what(), {}};
        }
    }));
}

void Document::cancelSweep(const QString& sweepId) {
    if (const Sweep* s = sweep(sweepId))
        for (const SweepCell& c : std::vector<SweepCell>(s->cells))
            if (live(qstr(c.run))) cancel(qstr(c.run));
}

}  // namespace meander::gui
