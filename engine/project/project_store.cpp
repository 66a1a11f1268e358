#include "engine/project/project_store.h"

#include <algorithm>

#include "engine/core/json.h"
#include "engine/project/project_state.h"
#include "engine/project/schema.h"

namespace meander {

ProjectStore::ProjectStore(std::unique_ptr<Implementation> i) : m_implementation(std::move(i)) {}
ProjectStore::~ProjectStore() { static_cast<void>(m_implementation->close(true)); }

Error ProjectStore::Implementation::sentence(const std::exception& e, const std::string& doing) const {
    if (const auto* d = dynamic_cast<const DatabaseError*>(&e)) return databaseSentence(*d, path, doing);
    return {e.what()};
}

std::string ProjectStore::path() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->path;
}
bool ProjectStore::isReadOnly() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->isReadOnly;
}
std::string ProjectStore::note() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->note;
}
void ProjectStore::setOnProblem(OnProblem f) { m_implementation->queue.setOnProblem(std::move(f)); }

// Runs. Tensors are shared, not copied, until they are written.

void ProjectStore::beginRun(const Run& given) {
    // Only finishRun makes a run finished, and only with all of it.
    Run run = given;
    if (run.status == RunStatus::Finished) run.status = RunStatus::Running;
    m_implementation->queue.add({[run](Database&, RunWriter& w) { w.begin(run); }});
}
void ProjectStore::setStart(const std::string& runId, const RunStart& start) {
    m_implementation->queue.add({[runId, start](Database&, RunWriter& w) { w.start(runId, start); }});
}
void ProjectStore::appendEvaluation(const std::string& runId, std::shared_ptr<const Evaluation> evaluation) {
    m_implementation->queue.add(
        {[runId, e = std::move(evaluation)](Database&, RunWriter& w) { w.evaluation(runId, *e); }});
}
void ProjectStore::appendStep(const std::string& runId, std::shared_ptr<const Step> step) {
    m_implementation->queue.add({[runId, s = std::move(step)](Database&, RunWriter& w) { w.step(runId, *s); }});
}
void ProjectStore::finishRun(const Run& run, std::function<void()> committed) {
    m_implementation->queue.add({[run](Database&, RunWriter& w) { w.finish(run); }, true, std::move(committed)});
}
void ProjectStore::updateRun(const std::string& runId, const std::string& name, bool pinned) {
    m_implementation->queue.add({[runId, name, pinned](Database&, RunWriter& w) { w.label(runId, name, pinned); }});
}
void ProjectStore::removeRun(const std::string& runId) {
    m_implementation->queue.add({[runId](Database&, RunWriter& w) { w.setRemoved(runId, true); }});
}
void ProjectStore::restoreRun(const std::string& runId) {
    m_implementation->queue.add({[runId](Database&, RunWriter& w) { w.setRemoved(runId, false); }});
}

template <class T> Result<T> ProjectStore::Implementation::reading(const std::function<T(const RunReader&)>& read) {
    if (!isReadOnly && queue.waiting() > 0)
        static_cast<void>(queue.flush());  // what cannot be written now is still in memory of the caller
    const std::lock_guard lock(readMutex);
    try {
        if (!reader.isOpen()) throw Failure("The project is closed.");
        return read(RunReader(reader));
    } catch (const std::exception& e) {
        return sentence(e, "read");
    }
}

Result<std::vector<Run>> ProjectStore::runs() {
    auto list = m_implementation->reading<std::vector<Run>>([](const RunReader& r) { return r.runs(); });
    if (list && isReadOnly())
        for (auto& r : *list)
            if (r.status == RunStatus::Running || r.status == RunStatus::Paused) r.status = RunStatus::Interrupted;
    return list;
}
Result<std::vector<Run>> ProjectStore::waitingRuns() {
    auto list = runs();
    if (!list) return list;
    std::erase_if(*list, [](const Run& r) { return r.status != RunStatus::Queued; });
    std::vector<std::string> order;
    {
        const std::lock_guard lock(m_implementation->mutex);
        order = m_implementation->waitingOrder;
    }
    const auto place = [&](const Run& r) { return std::find(order.begin(), order.end(), r.id) - order.begin(); };
    std::stable_sort(list->begin(), list->end(), [&](const Run& a, const Run& b) { return place(a) < place(b); });
    return list;
}
void ProjectStore::setWaitingOrder(const std::vector<std::string>& ids) {
    const std::lock_guard lock(m_implementation->mutex);
    m_implementation->waitingOrder = ids;
    m_implementation->putMeta("queue", Json(ids).dump());
}
Result<std::vector<std::string>> ProjectStore::damage(const std::string& runId) {
    return m_implementation->reading<std::vector<std::string>>([&](const RunReader& r) { return r.damage(runId); });
}
Result<std::shared_ptr<const Trajectory>> ProjectStore::loadTrajectory(const std::string& runId) {
    return m_implementation->reading<std::shared_ptr<const Trajectory>>(
        [&](const RunReader& r) { return r.trajectory(runId); });
}
Result<HostTensor> ProjectStore::loadImages(const std::string& runId) {
    return m_implementation->reading<HostTensor>([&](const RunReader& r) { return r.images(runId); });
}
Result<Run> ProjectStore::loadRun(const std::string& runId) {
    return m_implementation->reading<Run>([&](const RunReader& r) {
        Run run = r.run(runId);
        run.trajectory = r.trajectory(runId);
        run.images = r.images(runId);
        return run;
    });
}

// Small things, remembered here and written behind.

void ProjectStore::Implementation::putMeta(const std::string& key, const std::string& value, bool durable) {
    queue.add({[key, value](Database& db, RunWriter&) { writeMeta(db, key, value); }, durable});
}
void ProjectStore::Implementation::dropMeta(const std::string& key) {
    queue.add(
        {[key](Database& db, RunWriter&) { Statement(db, "DELETE FROM meta WHERE key = ?").bind(1, key).finish(); }});
}

namespace {
std::string textOf(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }
}  // namespace

void ProjectStore::saveDraft(const Recipe& draft) {
    auto& d = *m_implementation;
    const std::lock_guard lock(d.mutex);
    d.draft = draft;
    d.recoverable.reset();
    d.dropMeta("autosave");
    d.putMeta("draft", textOf(toJson(draft)), true);
}
void ProjectStore::autosaveDraft(const Recipe& draft) { m_implementation->putMeta("autosave", textOf(toJson(draft))); }
std::optional<Recipe> ProjectStore::draft() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->draft;
}
std::optional<Recipe> ProjectStore::recoverableDraft() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->recoverable;
}
void ProjectStore::saveSweep(const Sweep& sweep) {
    auto& d = *m_implementation;
    const std::lock_guard lock(d.mutex);
    const auto known = std::find_if(d.sweeps.begin(), d.sweeps.end(), [&](const Sweep& s) { return s.id == sweep.id; });
    if (known == d.sweeps.end()) d.sweeps.push_back(sweep);
    else *known = sweep;
    d.putMeta("sweep/" + sweep.id, textOf(toJson(sweep)));
}
void ProjectStore::removeSweep(const std::string& id) {
    auto& d = *m_implementation;
    const std::lock_guard lock(d.mutex);
    std::erase_if(d.sweeps, [&](const Sweep& s) { return s.id == id; });
    d.dropMeta("sweep/" + id);
}
std::vector<Sweep> ProjectStore::sweeps() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->sweeps;
}
ProjectInfo ProjectStore::info() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->info;
}
void ProjectStore::setName(const std::string& name) {
    const std::lock_guard lock(m_implementation->mutex);
    m_implementation->info.name = name;
    m_implementation->putMeta("name", name);
}

}  // namespace meander
