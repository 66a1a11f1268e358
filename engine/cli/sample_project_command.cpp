// meander-run sample-project: makes resources/samples/sprites-tour.meander.
#include <filesystem>
#include <iostream>

#include "engine/cli/batch.h"
#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/recipe_input.h"
#include "engine/cli/sample_project.h"
#include "engine/core/durable_file.h"
#include "engine/exchange/file_kind.h"

namespace meander::cli {
namespace {

struct Options {
    std::string path, device = "cpu";
};

// Made beside its place, so that what was there stays until the new one is complete. Removed however the making ends.
struct Making {
    std::string path;
    std::unique_ptr<ProjectStore> store;

    explicit Making(const std::string& target)
        : path(absolutePath(target) + ".making"), store(valueOrThrow(ProjectStore::create(path, true))) {}
    ~Making() {
        store.reset();
        removeCompanions(path);
        removeFile(path);
    }
};

int make(const Options& o) {
    if (std::filesystem::exists(o.path) && !isMeanderProject(o.path))
        throw Failure(
            "'" + o.path
            + "' exists and is not a Meander project, so it is not replaced. Give another name, or remove it first.");
    const Making making(o.path);
    const auto& store = making.store;
    int number = 0;
    for (const auto& sample : sampleRuns()) {
        const Plan p = valueOrThrow(plan(sample.recipe));
        const BatchResult result =
            runBatch(std::vector{Submission{.plan = p, .number = ++number}}, {o.device, false, false, store.get()});
        if (interruptedBy() != 0 || result.runs.empty())
            throw Failure("The sample project is incomplete: it was interrupted.");
        store->updateRun(result.runs.front()->id, sample.name, sample.isPinned);
        std::cout << number << "  " << sample.name << ": " << secondsText(result.runs.front()->seconds) << '\n';
    }
    store->setName("Sprites tour");
    store->saveDraft(sampleRuns().front().recipe);  // so that the first look finds nothing that differs
    if (const Status s = store->flush(); !s) throw Failure(s.error().text);
    if (const Status s = store->copyTo(o.path); !s) throw Failure(s.error().text);
    std::cout << o.path << ": " << bytesText(double(std::filesystem::file_size(o.path))) << '\n';
    return 0;
}

}  // namespace

std::vector<SampleRun> sampleRuns() {
    std::vector<SampleRun> runs;
    Recipe base = sampleRecipe();
    base.sampler = {"dpmpp_2m", {}};
    base.steps = 20;
    base.images = 1;
    base.attention = AttentionLevel::Full;
    runs.push_back({"a red circle above a blue square", base, true});

    Recipe guided = base;
    guided.guidance = {{"cfg", {{"scale", 8.0}}}};
    guided.attention = AttentionLevel::Layers;
    runs.push_back({"same, guidance 8", guided});

    Recipe few = recommendedRecipe(valueOrThrow(inspectModel("builtin:sprites-lcm")));
    few.prompt = base.prompt;
    few.seed = base.seed;
    few.images = 1;
    few.steps = 4;
    runs.push_back({"consistency model, 4 steps", few});

    Recipe ring = recommendedRecipe(valueOrThrow(inspectModel("analytic:ring8")));
    ring.images = 256;
    ring.steps = 20;
    ring.sampler = {"heun", {}};
    runs.push_back({"eight Gaussians on a ring", ring});
    return runs;
}

void addSampleProject(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("sample-project", "Make the sample project that the window opens with");
    c->add_option("file", o->path, "The project to write; an older project of this name is replaced")
        ->required()
        ->check(notEmpty());
    addDevice(*c, o->device);
    c->callback([o, &context] { context.chosen = [o] { return make(*o); }; });
}

}  // namespace meander::cli
