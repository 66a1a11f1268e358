// Runs and their tensors as rows of the project's tables: the only place that knows the columns. Writers belong to the
// store's thread; readers get a connection.
#pragma once
#include <deque>
#include <functional>
#include <map>

#include "engine/project/database.h"
#include "engine/project/project_store.h"
#include "engine/tensor/spilling_store.h"

namespace meander {

// Writes rows inside a transaction of the caller. Writing the same thing twice is harmless.
class RunWriter {
public:
    explicit RunWriter(Database& db) : m_db(db) {}

    void begin(const Run& run);
    void record(const std::string& runId, const Trajectory& t);
    void start(const std::string& runId, const RunStart& s);
    void evaluation(const std::string& runId, const Evaluation& e);
    void step(const std::string& runId, const Step& s);
    // The header as it is now, images, and what is missing of the trajectory.
    void finish(const Run& run);
    void label(const std::string& runId, const std::string& name, bool pinned);
    void setRemoved(const std::string& runId, bool removed);
    // Runs that were in progress when their program ended.
    void interruptRunning();
    void countRecorded(const std::string& runId);
    void erase(const std::string& runId);
    void eraseRemoved();
    // What was written is undone by a rollback: forget what is remembered of it.
    void forget() { m_recent.clear(); }

private:
    // `recorded`: how many rows of each kind belong to it, once it has ended.
    void header(const Run& run, const Json& recorded = {});
    void writeHeader(const Run& run, const Json& recorded);
    Json recordedRows(const std::string& runId) const;
    // Changes the row of a run and sums it anew, unless it was damaged before.
    void changeRow(const std::string& runId, const std::function<void()>& change);
    void metrics(const std::string& runId, const Evaluation& e);
    std::optional<std::int64_t> tensor(const std::string& runId, const HostTensor& t);
    bool has(const char* table, const std::string& runId, int index) const;

    Database& m_db;
    // The newest tensors of each run with their ids: a state is the end of one step and the request of the next
    // evaluation.
    std::map<std::string, std::deque<std::pair<HostTensor, std::int64_t>>> m_recent;
};

// Damage throws Failure or DatabaseError; with `losses` given (recovery) it is told there and what is sound is
// returned.
class RunReader {
public:
    explicit RunReader(const Database& db, std::vector<std::string>* losses = nullptr);

    // SQL: whether a row of the table is as it was written; 1 in files of versions without sums.
    std::string soundness(std::string_view table) const;
    // Parts of a run that are damaged or missing.
    std::vector<std::string> damage(const std::string& runId) const;

    std::vector<Run> runs() const;  // without the removed ones
    Run run(const std::string& runId) const;
    std::shared_ptr<const Trajectory> trajectory(const std::string& runId) const;
    HostTensor images(const std::string& runId) const;

private:
    Run header(const Statement& row) const;
    const ModelInfo& model(std::int64_t id) const;
    HostTensor tensor(std::optional<std::int64_t> id) const;
    void evaluations(const std::string& runId, Trajectory& t) const;
    void branches(const std::string& runId, int index, Evaluation& e) const;
    void metrics(const std::string& runId, int index, Evaluation& e) const;
    void attention(const std::string& runId, int index, Evaluation& e, std::size_t sites) const;
    void steps(const std::string& runId, Trajectory& t) const;
    void checkCounts(const std::string& runId, const Trajectory& t) const;
    void lost(const std::string& what) const;

    const Database& m_db;
    bool m_hasSums;
    std::vector<std::string>* m_losses;
    mutable std::map<std::int64_t, ModelInfo> m_models;
    mutable SpillingStore m_memory;
    mutable std::map<std::int64_t, HostTensor> m_tensors;  // shared ones, while one trajectory is read
};

}  // namespace meander
