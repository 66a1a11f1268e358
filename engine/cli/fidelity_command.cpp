// meander-run fidelity: how often a sprites model draws what the prompt asks for.
#include <iostream>
#include <map>

#include "engine/cli/batch.h"
#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/recipe_input.h"
#include "engine/core/printable.h"
#include "engine/sprites/fidelity.h"

namespace meander::cli {
namespace {

struct Options {
    std::string model = "builtin:sprites-unet", device = "auto";
    int prompts = 500, steps = 0;
    std::uint64_t seed = 99;
    std::vector<std::string> sets;
    bool isJson = false;
};

Recipe baseRecipe(const Options& o, const ModelInfo& info) {
    Recipe base = recommendedRecipe(info);
    base.images = 1;
    base.attention = AttentionLevel::Off;
    base.recordStates = false;
    base.device = o.device;
    if (o.steps > 0) base.steps = o.steps;
    static const std::map<std::string, std::string> own = {
        {"model", "Give it with --model"},
        {"prompt", "The prompts are random; --prompts says how many"},
        {"seed", "Give it with --seed"},
        {"images", "Every prompt is drawn once; --prompts says how many"},
        {"device", "Give it with --device"}};
    for (const auto& s : o.sets) {
        const std::string key = s.substr(0, s.find('='));
        if (const auto it = own.find(key); it != own.end())
            throw WrongArgument("The measurement chooses \"" + key + "\" itself, so --set cannot. " + it->second + ".");
        applySet(base, s);
    }
    return base;
}

Plan planFor(const Recipe& base, const ModelInfo& info, const std::string& prompt, std::uint64_t seed) {
    Recipe r = base;
    r.prompt = prompt;
    r.seed = seed;
    return valueOrThrow(plan(r, info));
}

struct Count {
    int judged = 0, faithful = 0;
    std::map<std::string, int> reasons;
};

void judge(const Run& run, Count& count) {
    if (run.status != RunStatus::Finished || !run.images) return;
    const auto verdict = valueOrThrow(judgeSprite(imageOf(run.images), run.recipe.prompt));
    ++count.judged;
    count.faithful += verdict.isFaithful ? 1 : 0;
    ++count.reasons[verdict.reason];
}

int measure(const Options& o) {
    valueOrThrow(judgeSprite(drawSprite(*parseSpritePrompt("a red circle on a white background")),
                             "a red circle on a white background"));
    const ModelInfo info = valueOrThrow(inspectModel(o.model));
    const Recipe base = baseRecipe(o, info);
    const auto prompts = randomSpritePrompts(o.prompts, o.seed);
    Count count;
    double seconds = 0;
    int steps = base.steps;  // as planned: operators on the schedule change their number
    std::string device;
    // In groups: runs of a group share network calls, and only one group's images are held.
    constexpr std::size_t group = 64;
    for (std::size_t first = 0; first < prompts.size() && interruptedBy() == 0; first += group) {
        std::vector<Plan> plans;
        for (std::size_t i = first; i < std::min(prompts.size(), first + group); ++i)
            plans.push_back(planFor(base, info, prompts[i], o.seed * 1'000'003 + i));
        const auto result = runBatch(plans, {o.device, false, o.isJson});
        seconds += result.seconds;
        steps = plans.front().intervals();
        device = result.device;
        for (const auto& run : result.runs) judge(*run, count);
    }
    if (count.judged == 0)
        throw Failure(interruptedBy() != 0 ? "The measurement was interrupted before an image was finished."
                                           : "No image was finished.");
    if (interruptedBy() != 0)
        std::cerr << "meander-run: Interrupted; the figures are those of the images finished so far.\n";
    const double share = double(count.faithful) / count.judged;
    if (o.isJson) {
        printLine({{"model", o.model},
                   {"prompts", count.judged},
                   {"steps", steps},
                   {"device", device},
                   {"fidelity", share},
                   {"seconds", seconds},
                   {"reasons", count.reasons}});
        return 0;
    }
    std::printf("%s, %d steps: %.1f %% of %d images show what was asked (%s on %s)\n", printable(info.name).c_str(),
                steps, 100 * share, count.judged, secondsText(seconds).c_str(), device.c_str());
    for (const auto& [reason, n] : count.reasons)
        if (reason != "ok") std::printf("  %4d  %s\n", n, reason.c_str());
    return 0;
}

}  // namespace

void addFidelity(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("fidelity", "Measure how often a sprites model draws what its prompt asks for");
    c->add_option("--model", o->model, "A sprites model")->capture_default_str();
    c->add_option("--prompts", o->prompts, "Number of random prompts, one image each")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    c->add_option("--steps", o->steps, "Steps; the model's recommendation without it")->check(CLI::Range(1, 1000));
    c->add_option("--seed", o->seed, "Of prompts and noise")->capture_default_str()->check(seedNumber());
    c->add_option("--set", o->sets, "Change a setting of the recipe (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    addDevice(*c, o->device);
    c->add_flag("--json", o->isJson, "The result as one JSON object");
    c->callback([o, &context] { context.chosen = [o] { return measure(*o); }; });
}

}  // namespace meander::cli
