// What a recipe does, costs and needs, before anything runs and without touching a device.
#pragma once
#include <string>
#include <vector>

#include "engine/run/initial_state.h"
#include "engine/run/trajectory.h"

namespace meander {

enum class NoteKind : std::uint8_t { Hint, Warning };
struct PlanNote {
    NoteKind kind = NoteKind::Hint;
    std::string key;   // the recipe key it is about ("steps", "guidance", ...)
    std::string text;  // a sentence
};

// What a guidance rule costs beyond the rules before it.
struct RuleCost {
    std::string id, label;
    int evaluations = 0;  // per image, over the whole run
    int reusing = 0;      // evaluations of the run, per image, that take the features of an earlier one
    std::string idle;     // why it does nothing; empty: it acts
};

struct Plan {
    Recipe resolved;  // every parameter filled in
    ModelInfo model;
    StartPoint start;                           // what it begins with; nothing of it is set when that is noise
    std::shared_ptr<const SourceImage> source;  // of models that take one
    std::shared_ptr<const Run> sourceRun;       // whose recorded states interventions read from; null: none
    std::vector<double>
        levels;  // τ; intervals() + 1 of them, which a schedule or its operators may make other than resolved.steps + 1
    int requests = 0;                 // estimates of the sampler
    int evaluations = 0;              // NFE per image, all branches counted
    std::vector<RuleCost> guidance;   // in the order of the recipe
    std::vector<std::string> models;  // further ones that guidance evaluates, besides the recipe's
    // Of a branch: the parent's record answers the sampler from the start, so its history and noise are the parent's.
    // Else the sampler starts afresh at the branch.
    bool restoresHistory = false;
    // Features that rules keep are those of the parent at the branch: its last evaluations are made again for them.
    bool restoresFeatures = false;
    std::size_t bytes = 0;        // estimate of device memory while running, weights included
    std::size_t recordBytes = 0;  // estimate of what the record will hold
    double seconds = 0;           // estimate; 0 when nothing was measured yet
    std::vector<PlanNote> notes;

    // Of the recipe's model; further models of guidance take no adapters.
    LoadOptions loadOptions(bool isFurther = false) const;
    int intervals() const { return int(levels.size()) - 1; }
};

// What the samplers' requests and the guidance rules evaluate.
struct EvaluationCount {
    int requests = 0, evaluations = 0;  // see Plan
    std::vector<RuleCost> guidance;
    std::vector<std::string> models;
    int mostRows = 1;           // of one request
    bool usesNegative = false;  // the negative prompt, or no condition, is evaluated
};
// Of a plan's recipe, model and levels; quick enough to follow a hand that drags. Throws Failure as planning does.
EvaluationCount countEvaluations(const Plan& plan);

// The model as a recipe uses it: with what the recipe declares, at its image size. Throws Failure.
ModelInfo modelOf(const Recipe& recipe, ModelInfo info);
// How many images or particles one run may draw.
int mostImages(const StateSpec& state);

// Image tokens of 16 × 16 pixels (FLUX, Stable Diffusion 3: latents of 8 × 8 pixels in patches of 2 × 2), for
// schedules that depend on the resolution; none for points.
std::optional<int> imageTokensOf(const ModelInfo& model);

// The run from whose recorded states interventions of the recipe read; empty: none does.
std::string sourceRunOf(const Recipe& recipe);

// `parent` is needed when the recipe branches, `start` when it starts from another run (startRunOf), `source` when it
// reads from one (sourceRunOf).
Result<Plan> plan(const Recipe& recipe, const Run* parent = nullptr, const Run* start = nullptr,
                  const Run* source = nullptr);
// With a known model (no look-up). What is accepted, the run carries out: every check of a recipe is here.
Result<Plan> plan(const Recipe& recipe, const ModelInfo& model, const Run* parent = nullptr, const Run* start = nullptr,
                  const Run* source = nullptr);

}  // namespace meander
