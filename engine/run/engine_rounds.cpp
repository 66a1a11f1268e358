// Starting runs and carrying out rounds.
#include <algorithm>

#include "engine/run/engine_thread.h"
#include "engine/run/run_failure.h"

namespace meander {

namespace {

std::vector<std::string> keysOf(const Plan& p) {
    std::vector<std::string> keys{ModelCache::keyOf(p.resolved.model, p.loadOptions())};
    for (const auto& id : p.models) keys.push_back(ModelCache::keyOf(id, p.loadOptions(true)));
    return keys;
}

bool needs(const Plan& p, const std::string& key) {
    const auto keys = keysOf(p);
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

// --- starts ---

void EngineThread::admit() {
    while (auto next = queue.takeNext(progress(), m_options.maximumConcurrentRuns)) start(std::move(*next));
}

void EngineThread::start(WaitingRun w) {
    auto run = std::make_shared<Run>(w.run);
    std::optional<Error> why;
    for (const bool isFirst : {true, false}) {
        try {
            return startOnce(w, run);
        } catch (const std::exception& e) {
            why = errorOf(e);
            if (!isFirst || !isOutOfMemory(e)) break;
        }
        freeMemory();
    }
    run->status = RunStatus::Failed;
    run->problem = why->text;
    emit(RunEventKind::Failed, run, why->detail.empty() ? why->text : why->detail);
    noteEnd(w.run.id, w.group);
}

void EngineThread::startOnce(const WaitingRun& w, std::shared_ptr<Run> run) {
    Backend& backend = *useDevice(w.plan.resolved.device).backend;
    const std::vector<Model*> all = modelsFor(w.plan, w.run.id);
    run->device = backend.description();
    run->status = RunStatus::Running;
    run->model = all.front()->info();
    backend.resetPeak();
    SharedWork* shared =
        w.group.empty() ? nullptr : &m_shared.try_emplace(w.group, m_options.sharedMemory).first->second;
    auto active = std::make_unique<ActiveRun>(w, *run, all, backend, m_options, m_sink, shared);
    publish(RunEventKind::Started, *active, RunStatus::Running);
    if (w.paused) publish(RunEventKind::Paused, *active, RunStatus::Paused);
    m_active.push_back(std::move(active));
}

ModelCache::IsInUse EngineThread::inUseBeside(const Plan* plan) const {
    return [this, plan](const std::string& key) {
        return (plan && needs(*plan, key))
               || std::any_of(m_active.begin(), m_active.end(), [&](const auto& r) { return needs(r->plan(), key); });
    };
}

void EngineThread::freeMemory() {
    for (auto& [group, shared] : m_shared) shared.forget();
    m_devices.dropUnused(inUseBeside(nullptr));
}

// The recipe's model and the further ones its guidance uses.
std::vector<Model*> EngineThread::modelsFor(const Plan& plan, const std::string& runId) {
    std::vector<Model*> all{&modelFor(plan.resolved.model, plan.model.weightBytes, plan, runId)};
    for (const auto& id : plan.models) {
        const auto info = inspectModel(id);
        all.push_back(&modelFor(id, info ? info->weightBytes : 0, plan, runId));
    }
    return all;
}

Model& EngineThread::modelFor(const std::string& id, std::size_t weightBytes, const Plan& plan,
                              const std::string& runId) {
    ModelCache& models = deviceOf(plan).models;
    const LoadOptions options = plan.loadOptions(id != plan.resolved.model);
    if (Model* known = models.find(ModelCache::keyOf(id, options))) return *known;
    RunEvent e;
    e.kind = RunEventKind::Loading;
    e.runId = runId;
    e.message = id == plan.resolved.model ? plan.model.name : id;
    m_sink(e);
    // What is shared names models by their places in memory, and another may come to stand in one.
    for (auto& [group, shared] : m_shared) shared.forget();
    return models.load(id, options, weightBytes, inUseBeside(&plan));
}

// --- rounds ---

// Answers from records what they cover, then one network call for the runs of one model, as many requests as fit.
void EngineThread::tick() {
    std::vector<BatchItem> items;
    int rows = 0;
    std::string key;
    for (ActiveRun* run : runnable()) {
        try {
            if (const std::size_t taken = take(*run, key, rows); taken > 0) items.push_back({run, taken});
        } catch (const std::exception& e) {
            run->fail(e);  // one run's trouble is not its neighbours'
        }
    }
    if (!items.empty()) {
        DeviceSet::Device& device = deviceOf(items.front().run->plan());
        evaluateTogether(*device.backend, device.budget, items);
    }
    // Those that did not fit come first next time.
    for (const BatchItem& a : items) rotate(a.run);
    collect();
}

// How many requests of a run go into this round; its first one fixes the model.
std::size_t EngineThread::take(ActiveRun& run, std::string& key, int& rows) {
    while (!run.done() && run.answerFromRecord()) {}
    if (run.done()) return 0;
    DeviceSet::Device& device = deviceOf(run.plan());
    const std::string own = keysOf(run.plan()).front() + "|" + device.name;
    if (key.empty()) key = own;
    if (own != key) return 0;
    const int limit = device.budget.rowsToShare(run.plan().model);
    std::size_t taken = 0;
    for (; taken < run.pending().size(); ++taken) {
        const int more = run.rowsWaiting(taken);
        if (rows > 0 && rows + more > limit) break;
        rows += more;
    }
    return taken;
}

void EngineThread::rotate(ActiveRun* run) {
    const auto it = std::find_if(m_active.begin(), m_active.end(), [run](const auto& r) { return r.get() == run; });
    m_active.splice(m_active.end(), m_active, it);
}

// A run that met the end of the memory in its own arithmetic goes on from its record, with more room than before.
void EngineThread::rescueOrFail(ActiveRun& run) {
    while (run.hasFailed() && run.canBeRescued()) {
        freeMemory();
        try {
            run.rescue();
        } catch (const std::exception& e) {
            run.fail(e);
        }
    }
}

// What an image costs in memory, or a fault of the codec, is publish's to deal with.
bool EngineThread::decodeNext(ActiveRun& run) {
    try {
        return run.decodeNext();
    } catch (const std::exception&) {
        return true;
    }
}

void EngineThread::collect() {
    for (auto it = m_active.begin(); it != m_active.end();) {
        ActiveRun& run = **it;
        if (run.hasFailed()) rescueOrFail(run);
        if (run.hasFailed()) {
            publish(RunEventKind::Failed, run, RunStatus::Failed, run.failure());
        } else if (run.done() && !decodeNext(run)) {
            ++it;
            continue;
        } else if (run.done()) {
            publish(RunEventKind::Finished, run, RunStatus::Finished);
        } else {
            ++it;
            continue;
        }
        const std::string id = run.id(), group = run.group();
        it = m_active.erase(it);
        noteEnd(id, group);
    }
}

// What only the runs of a group share goes with the last of them.
void EngineThread::noteEnd(const std::string& id, const std::string& group) {
    if (!group.empty() && !queue.holdsGroup(group)
        && std::none_of(m_active.begin(), m_active.end(), [&](const auto& r) { return r->group() == group; }))
        m_shared.erase(group);
    if (queue.ended(id)) tell(RunEventKind::QueuePaused);
}

}  // namespace meander
