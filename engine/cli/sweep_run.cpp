#include "engine/cli/sweep_run.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include "engine/core/durable_file.h"
#include "engine/imaging/png.h"
#include "engine/project/continuation.h"
#include "engine/run/branching.h"

namespace meander::cli {

Json placeOf(const Sweep& sweep, std::size_t cell) {
    Json values = Json::object();
    const auto place = sweep.place(cell);
    for (std::size_t i = 0; i < place.size(); ++i)
        for (std::size_t k = 0; k < sweep.axes[i].keys.size(); ++k)
            values[sweep.axes[i].keys[k]] = sweep.axes[i].values[std::size_t(place[i])][k];
    return values;
}

SweepProgress::SweepProgress(const Sweep& sweep, std::size_t runs, bool isJson)
    : m_sweep(sweep), m_runs(runs), m_isJson(isJson) {}

void SweepProgress::ended(const Run& run) {
    const std::lock_guard lock(m_mutex);
    ++m_done;
    m_failed += run.status == RunStatus::Failed ? 1 : 0;
    const auto fidelity = run.status == RunStatus::Finished ? fidelityOf(run.images, run.recipe.prompt) : std::nullopt;
    for (std::size_t i = 0; i < m_sweep.cells.size(); ++i) {
        if (m_sweep.cells[i].run != run.id) continue;
        if (m_isJson) {
            Json j = {{"event", "cell"},
                      {"cell", i},
                      {"values", placeOf(m_sweep, i)},
                      {"run", run.id},
                      {"number", run.number},
                      {"status", nameOf(run.status)},
                      {"evaluations", run.evaluations},
                      {"shared_evaluations", run.sharedEvaluations},
                      {"seconds", run.seconds},
                      {"done", m_done},
                      {"runs", m_runs}};
            if (fidelity) j["fidelity"] = *fidelity;
            if (!run.problem.empty()) j["problem"] = run.problem;
            printLine(j);
        } else {
            std::cout << m_done << " of " << m_runs << "  " << m_sweep.label(i) << "  run " << run.number << ' '
                      << nameOf(run.status) << (run.problem.empty() ? "" : ": " + run.problem) << '\n';
            std::cout.flush();
        }
    }
}

std::vector<Submission> beginSweep(ProjectStore& store, Sweep& sweep, const SweepPlan& plan, const ReadInput& in) {
    sweep.id = newRunId();
    sweep.created = nowUtc();
    auto all = submissionsOf(sweep, plan, in.parent, nextRunNumber(store));
    store.saveSweep(sweep);
    return all;
}

std::vector<Submission> restOf(ProjectStore& store, Sweep& sweep, bool retriesFailed) {
    std::map<std::string, Run> runs;
    for (auto& r : valueOrThrow(store.runs())) runs.emplace(r.id, std::move(r));
    int number = nextRunNumber(store);
    std::map<std::string, Submission> rest;          // by the id that the cell named
    std::map<std::string, std::string> replacement;  // old id → new one
    std::vector<std::string> order;
    for (std::size_t i = 0; i < sweep.cells.size(); ++i) {
        SweepCell& cell = sweep.cells[i];
        if (cell.run.empty()) continue;
        const std::string old = cell.run;
        if (const auto known = replacement.find(old); known != replacement.end()) cell.run = known->second;
        if (rest.contains(old)) continue;
        const auto run = runs.find(old);
        const RunStatus status = run == runs.end() ? RunStatus::Cancelled : run->second.status;
        if (status == RunStatus::Finished || (status == RunStatus::Failed && !retriesFailed)) continue;
        Submission s;
        if (status == RunStatus::Queued) s = valueOrThrow(prepareRun(store, old, Continuation::Start));
        else if (status == RunStatus::Interrupted && [&] {
                     auto whole = store.loadRun(old);
                     return whole && canGoOn(*whole).ok();
                 }())
            s = valueOrThrow(prepareRun(store, old, Continuation::GoOn));
        else if (run != runs.end()) s = valueOrThrow(prepareRun(store, old, Continuation::Again));
        else {
            s.plan = valueOrThrow(plan(sweep.recipe(i)));
            s.id = old;  // nobody has it
            s.number = number++;
        }
        if (s.id.empty()) {
            s.id = newRunId();
            s.number = number++;
            replacement[old] = cell.run = s.id;
        }
        s.priority = RunPriority::Background;
        s.group = sweep.id;
        order.push_back(old);
        rest.emplace(old, std::move(s));
    }
    store.saveSweep(sweep);
    std::vector<Submission> all;
    for (const auto& id : order) all.push_back(std::move(rest.at(id)));
    return all;
}

Sweep sweepNamed(const ProjectStore& store, const std::string& name) {
    const auto all = store.sweeps();
    if (all.empty()) throw Failure("'" + store.path() + "' holds no sweep. Begin one with --axis.");
    if (name.empty() || name == "0") return all.back();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (std::to_string(i + 1) == name || (name.size() >= 6 && all[i].id.starts_with(name))) return all[i];
    throw Failure("'" + store.path() + "' has no sweep " + name + "; it has 1 to " + std::to_string(all.size()) + ".");
}

std::vector<std::optional<CellResult>> resultsOf(ProjectStore& store, const Sweep& sweep) {
    std::map<std::string, Run> runs;
    for (auto& r : valueOrThrow(store.runs())) runs.emplace(r.id, std::move(r));
    std::map<std::string, CellResult> known;
    const auto imagesOf = [&](const std::string& id) {
        auto images = store.loadImages(id);
        return images ? *images : HostTensor();
    };
    std::vector<std::optional<CellResult>> results(sweep.cells.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
        const std::string& id = sweep.cells[i].run;
        const auto run = runs.find(id);
        if (run == runs.end()) {
            if (!id.empty()) results[i] = CellResult{.status = RunStatus::Cancelled};
            continue;
        }
        if (!known.contains(id)) {
            if (run->second.status == RunStatus::Finished) run->second.images = imagesOf(id);
            known[id] = resultOf(run->second);
            run->second.images = {};
        }
        results[i] = known[id];
    }
    const auto references = referencesOf(sweep, results);
    std::map<std::size_t, HostTensor> images;  // of the references
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!references[i]) continue;
        const auto reference = images.try_emplace(*references[i], HostTensor()).first;
        if (!reference->second) reference->second = imagesOf(sweep.cells[*references[i]].run);
        results[i]->distance = imageDistance(imagesOf(sweep.cells[i].run), reference->second);
    }
    return results;
}

namespace {

void writeText(const std::string& path, const std::string& text) {
    if (!path.empty()) valueOrThrow(writeWholeFile(path, text));
}

void writeSheet(ProjectStore& store, const Sweep& sweep, const std::string& path) {
    if (path.empty()) return;
    std::vector<std::optional<Image>> images(sweep.cells.size());
    bool hasAny = false;
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (sweep.cells[i].run.empty()) continue;
        const auto loaded = store.loadImages(sweep.cells[i].run);
        if (loaded && *loaded) images[i] = imageOf(*loaded), hasAny = true;
    }
    if (!hasAny) throw Failure("The sweep has no image yet, so there is nothing to put into '" + path + "'.");
    valueOrThrow(writePng(path, contactSheet(sweep, images)));
}

}  // namespace

void writeResults(ProjectStore& store, const Sweep& sweep, const SweepOutput& output, bool isJson) {
    const auto results = resultsOf(store, sweep);
    writeText(output.csv, csvOf(sweep, results));
    writeText(output.seedCsv, seedMeansCsv(sweep, results));
    writeSheet(store, sweep, output.sheet);
    std::size_t finished = 0, failed = 0, refused = 0, judged = 0;
    double faithful = 0;
    int evaluations = 0, shared = 0;
    std::set<std::string> counted;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!results[i]) ++refused;
        if (!results[i]) continue;
        finished += results[i]->status == RunStatus::Finished ? 1 : 0;
        failed += results[i]->status == RunStatus::Failed ? 1 : 0;
        if (results[i]->fidelity) ++judged, faithful += *results[i]->fidelity;
        if (!counted.insert(sweep.cells[i].run).second) continue;
        evaluations += results[i]->evaluations;
        shared += results[i]->shared;
    }
    if (isJson) {
        Json j = {
            {"event", "done"},  {"sweep", sweep.id},  {"cells", results.size()},    {"finished", finished},
            {"failed", failed}, {"refused", refused}, {"evaluations", evaluations}, {"shared_evaluations", shared}};
        if (judged > 0) j["fidelity"] = faithful / double(judged);
        printLine(j);
        return;
    }
    std::cout << finished << " of " << results.size() << " cells finished";
    if (failed > 0) std::cout << ", " << failed << " failed";
    if (refused > 0) std::cout << ", " << refused << " refused";
    std::cout << "; " << evaluations << " evaluations, " << shared << " of them answered together with others";
    if (judged > 0) std::cout << "; fidelity " << display(ParamValue(100 * faithful / double(judged))) << " %";
    std::cout << ".\n";
}

}  // namespace meander::cli
