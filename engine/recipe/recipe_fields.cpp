#include "engine/recipe/recipe_fields.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace meander {

bool isDeviceName(const std::string& name) {
    if (name == "auto" || name == "cpu") return true;
    return name.starts_with("cuda:") && name.size() >= 6 && name.size() <= 7
           && name.find_first_not_of("0123456789", 5) == std::string::npos;
}

static std::vector<FieldChoice> dialectChoices() {
    std::vector<FieldChoice> choices;
    for (const auto& d : promptDialects()) choices.push_back({d.id, d.label, d.help});
    return choices;
}

const std::vector<RecipeField>& recipeFields() {
    static const std::vector<RecipeField> fields{
        {.key = "model",
         .label = "Model",
         .member = &Recipe::model,
         .help = "The network that is sampled. The card beside it tells what it predicts and which rules fit it.",
         .isLocal = true,
         .isSubject = true,
         .place = -2},
        {.key = "prompt", .label = "Prompt", .member = &Recipe::prompt, .isSubject = true},
        {.key = "negative_prompt",
         .label = "Negative prompt",
         .member = &Recipe::negativePrompt,
         .help = "Condition of the unconditional branch of guidance, in place of the empty prompt.",
         .isOmitted = true,
         .isSubject = true},
        {.key = "prompt_dialect",
         .label = "Prompt syntax",
         .member = &Recipe::promptDialect,
         .help = "How prompts are read: as plain text, or with the weights, chunks and schedules of another program.",
         .choices = dialectChoices(),
         .isOmitted = true,
         .isSubject = true},
        {.key = "clip_skip",
         .label = "CLIP skip",
         .member = &Recipe::clipSkip,
         .help = "Which states of a CLIP text encoder are taken: 1 those of its last layer, 2 of the one before. "
                 "Stable Diffusion XL and 3 take at least the second.",
         .minimum = 1,
         .maximum = 32,
         .isOmitted = true,
         .isSubject = true},
        {.key = "class", .label = "Class", .member = &Recipe::classIndex, .isOmitted = true, .isSubject = true},
        {.key = "seed",
         .label = "Seed",
         .member = &Recipe::seed,
         .group = "Noise",
         .help = "Names the noise. The same seed gives the same image on every device, in every batch, after every "
                 "pause.",
         .isSubject = true},
        {.key = "images",
         .label = "Images",
         .member = &Recipe::images,
         .group = "Run",
         .help = "Images (or particles) drawn together.",
         .minimum = 1,
         .isLocal = true},
        {.key = "width",
         .label = "Width",
         .member = &Recipe::width,
         .group = "Run",
         .unit = "px",
         .help = "Of the image in pixels. Left out, it is the size that the model was trained on; far from it, images "
                 "repeat or fall apart.",
         .minimum = 1,
         .maximum = 16384,
         .isOmitted = true,
         .isSubject = true},
        {.key = "height",
         .label = "Height",
         .member = &Recipe::height,
         .group = "Run",
         .unit = "px",
         .help = "Of the image in pixels. Left out, it is the size that the model was trained on.",
         .minimum = 1,
         .maximum = 16384,
         .isOmitted = true,
         .isSubject = true},
        {.key = "steps",
         .label = "Steps",
         .member = &Recipe::steps,
         .group = "Sampling",
         .unit = "steps",
         .help = "Intervals of the schedule. The cost of a run is counted in evaluations: some samplers evaluate the "
                 "network twice per step, and guidance doubles it.",
         .minimum = 1,
         .maximum = 10000,
         .place = 1},
        {.key = "start",
         .label = "Start",
         .member = &Recipe::start,
         .group = "Sampling",
         .isOmitted = true,
         .isSubject = true},
        {.key = "sampler", .label = "Sampler", .member = &Recipe::sampler, .group = "Sampling"},
        {.key = "schedule",
         .label = "Schedule",
         .member = &Recipe::schedule,
         .group = "Schedule",
         .shortLabel = "Rule"},
        {.key = "schedule_operators",
         .label = "Schedule operator",
         .member = &Recipe::scheduleOperators,
         .group = "Schedule",
         .shortLabel = "Operator",
         .isOmitted = true},
        {.key = "noise", .label = "Noise", .member = &Recipe::noise, .group = "Noise", .shortLabel = "Source"},
        {.key = "guidance",
         .label = "Guidance",
         .member = &Recipe::guidance,
         .group = "Guidance",
         .shortLabel = "Rule"},
        {.key = "checkpoint",
         .label = "Checkpoint",
         .member = &Recipe::checkpoint,
         .group = "Run",
         .help =
             "What the network predicts, its noise process and its kind: as its files state, or declared here where "
             "they are wrong or silent.",
         .isOmitted = true,
         .isSubject = true},
        {.key = "adapters",
         .label = "Adapter",
         .member = &Recipe::adapters,
         .group = "Run",
         .help = "LoRAs and their kin, added to the weights of the model. Several add up.",
         .isOmitted = true,
         .isSubject = true},
        {.key = "weights",
         .label = "Weights",
         .member = &Recipe::weights,
         .group = "Run",
         .help =
             "The format in which the matrices of the network are kept in memory. Smaller ones need less memory and "
             "lose precision.",
         .choices = {{"file", "as in the file", {}},
                     {"BF16", "bf16", {}},
                     {"F16", "f16", {}},
                     {"F8_E4M3", "fp8", "8-bit floats."},
                     {"I8", "int8", "8-bit integers with a scale per row."},
                     {"Q8_0", "Q8_0", "8-bit integers with a scale per 32 weights."},
                     {"Q4_0", "Q4_0", "4-bit integers with a scale per 32 weights."}},
         .isOmitted = true,
         .isLocal = true},
        {.key = "precision",
         .label = "Precision",
         .member = &Recipe::precision,
         .group = "Run",
         .help = "Of the network's arithmetic. States and sampler arithmetic are always at least f32.",
         .choices = {{"auto", "auto", {}}, {"f32", "f32", {}}, {"bf16", "bf16", {}}},
         .isLocal = true},
        {.key = "device",
         .label = "Device",
         .member = &Recipe::device,
         .group = "Run",
         .help = "Where the run is computed. Without that GPU it is the CPU, and the status line tells why.",
         .choices = {{"auto", "auto", "The first GPU, else the CPU."},
                     {"cpu", "CPU", {}},
                     {"cuda:0", "first GPU", "cuda:1 and so on name further GPUs."}},
         .isAllowed = isDeviceName,
         .isLocal = true},
        {.key = "attention",
         .label = "Attention record",
         .member = &Recipe::attention,
         .group = "Run",
         .shortLabel = "Attention",
         .help = "What is recorded of cross-attention at every evaluation.",
         .choices = {{"off", "off", {}},
                     {"summary", "summary", "One map per word, and entropy and mass per head."},
                     {"layers", "per layer", "The mean over heads of every layer."},
                     {"full", "every head", {}}},
         .isLocal = true},
        {.key = "record_states",
         .label = "Record states",
         .member = &Recipe::recordStates,
         .group = "Run",
         .help = "Keeps every state and prediction, for the film strip, the path and branching.",
         .isLocal = true},
        {.key = "branch",
         .label = "Branches from",
         .member = &Recipe::branch,
         .isOmitted = true,
         .isSubject = true,
         .place = -1},
    };
    return fields;
}

const RecipeField* findRecipeField(const std::string& key) {
    for (const auto& f : recipeFields())
        if (f.key == key) return &f;
    return nullptr;
}

}  // namespace meander
