// A sweep as a job array of Slurm: each task carries out a part of the cells into a project of its own, in a folder
// that all machines see; the parts are merged into the sweep's project as they end.
#pragma once
#include "engine/cli/sweep_run.h"

namespace meander::cli {

struct SlurmOptions {
    bool isUsed = false;
    int parts = 0;                    // 0: one for every four cells, at most 64
    int retries = 2;                  // of a task that was lost
    double poll = 2;                  // seconds between looks at the array
    std::string folder;               // empty: beside the project
    std::string program;              // meander-run on the machines; empty: this one
    std::vector<std::string> sbatch;  // further arguments of sbatch
};
void addSlurm(CLI::App& command, SlurmOptions& options, std::string& part);

// Submits what is left, waits, merges, names lost tasks and submits them again. Returns the exit status.
int sweepOnSlurm(ProjectStore& store, const Sweep& sweep, std::vector<Submission> rest, const SlurmOptions& options,
                 const SweepOutput& output, bool isJson);
// One task: part of the sweep in `options.folder`.
int sweepPart(const std::string& part, const SlurmOptions& options, bool isJson);

}  // namespace meander::cli
