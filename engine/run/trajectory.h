// The complete record of a run. Everything is host memory and immutable once appended, so views read it without locks.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/guidance/guidance.h"
#include "engine/recipe/recipe.h"
#include "engine/taps/taps.h"

namespace meander {

// The metric of an evaluation that reused features: the share of the network's work that was not done, 0 where it was
// computed whole.
inline constexpr const char* savedWorkName = "work saved";

struct BranchRecord {
    Branch branch = Branch::Conditional;
    HostTensor denoised;     // x̂0 of this branch (images, state...)
    std::string label = {};  // what was asked, for people
};

// One answer of the network to the sampler: what was asked and what came back.
struct Evaluation {
    int index = 0;      // 0, 1, 2 ... in the order of the sampler's requests
    int step = 0;       // the interval of the schedule it belongs to
    double tau = 0;     // integration clock
    double sigma = 0;   // EDM noise level n/s, may be ∞
    double logSnr = 0;  // log(s²/n²)
    double networkTime = 0;
    HostTensor state;                    // y at the request (images, state...), the run's state type
    HostTensor denoised;                 // combined x̂0, what the sampler used
    std::vector<BranchRecord> branches;  // when guidance evaluated more than one, or changed the only one
    double guidanceWeight = 1;
    std::vector<Metric> metrics;  // what guidance rules measured, per image
    // Particle selection: row r went on as row ancestors[r] of `state`; empty: every row as itself.
    std::vector<std::int64_t> ancestors;
    int networkRows = 0;      // rows this request cost (NFE × images)
    int rowsInCall = 0;       // rows of the network call that carried it, with other runs'
    double milliseconds = 0;  // its share of that call
    bool replayed = false;    // answered from a record
    // [image][site]; conditional branch
    std::vector<std::vector<AttentionMap>> attention;
};

// One interval of the schedule, done.
struct Step {
    int index = 0;
    double from = 0, to = 0;  // τ
    HostTensor state;         // y after the step, at `to`
    bool stochastic = false;  // noise was added
};

struct Trajectory {
    std::vector<double> levels;  // τ of the schedule, steps + 1
    HostTensor initial;          // y at levels[0]: frame 0
    std::vector<std::shared_ptr<const Evaluation>> evaluations;
    std::vector<std::shared_ptr<const Step>> steps;
    std::vector<TapSite> sites;
    std::vector<Token> tokens;  // of the prompt

    bool empty() const { return !initial; }
    // The state after the last step done (the initial one before any).
    const HostTensor& last() const { return steps.empty() ? initial : steps.back()->state; }
    // State at which step k starts: initial for 0.
    const HostTensor& stateAt(int step) const { return step == 0 ? initial : steps[std::size_t(step - 1)]->state; }
    // The first evaluation of a step, the one its predictor used; null when none.
    const Evaluation* evaluationOf(int step) const;
    int intervals() const { return levels.empty() ? 0 : int(levels.size()) - 1; }
};

enum class RunStatus : std::uint8_t { Queued, Running, Paused, Finished, Cancelled, Failed, Interrupted };
const char* nameOf(RunStatus s);
// It will not go on by itself.
bool hasEnded(RunStatus s);

// A recipe carried out. Immutable once finished.
struct Run {
    std::string id;    // 32 hex digits
    int number = 0;    // 1, 2, 3 ... in its project; 0 outside one
    std::string name;  // given by a person; empty: made from the recipe
    Recipe recipe;     // resolved: every parameter has its value
    RunStatus status = RunStatus::Queued;
    std::string problem;  // for Failed: a sentence
    std::string created;  // ISO 8601 UTC
    double seconds = 0;
    int evaluations = 0;        // NFE per image: network rows / images
    int sharedEvaluations = 0;  // of these, answered together with equal ones of other runs of a sweep
    int networkCalls = 0;
    std::string device;  // Backend::description
    std::size_t peakBytes = 0;
    ModelInfo model;  // value; its weights are not here
    std::shared_ptr<const Trajectory> trajectory;
    // What a sampler that chose its own steps was given to choose from; empty: the trajectory's levels.
    std::vector<double> plannedLevels;
    HostTensor images;  // (images, h, w, 3) F32 in [0, 1]; empty for points
    bool pinned = false;
};

// Intervals of the levels that the run visits, which its schedule may make other than its recipe says; of a run that
// has not started, those of its recipe.
int stepsOf(const Run& r);
Json toJson(const Run& r);  // everything but tensors and the model's process

std::string newRunId();
std::string nowUtc();

}  // namespace meander
