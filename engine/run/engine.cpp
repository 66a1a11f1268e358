#include "engine/run/engine.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <thread>

#include "engine/run/device_set.h"
#include "engine/run/driver.h"
#include "engine/run/run_queue.h"

namespace meander {

// `queue` and the description are shared between threads; everything below `owned by the thread` is touched by the
// engine thread alone.
struct Engine::Implementation {
    Implementation(EngineOptions o, Sink s) : options(std::move(o)), sink(std::move(s)), thread([this] { loop(); }) {}
    ~Implementation() {
        queue.stop();
        thread.join();
    }

    // --- the engine thread ---
    void loop() {
        useDevice("auto");
        while (queue.waitForWork(progress(), options.maximumConcurrentRuns, [this] { announceIdle(); })) {
            try {
                processCommands();
                admit();
                tick();
            } catch (const std::exception& e) {
                failAll(e.what());
            }
        }
        for (auto& run : active) emit(RunEventKind::Cancelled, run->snapshot(RunStatus::Cancelled), {});
        active.clear();
        models.clear();
    }

    // The device of the runs from here on; says so when it is another one.
    const DeviceSet::Device& useDevice(const std::string& name) {
        const DeviceSet::Device& device = devices.open(name);
        const std::string description = device.backend->description();
        {
            const std::lock_guard lock(mutex);
            if (deviceDescription == description && deviceNote == device.note) return device;
            deviceDescription = description;
            deviceNote = device.note;
        }
        RunEvent e;
        e.kind = RunEventKind::DeviceReady;
        e.message = device.note;
        sink(e);
        return device;
    }

    void announceIdle() {
        RunEvent e;
        e.kind = RunEventKind::Idle;
        sink(e);
    }

    // Paused runs do not block others.
    RunQueue::Progress progress() const {
        return {
            int(active.size()),
            std::any_of(active.begin(), active.end(), [](const auto& r) { return !r->paused || r->stepBudget > 0; }),
            activeKey};
    }

    // Of the models that a run needs, on its device.
    std::vector<std::string> keysOf(const Plan& p) {
        const std::string place = "|" + p.resolved.precision + "|" + devices.open(p.resolved.device).name;
        std::vector<std::string> keys{p.resolved.model + place};
        for (const auto& id : p.models) keys.push_back(id + place);
        return keys;
    }

    void processCommands() {
        for (const auto& [id, command] : queue.takeCommands()) {
            if (id == "*") {
                while (!active.empty()) grant(active.begin(), command);
                continue;
            }
            if (command == RunCommand::Cancel ? cancelWaiting(id) : queue.note(id, command)) continue;
            const auto it =
                std::find_if(active.begin(), active.end(), [&id = id](const auto& r) { return r->id() == id; });
            if (it != active.end()) grant(it, command);
        }
    }

    bool cancelWaiting(const std::string& id) {
        auto waiting = queue.remove(id);
        if (!waiting) return false;
        waiting->run.status = RunStatus::Cancelled;
        emit(RunEventKind::Cancelled, std::make_shared<Run>(waiting->run), {});
        return true;
    }

    void grant(std::list<std::unique_ptr<ActiveRun>>::iterator it, RunCommand command) {
        ActiveRun& run = **it;
        switch (command) {
        case RunCommand::Pause:
            if (run.paused) break;
            run.paused = true;
            emit(RunEventKind::Paused, run.snapshot(RunStatus::Paused), {});
            break;
        case RunCommand::Resume:
            if (!run.paused) break;
            run.paused = false;
            run.stepBudget = 0;
            emit(RunEventKind::Resumed, run.snapshot(RunStatus::Running), {});
            break;
        case RunCommand::Step:
            if (!run.paused) {
                run.paused = true;
                emit(RunEventKind::Paused, run.snapshot(RunStatus::Paused), {});
            }
            ++run.stepBudget;
            break;
        case RunCommand::Cancel:
            emit(RunEventKind::Cancelled, run.snapshot(RunStatus::Cancelled), {});
            active.erase(it);
            break;
        }
    }

    void admit() {
        while (auto next = queue.takeNext(progress(), options.maximumConcurrentRuns)) start(std::move(*next));
    }

    void start(WaitingRun w) {
        auto run = std::make_shared<Run>(w.run);
        try {
            Backend& backend = *useDevice(w.plan.resolved.device).backend;
            const std::vector<Model*> all = modelsFor(w.plan, w.run.id);
            const Model& model = *all.front();
            run->device = backend.description();
            run->status = RunStatus::Running;
            run->model = model.info();
            w.plan.model = model.info();
            backend.resetPeak();
            auto active_ = std::make_unique<ActiveRun>(std::move(w.plan), *run, w.parent, all, backend, sink);
            activeKey = WaitingRun::modelKeyOf(active_->plan());
            active_->paused = w.paused;
            active_->stepBudget = w.stepBudget;
            emit(RunEventKind::Started, active_->snapshot(RunStatus::Running), {});
            if (w.paused) emit(RunEventKind::Paused, active_->snapshot(RunStatus::Paused), {});
            active.push_back(std::move(active_));
        } catch (const std::exception& e) {
            run->status = RunStatus::Failed;
            run->problem = e.what();
            emit(RunEventKind::Failed, run, e.what());
        }
    }

    bool inUse(const std::string& key) {
        return std::any_of(active.begin(), active.end(), [&](const auto& r) {
            const auto keys = keysOf(r->plan());
            return std::find(keys.begin(), keys.end(), key) != keys.end();
        });
    }

    // The recipe's model and the further ones its guidance asks.
    std::vector<Model*> modelsFor(const Plan& plan, const std::string& runId) {
        const auto keys = keysOf(plan);
        std::vector<Model*> all{&modelFor(plan.resolved.model, keys[0], keys, plan, runId)};
        for (std::size_t i = 0; i < plan.models.size(); ++i)
            all.push_back(&modelFor(plan.models[i], keys[i + 1], keys, plan, runId));
        return all;
    }

    Model& modelFor(const std::string& id, const std::string& key, const std::vector<std::string>& kept,
                    const Plan& plan, const std::string& runId) {
        for (auto it = models.begin(); it != models.end(); ++it)
            if (it->first == key) {
                models.splice(models.begin(), models, it);
                return *models.front().second;
            }
        RunEvent e;
        e.kind = RunEventKind::Loading;
        e.runId = runId;
        e.message = id == plan.resolved.model ? plan.model.name : id;
        sink(e);
        // Three models are kept; one in use never leaves.
        while (models.size() >= 3) {
            const auto unused = std::find_if(models.rbegin(), models.rend(), [&](const auto& m) {
                return !inUse(m.first) && std::find(kept.begin(), kept.end(), m.first) == kept.end();
            });
            if (unused == models.rend()) break;
            models.erase(std::prev(unused.base()));
        }
        auto model = loadModel(id, *devices.open(plan.resolved.device).backend, {plan.resolved.precision});
        if (!model) throw Failure(model.error().text);
        models.emplace_front(key, std::move(*model));
        return *models.front().second;
    }

    // One round: answer from records what they cover, then one network call for the runs of one model, as many requests
    // as fit.
    void tick() {
        std::vector<BatchItem> items;
        int rows = 0;
        std::string key;
        for (auto& run : active) {
            if (run->paused && run->stepBudget == 0) continue;
            try {
                if (const std::size_t taken = take(*run, key, rows); taken > 0) items.push_back({run.get(), taken});
            } catch (const std::exception& e) {
                run->problem = e.what();  // one run's trouble is not its neighbours'
            }
        }
        if (!items.empty()) evaluateTogether(*devices.open(items.front().run->plan().resolved.device).backend, items);
        // Those that did not fit come first next time.
        for (const BatchItem& a : items) rotate(a.run);
        collect();
    }

    // How many requests of a run go into this round; its first one fixes the model.
    std::size_t take(ActiveRun& run, std::string& key, int& rows) {
        while (!run.done() && run.answerFromRecord()) {}
        if (run.done()) return 0;
        const std::string own = WaitingRun::modelKeyOf(run.plan());
        if (key.empty()) key = own;
        if (own != key) return 0;
        std::size_t taken = 0;
        for (; taken < run.pending().size(); ++taken) {
            const int more = run.rowsWaiting(taken);
            if (rows > 0 && rows + more > limitFor(run)) break;
            rows += more;
        }
        return taken;
    }

    int limitFor(const ActiveRun& run) const {
        return run.plan().model.state == StateKind::Points ? 65536 : options.maximumRowsPerCall;
    }

    void rotate(ActiveRun* run) {
        const auto it = std::find_if(active.begin(), active.end(), [run](const auto& r) { return r.get() == run; });
        active.splice(active.end(), active, it);
    }

    void collect() {
        for (auto it = active.begin(); it != active.end();) {
            ActiveRun& run = **it;
            if (!run.problem.empty()) {
                emit(RunEventKind::Failed, run.snapshot(RunStatus::Failed, run.problem), run.problem);
            } else if (run.done()) {
                emit(RunEventKind::Finished, run.snapshot(RunStatus::Finished), {});
            } else {
                ++it;
                continue;
            }
            it = active.erase(it);
        }
    }

    void failAll(const std::string& why) {
        for (auto& run : active) emit(RunEventKind::Failed, run->snapshot(RunStatus::Failed, why), why);
        active.clear();
        models.clear();  // a failed device may have lost them
    }

    void emit(RunEventKind kind, std::shared_ptr<const Run> run, const std::string& message) {
        RunEvent e;
        e.kind = kind;
        e.runId = run->id;
        e.run = std::move(run);
        e.message = message;
        if (e.run->trajectory) {
            e.step = int(e.run->trajectory->steps.size());
            e.evaluation = e.run->evaluations;
        }
        e.steps = stepsOf(*e.run);
        sink(e);
    }

    const EngineOptions options;
    Sink sink;
    RunQueue queue;
    std::mutex mutex;  // of the two descriptions
    std::string deviceDescription, deviceNote;
    // owned by the thread
    DeviceSet devices{options.device, options.threads};
    std::list<std::pair<std::string, std::unique_ptr<Model>>> models;  // most recently used first
    std::list<std::unique_ptr<ActiveRun>> active;
    std::string activeKey;
    std::thread thread;  // last: starts when everything else is ready
};

Engine::Engine(EngineOptions options, Sink sink)
    : m_implementation(std::make_unique<Implementation>(std::move(options), std::move(sink))) {}
Engine::~Engine() = default;

namespace {
WaitingRun waiting(const Plan& plan, std::shared_ptr<const Run> parent, std::string name, int number) {
    WaitingRun w{plan, {}, std::move(parent)};
    w.run.id = newRunId();
    w.run.number = number;
    w.run.name = std::move(name);
    w.run.recipe = plan.resolved;
    w.run.model = plan.model;
    w.run.created = nowUtc();
    return w;
}
}  // namespace

std::string Engine::submit(const Plan& plan, std::shared_ptr<const Run> parent, std::string name, int number) {
    std::vector<WaitingRun> one{waiting(plan, std::move(parent), std::move(name), number)};
    const std::string id = one.front().run.id;
    m_implementation->queue.add(std::move(one));
    return id;
}

std::vector<std::string> Engine::submit(const std::vector<Plan>& plans) {
    std::vector<WaitingRun> entries;
    std::vector<std::string> ids;
    for (const auto& p : plans) {
        entries.push_back(waiting(p, nullptr, {}, 0));
        ids.push_back(entries.back().run.id);
    }
    m_implementation->queue.add(std::move(entries));
    return ids;
}

void Engine::pause(const std::string& runId) { m_implementation->queue.command(runId, RunCommand::Pause); }
void Engine::resume(const std::string& runId) { m_implementation->queue.command(runId, RunCommand::Resume); }
void Engine::step(const std::string& runId) { m_implementation->queue.command(runId, RunCommand::Step); }
void Engine::cancel(const std::string& runId) { m_implementation->queue.command(runId, RunCommand::Cancel); }
void Engine::cancelAll() { m_implementation->queue.cancelAll(); }
void Engine::move(const std::string& runId, int position) { m_implementation->queue.move(runId, position); }
void Engine::waitIdle() { m_implementation->queue.waitIdle(); }

std::string Engine::deviceDescription() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->deviceDescription;
}

std::string Engine::deviceNote() const {
    const std::lock_guard lock(m_implementation->mutex);
    return m_implementation->deviceNote;
}

}  // namespace meander
