// One project = one file. What is put in is written by the store's own thread, in order, and is safe once `flush` says
// so; a finished run is safe when
// its transaction is committed, which `finishRun` reports. All functions may be called from any thread; only flush,
// the loads, saveAs, copyTo and close wait.
//
// The file is an SQLite 3 database: application_id 0x4D6E6472 ("Mndr"), user_version = version of the layout below.
// While a project is open the file is in
// WAL mode (name-wal and name-shm lie beside it) and name-lock holds an advisory lock; after `close` it is one file
// again. Tables (version 1):
//   meta(key, value)          name, created, program (last writer), draft, autosave (recipes as JSON), sweep/<id>
//   (JSON) model(id, json)           what a model was, without weights; shared by runs run(id, position, number, name,
//   status, pinned, removed, created, header, model, levels, sites, tokens, initial,
//       pictures)
//                             header: JSON with the recipe and the counts; levels: doubles (blob); sites, tokens:
//                                 JSON; initial, pictures: ids in `tensor`.
//                             status is the name of a RunStatus; what is found "running" or "paused" on opening was
//                                 interrupted, what is "queued" still waits.
//   step(run, idx, t_from, t_to, stochastic, state)
//   evaluation(run, idx, step, tau, sigma, log_snr, network_time, weight, network_rows, rows_in_call, milliseconds,
//       replayed, state, denoised)
//   branch(run, evaluation, position, branch, denoised)
//   attention(run, evaluation, image, site, heads, probabilities, entropy, mass)       entropy, mass: floats (blob)
//   tensor(id, run, data)     data: the blob of tensor_blob.h: header with type, shape and checksum, then a zstd
//       frame. Equal neighbours are stored once.
//   reading(run, evaluation, position, name, numbers)     version 2: what guidance rules measured
// Version 3: every table has a last column `sum`, a checksum of the row's other columns (checksum.h), looked at when
// the row is read. The header of an ended run tells how many rows of each kind belong to it ("recorded").
// Numbers are little-endian. Nothing in a file is trusted: sizes, counts, types and checksums are looked at before
// use, and unknown meta keys are kept.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/trajectory.h"
#include "engine/sweep/sweep.h"

namespace meander {

struct ProjectInfo {
    std::string name;     // given by a person; empty: the file's name
    std::string created;  // ISO 8601 UTC
    std::string program;  // version of Meander that wrote the file last
};

// How a trajectory starts: known before the first evaluation.
struct RunStart {
    std::vector<double> levels;
    HostTensor initial;
    std::vector<TapSite> sites;
    std::vector<Token> tokens;
};

class ProjectStore {
public:
    // A write failed: one sentence. Called on the store's thread, once per kind of trouble until writing works again.
    // What could not be written is kept and tried again.
    using OnProblem = std::function<void(const Error&)>;

    // A new, empty project; an existing file is replaced when `replace` is set, else refused.
    static Result<std::unique_ptr<ProjectStore>> create(const std::string& path, bool replace = false);
    // A damaged project is not touched: what can be read is put into a copy beside it, that copy is opened and `note`
    // tells so.
    static Result<std::unique_ptr<ProjectStore>> open(const std::string& path);
    ~ProjectStore();  // closes
    ProjectStore(const ProjectStore&) = delete;
    ProjectStore& operator=(const ProjectStore&) = delete;

    std::string path() const;
    bool isReadOnly() const;   // the file or its folder may not be written; saveAs works
    std::string note() const;  // what a person should know about how the file was opened; empty when all is well
    void setOnProblem(OnProblem f);

    // Runs. A run may be begun with or without its trajectory; `finishRun` adds whatever of the run's trajectory was
    // not appended.
    void beginRun(const Run& run);
    void setStart(const std::string& runId, const RunStart& start);
    void appendEvaluation(const std::string& runId, std::shared_ptr<const Evaluation> evaluation);
    void appendStep(const std::string& runId, std::shared_ptr<const Step> step);
    // Also for cancelled and failed runs. `committed` is called on the store's thread once the run is safe on the disk;
    // it must not wait for the store.
    void finishRun(const Run& run, std::function<void()> committed = {});
    // Name and pin, whatever else the run holds is left.
    void updateRun(const std::string& runId, const std::string& name, bool pinned);
    void removeRun(const std::string& runId);   // really gone after `close`
    void restoreRun(const std::string& runId);  // undoes removeRun

    // Everything known of the runs but their tensors, in order; removed ones are left out.
    Result<std::vector<Run>> runs();
    Result<std::shared_ptr<const Trajectory>> loadTrajectory(const std::string& runId);
    Result<HostTensor> loadImages(const std::string& runId);
    // With trajectory and images.
    Result<Run> loadRun(const std::string& runId);
    // Runs that were waiting when the project was closed, or its program ended: in their order, never started by
    // themselves.
    Result<std::vector<Run>> waitingRuns();
    void setWaitingOrder(const std::vector<std::string>& ids);
    // Reads all of a run and tells which parts are damaged or missing; empty: every checksum fits.
    Result<std::vector<std::string>> damage(const std::string& runId);

    // Sweeps of the project, in the order in which they were saved first. Their runs are those of the project.
    void saveSweep(const Sweep& sweep);
    void removeSweep(const std::string& id);
    std::vector<Sweep> sweeps() const;

    // The recipe being edited. An autosaved draft that was never saved is offered again after a crash.
    void saveDraft(const Recipe& draft);  // forgets the autosaved one
    void autosaveDraft(const Recipe& draft);
    std::optional<Recipe> draft() const;
    std::optional<Recipe> recoverableDraft() const;

    ProjectInfo info() const;
    void setName(const std::string& name);

    // Waits until everything asked for so far is on the disk.
    Status flush();
    // The project continues in the new file; the old one stays as it is. Works when the old place cannot be written.
    Status saveAs(const std::string& path);
    // A copy, without what was removed; the project stays where it is.
    Status copyTo(const std::string& path);
    // Flushes, drops removed runs and leaves a single file. Later calls do nothing.
    Status close();

private:
    struct Implementation;
    explicit ProjectStore(std::unique_ptr<Implementation> i);
    std::unique_ptr<Implementation> m_implementation;
};

}  // namespace meander
