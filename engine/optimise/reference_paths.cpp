#include "engine/optimise/reference_paths.h"

#include <cmath>

#include "engine/schedule/level_edit.h"

namespace meander {

State ReferencePaths::eulerStep(const ReferencePath& path, int from, int to) const {
    const State &y = path.states[std::size_t(from)], &d = path.denoised[std::size_t(from)];
    const double ratio = levels[std::size_t(to)] / levels[std::size_t(from)];
    State next(y.size());
    for (std::size_t i = 0; i < y.size(); ++i) next[i] = ratio * y[i] + (1 - ratio) * d[i];
    return next;
}

namespace {

std::string nameOfRun(const Run& run) { return run.number > 0 ? "Run " + std::to_string(run.number) : "The run"; }

std::string problemOf(const Run& run) {
    if (!run.trajectory || run.status != RunStatus::Finished) return "has no whole record";
    const Trajectory& t = *run.trajectory;
    if (!run.model.process.manifold().isFlat()) return "was on a curved space";
    if (!levels::isFalling(t.levels) || !levels::endsClean(t.levels)) return "does not fall to 0, clean";
    if (t.intervals() < 2 || int(t.steps.size()) != t.intervals()) return "has no state after every step";
    for (const auto& s : t.steps)
        if (s->stochastic) return "added noise in its steps";
    return {};
}

// States and estimates of one image; the estimate of a step must be that of the state where it starts.
ReferencePath pathOfImage(const Run& run, std::int64_t image) {
    Path path = pathOf(*run.trajectory, image);
    const std::size_t steps = std::size_t(run.trajectory->intervals());
    if (path.frames.size() != steps + 1 || path.points.size() != steps)
        throw Failure(nameOfRun(run) + " has steps without a recorded estimate. Record it again with its states.");
    ReferencePath reference;
    for (std::size_t k = 0; k < steps; ++k) {
        PathPoint& p = path.points[k];
        if (std::abs(p.tau / run.trajectory->levels[k] - 1) > 1e-6
            || !(rmsDifference(p.state, path.frames[k]) <= 1e-4 * (1e-6 + rms(path.frames[k]))))
            throw Failure(nameOfRun(run)
                          + " has a sampler whose estimates are not at the states of its steps, so its "
                            "slopes are not known there. Use Euler, Heun or DPM++ 2M as the reference.");
        reference.denoised.push_back(std::move(p.denoised));
    }
    reference.states = std::move(path.frames);
    return reference;
}

}  // namespace

std::string referenceProblem(const Run& run) {
    const std::string problem = problemOf(run);
    return problem.empty() ? problem
                           : nameOfRun(run) + ' ' + problem
                                 + ". A schedule is fitted to a finished run of an ODE sampler that follows the path "
                                   "finely, such as Heun with 60 steps.";
}

ReferencePaths referencePaths(std::span<const std::shared_ptr<const Run>> runs) {
    if (runs.empty() || !runs.front()) throw Failure("There is no run to fit a schedule to. Choose a finished run.");
    ReferencePaths all;
    all.process = runs.front()->model.process;
    for (const auto& run : runs) {
        if (!run) throw Failure("A run of the reference is missing. Record it again.");
        if (const std::string problem = referenceProblem(*run); !problem.empty()) throw Failure(problem);
        const Trajectory& t = *run->trajectory;
        if (all.levels.empty()) all.levels = t.levels;
        if (t.levels != all.levels || run->model.process.name() != all.process.name())
            throw Failure(nameOfRun(*run)
                          + " visits other levels than the first run of the reference. Give runs with equal levels.");
        all.isGuided |= !run->recipe.guidance.empty();
        for (std::int64_t image = 0; image < t.initial.shape()[0]; ++image) {
            all.paths.push_back(pathOfImage(*run, image));
            if (all.paths.back().states.front().size() != all.dimensions())
                throw Failure(nameOfRun(*run) + " has states of another shape. Give runs of one model and size.");
        }
    }
    return all;
}

}  // namespace meander
