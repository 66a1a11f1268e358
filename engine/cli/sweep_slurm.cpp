#include "engine/cli/sweep_slurm.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>
#include <thread>

#include "engine/cli/interrupt.h"
#include "engine/core/durable_file.h"
#include "engine/core/json.h"

namespace meander::cli {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& text) {
    std::string q = "'";
    for (const char c : text) q += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return q + "'";
}

struct Answer {
    int status = 0;
    std::string text;
};

Answer call(const std::vector<std::string>& words) {
#ifdef _WIN32
    throw Failure("Slurm is not available on Windows.");
#else
    std::string line;
    for (const auto& w : words) line += (line.empty() ? "" : " ") + quoted(w);
    std::FILE* pipe = ::popen((line + " 2>&1").c_str(), "r");
    if (!pipe) throw Failure("Cannot start " + words.front() + ".");
    Answer a;
    std::array<char, 4096> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) a.text.append(buffer.data(), n);
    a.status = ::pclose(pipe);
    while (!a.text.empty() && a.text.back() == '\n') a.text.pop_back();
    return a;
#endif
}

std::string ownProgram() {
    std::error_code error;
    const auto path = fs::read_symlink("/proc/self/exe", error);
    return error ? "meander-run" : path.string();
}

std::string partName(std::size_t part) { return "part-" + std::to_string(part) + ".meander"; }

// What lies in the folder: the sweep, and which part carries out which cells.
struct Parts {
    Sweep sweep;
    std::vector<std::vector<std::size_t>> cells;
    std::vector<std::string> jobs;  // ids of the arrays submitted so far

    void write(const fs::path& folder) const {
        Json j = {{"sweep", toJson(sweep)}, {"parts", cells}, {"jobs", jobs}};
        valueOrThrow(writeWholeFile((folder / "sweep.json").string(), j.dump()));
    }
    static Parts read(const fs::path& folder) {
        const Json j = valueOrThrow(readJsonFile((folder / "sweep.json").string()));
        Parts p;
        try {
            p.sweep = valueOrThrow(sweepFromJson(j.at("sweep")));
            p.cells = j.at("parts").get<std::vector<std::vector<std::size_t>>>();
            p.jobs = j.at("jobs").get<std::vector<std::string>>();
        } catch (const nlohmann::json::exception& e) {
            throw Failure("'" + (folder / "sweep.json").string() + "' is damaged: " + e.what() + ".");
        }
        for (const auto& part : p.cells)
            for (const std::size_t cell : part)
                if (cell >= p.sweep.cells.size())
                    throw Failure("'" + (folder / "sweep.json").string()
                                  + "' names a cell that the sweep does not have.");
        return p;
    }
};

class SlurmSweep {
public:
    SlurmSweep(ProjectStore& store, const Sweep& sweep, const SlurmOptions& options, bool isJson)
        : m_store(store), m_sweep(sweep), m_options(options), m_isJson(isJson) {
        m_folder = options.folder.empty() ? fs::path(store.path() + "-sweep-" + sweep.id.substr(0, 8))
                                          : fs::absolute(options.folder);
    }

    // False: interrupted.
    bool carryOut(const std::vector<Submission>& rest) {
        prepare(rest);
        for (std::size_t part = 0; part < m_parts.cells.size(); ++part)
            if (!merge(part)) m_open.insert(part);
        submit(without(m_open, listed()));
        while (!m_open.empty() && interruptedBy() == 0) {
            std::this_thread::sleep_for(std::chrono::duration<double>(m_options.poll));
            const auto busy = listed();
            std::set<std::size_t> lost;
            for (const std::size_t part : without(m_open, busy)) {
                if (merge(part)) m_open.erase(part);
                else lost.insert(part);
            }
            resubmit(lost);
        }
        return interruptedBy() == 0;
    }
    std::size_t lost() const { return m_lost; }
    std::size_t failed() const { return m_failed; }

private:
    static std::set<std::size_t> without(const std::set<std::size_t>& all, const std::set<std::size_t>& some) {
        std::set<std::size_t> rest;
        for (const std::size_t part : all)
            if (!some.contains(part)) rest.insert(part);
        return rest;
    }

    void prepare(const std::vector<Submission>& rest) {
        std::error_code error;
        fs::create_directories(m_folder, error);
        if (error)
            throw Failure("The folder '" + m_folder.string() + "' cannot be made. Name another with --slurm-folder.");
        if (fs::exists(m_folder / "sweep.json")) {
            m_parts = Parts::read(m_folder);
            if (m_parts.sweep.id != m_sweep.id)
                throw Failure("'" + m_folder.string() + "' holds the parts of another sweep. Name another folder.");
            if (m_parts.sweep.cells == m_sweep.cells) return;
            for (std::size_t k = 0; k < m_parts.cells.size(); ++k) removePart(k);  // cells have other runs by now
        }
        m_parts = {m_sweep, {}, {}};
        const std::size_t wanted =
            m_options.parts > 0 ? std::size_t(m_options.parts) : std::min<std::size_t>(64, (rest.size() + 3) / 4);
        m_parts.cells.resize(std::max<std::size_t>(1, std::min(wanted, std::max<std::size_t>(1, rest.size()))));
        for (std::size_t i = 0; i < rest.size(); ++i)
            for (std::size_t c = 0; c < m_sweep.cells.size(); ++c)
                if (m_sweep.cells[c].run == rest[i].id) {
                    m_parts.cells[i % m_parts.cells.size()].push_back(c);
                    break;
                }
        m_parts.write(m_folder);
        const std::string program = m_options.program.empty() ? ownProgram() : m_options.program;
        valueOrThrow(writeWholeFile((m_folder / "job.sh").string(),
                                    "#!/bin/sh\nexec " + quoted(program)
                                        + " sweep --part \"$SLURM_ARRAY_TASK_ID\" --slurm-folder "
                                        + quoted(m_folder.string()) + " --json\n"));
    }

    void removePart(std::size_t part) const {
        const std::string path = (m_folder / partName(part)).string();
        removeFile(path);
        removeCompanions(path);
    }

    void submit(const std::set<std::size_t>& parts) {
        if (parts.empty()) return;
        std::string list;
        for (const std::size_t part : parts) list += (list.empty() ? "" : ",") + std::to_string(part);
        std::vector<std::string> words{"sbatch",
                                       "--parsable",
                                       "--job-name=meander-sweep",
                                       "--open-mode=append",
                                       "--array=" + list,
                                       "--output=" + (m_folder / "part-%a.log").string()};
        words.insert(words.end(), m_options.sbatch.begin(), m_options.sbatch.end());
        words.push_back((m_folder / "job.sh").string());
        const Answer a = call(words);
        if (a.status != 0)
            throw Failure("Slurm did not take the job array: "
                          + (a.text.empty() ? std::string("sbatch failed") : a.text)
                          + ". Check that sbatch is installed and that --sbatch names a partition you may use.");
        const std::string line = a.text.substr(a.text.rfind('\n') + 1);
        m_parts.jobs.push_back(line.substr(0, line.find(';')));
        m_parts.write(m_folder);
        if (m_isJson) printLine({{"event", "submitted"}, {"job", m_parts.jobs.back()}, {"parts", parts}});
        else std::cout << "Job array " << m_parts.jobs.back() << ": parts " << list << '\n';
        std::cout.flush();
    }

    // Parts that Slurm still holds, waiting or in progress.
    std::set<std::size_t> listed() const {
        std::set<std::size_t> busy;
        for (const auto& job : m_parts.jobs) {
            const Answer a = call({"squeue", "-h", "-r", "-j", job, "-o", "%K"});
            if (a.status != 0) continue;  // a job that is long gone is an error to squeue
            std::istringstream lines(a.text);
            for (std::size_t part; lines >> part;) busy.insert(part);
        }
        return busy;
    }

    void resubmit(std::set<std::size_t> lost) {
        for (auto it = lost.begin(); it != lost.end();) {
            const std::size_t part = *it;
            const bool isLast = ++m_attempts[part] > m_options.retries;
            std::string cells;
            for (const std::size_t c : m_parts.cells[part]) cells += (cells.empty() ? "" : "; ") + m_sweep.label(c);
            if (m_isJson)
                printLine({{"event", "lost"}, {"part", part}, {"cells", m_parts.cells[part]}, {"retried", !isLast}});
            else
                std::cerr << "meander-run: Part " << part << " was lost before it was done (" << cells << "). "
                          << (isLast ? "It is given up; its log is "
                                           + (m_folder / ("part-" + std::to_string(part) + ".log")).string() + "."
                                     : std::string("It is submitted again."))
                          << '\n';
            if (isLast) {
                ++m_lost;
                m_open.erase(part);
            }
            it = isLast ? lost.erase(it) : std::next(it);
        }
        submit(lost);
    }

    // Takes what a part has finished into the project; true when nothing of it is left to do.
    bool merge(std::size_t part) {
        const fs::path path = m_folder / partName(part);
        if (!fs::exists(path)) return m_parts.cells[part].empty();
        auto opened = ProjectStore::open(path.string());
        if (!opened) return false;  // a task has it open
        const std::unique_ptr<ProjectStore> from = std::move(*opened);
        const auto sweeps = from->sweeps();
        if (sweeps.empty()) return false;
        bool isWhole = true;
        std::map<std::string, Run> own;
        for (auto& r : valueOrThrow(m_store.runs())) own.emplace(r.id, std::move(r));
        for (const std::size_t c : m_parts.cells[part]) {
            const std::string id = m_sweep.cells[c].run;
            if (const auto known = own.find(id); known != own.end() && known->second.status == RunStatus::Finished)
                continue;
            auto run = from->loadRun(sweeps.back().cells[c].run);
            if (!run || (run->status != RunStatus::Finished && run->status != RunStatus::Failed)) {
                isWhole = false;
                continue;
            }
            run->id = id;
            if (const auto known = own.find(id); known != own.end()) run->number = known->second.number;
            m_failed += run->status == RunStatus::Failed ? 1 : 0;
            m_store.finishRun(*run);
            tell(*run, c, part);
        }
        static_cast<void>(from->close());
        static_cast<void>(m_store.flush());
        return isWhole;
    }

    void tell(const Run& run, std::size_t cell, std::size_t part) const {
        if (m_isJson)
            printLine({{"event", "cell"},
                       {"cell", cell},
                       {"part", part},
                       {"values", placeOf(m_sweep, cell)},
                       {"run", run.id},
                       {"status", nameOf(run.status)},
                       {"evaluations", run.evaluations},
                       {"seconds", run.seconds}});
        else
            std::cout << "Part " << part << "  " << m_sweep.label(cell) << "  run " << run.number << ' '
                      << nameOf(run.status) << (run.problem.empty() ? "" : ": " + run.problem) << '\n';
        std::cout.flush();
    }

    ProjectStore& m_store;
    const Sweep& m_sweep;
    const SlurmOptions& m_options;
    const bool m_isJson;
    fs::path m_folder;
    Parts m_parts;
    std::set<std::size_t> m_open;  // parts with something left to do
    std::map<std::size_t, int> m_attempts;
    std::size_t m_lost = 0, m_failed = 0;
};

}  // namespace

void addSlurm(CLI::App& c, SlurmOptions& o, std::string& part) {
    auto* slurm =
        c.add_flag("--slurm", o.isUsed,
                   "Carry the cells out as a job array of the Slurm installed here; with --resume, collect it "
                   "and submit again what is missing");
    c.add_option("--slurm-parts", o.parts, "Tasks of the array; without it one for every four cells, at most 64")
        ->check(CLI::Range(1, 4096))
        ->needs(slurm);
    c.add_option("--slurm-retries", o.retries, "How often a lost task is submitted again")
        ->capture_default_str()
        ->check(CLI::Range(0, 100))
        ->needs(slurm);
    c.add_option("--slurm-poll", o.poll, "Seconds between looks at the array")
        ->capture_default_str()
        ->check(finiteIn(0.05, 3600))
        ->needs(slurm);
    c.add_option("--slurm-folder", o.folder,
                 "Folder of the parts, which every machine sees; without it beside the project")
        ->type_name("FOLDER")
        ->check(notEmpty());
    c.add_option("--slurm-program", o.program, "meander-run on the machines, if it is elsewhere there")
        ->type_name("FILE")
        ->needs(slurm);
    c.add_option("--sbatch", o.sbatch, "A further argument for sbatch, as --sbatch=--partition=gpu (may be repeated)")
        ->type_name("ARGUMENT")
        ->allow_extra_args(false)
        ->needs(slurm);
    c.add_option("--part", part, "The task of a job array that --slurm submitted; not for people")->type_name("N");
}

int sweepOnSlurm(ProjectStore& store, const Sweep& sweep, std::vector<Submission> rest, const SlurmOptions& options,
                 const SweepOutput& output, bool isJson) {
    if (!startRunOf(sweep.base).empty() || !sourceRunOf(sweep.base).empty() || sweep.base.branch)
        throw Failure("A sweep of branches, or of starts from another run, needs the runs of this project, which the "
                      "tasks of an array do not have. Run it without --slurm.");
    for (const Submission& s : rest)
        if (!s.interrupted) store.beginRun(waitingRunOf(s));
    valueOrThrow(store.flush());
    watchInterrupts();
    SlurmSweep work(store, sweep, options, isJson);
    const bool isDone = work.carryOut(rest);
    if (isDone) writeResults(store, sweep, output, isJson);
    else
        std::cerr << "meander-run: The array goes on. meander-run sweep \"" << store.path()
                  << "\" --resume --slurm collects it.\n";
    if (const Status s = store.close(); !s) throw Failure(s.error().text);
    if (work.lost() > 0)
        throw Failure(std::to_string(work.lost()) + " parts were lost. --resume --slurm tries them again.");
    if (work.failed() > 0) throw Failure(std::to_string(work.failed()) + " cells failed.");
    return 0;
}

int sweepPart(const std::string& part, const SlurmOptions& options, bool isJson) {
    if (options.folder.empty()) throw WrongArgument("--part needs --slurm-folder.");
    const Parts parts = Parts::read(options.folder);
    if (part.empty() || part.find_first_not_of("0123456789") != std::string::npos || part.size() > 6
        || std::size_t(std::stoi(part)) >= parts.cells.size())
        throw WrongArgument("There is no part " + part + ".");
    const auto& cells = parts.cells[std::size_t(std::stoi(part))];
    const auto store = projectToWrite((fs::path(options.folder) / partName(std::size_t(std::stoi(part)))).string());
    Sweep sweep;
    if (const auto known = store->sweeps(); !known.empty()) sweep = known.back();
    else {
        sweep = parts.sweep;
        for (SweepCell& c : sweep.cells) c.run.clear();
        for (const std::size_t c : cells) sweep.cells[c].run = parts.sweep.cells[c].run;
    }
    auto all = restOf(*store, sweep, false);
    SweepProgress progress(sweep, all.size(), isJson);
    BatchOptions batch{.isQuiet = true, .project = store.get(), .onEnd = [&](const Run& r) { progress.ended(r); }};
    if (!all.empty()) {
        batch.device = all.front().plan.resolved.device;
        runBatch(std::move(all), batch);
    }
    if (const Status s = store->close(); !s) throw Failure(s.error().text);
    return 0;
}

}  // namespace meander::cli
