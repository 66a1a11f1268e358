// meander-run bench interventions: the tables of resources/help/interventions.md, which is its output.
#include "engine/cli/bench_interventions.h"

#include <cmath>
#include <cstdio>

#include "engine/analysis/sprite_effects.h"
#include "engine/cli/batch.h"
#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"

namespace meander::cli {
namespace {

using Runs = std::vector<std::shared_ptr<const Run>>;

// Runs of a group share network calls, and only one group's records are held.
constexpr std::size_t groupSize = 25;
constexpr double strengths[] = {0, 0.5, 1, 2, 4};

struct Mean {
    double sum = 0, squares = 0;
    int n = 0;
    void add(double v) {
        sum += v;
        squares += v * v;
        ++n;
    }
    double value() const { return n > 0 ? sum / n : 0; }
    // Half the width of the 95 % interval.
    double half() const {
        return n > 1 ? 1.96 * std::sqrt(std::max(0.0, squares / n - value() * value()) / (n - 1)) : 0;
    }
};

struct Measured {
    Mean inside, insideLate, raw, area;  // of shape words
    Mean most, least;                    // RMS of the image with five heads muted
    std::vector<Mean> size, present;     // of the first object, by strength
    int monotone = 0, objects = 0;       // sizes that never fall with the strength
};

Plan planOf(const ModelInfo& info, const std::string& prompt, std::uint64_t seed, const std::string& device,
            std::vector<Choice> rules) {
    Recipe r = recommendedRecipe(info);
    r.images = 1;
    r.device = device;
    r.prompt = prompt;
    r.seed = seed;
    r.attention = rules.empty() ? AttentionLevel::Full : AttentionLevel::Off;
    r.recordStates = false;
    for (Choice& c : rules) r.guidance.push_back(std::move(c));
    return valueOrThrow(plan(r, info));
}

void measureGroup(const ModelInfo& info, std::span<const std::string> prompts, std::size_t first,
                  const InterventionOptions& o, Measured& m) {
    const auto seedOf = [&](std::size_t i) { return o.seed * 1'000'003 + first + i; };
    std::vector<Plan> plans;
    for (std::size_t i = 0; i < prompts.size(); ++i) plans.push_back(planOf(info, prompts[i], seedOf(i), o.device, {}));
    const Runs plain = runBatch(plans, {o.device, false, true}).runs;
    plans.clear();
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const SpriteScene scene = *parseSpritePrompt(prompts[i]);
        for (const Heads which : {Heads::Most, Heads::Least})
            plans.push_back(planOf(info, prompts[i], seedOf(i), o.device, mutedHeads(*plain[i], which)));
        for (const double s : strengths)
            plans.push_back(planOf(info, prompts[i], seedOf(i), o.device, {scaledObject(scene, s)}));
    }
    const Runs changed = runBatch(plans, {o.device, false, true}).runs;
    const std::size_t each = 2 + std::size(strengths);
    for (std::size_t i = 0; i < plain.size() && (i + 1) * each <= changed.size(); ++i) {
        const Run& run = *plain[i];
        AttentionSelection late;
        late.firstStep = run.trajectory->intervals() / 2;
        for (const WordPlacement& w : wordPlacements(run, {}, MapScale::SharePrompt)) {
            m.inside.add(w.inside);
            m.area.add(w.area);
        }
        for (const WordPlacement& w : wordPlacements(run, late, MapScale::SharePrompt)) m.insideLate.add(w.inside);
        for (const WordPlacement& w : wordPlacements(run, {}, MapScale::Raw)) m.raw.add(w.inside);
        const auto result = std::span(changed).subspan(i * each, each);
        m.most.add(imageDifference(*result[0], run));
        m.least.add(imageDifference(*result[1], run));
        bool isMonotone = true;
        for (std::size_t s = 0; s < std::size(strengths); ++s) {
            const int size = objectSize(*result[2 + s]);
            m.size[s].add(size);
            m.present[s].add(size >= 20 ? 1 : 0);
            isMonotone = isMonotone && (s == 0 || size >= objectSize(*result[1 + s]));
        }
        m.monotone += isMonotone;
        ++m.objects;
    }
}

std::string share(const Mean& m) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f ± %.1f %%", 100 * m.value(), 100 * m.half());
    return text;
}

void print(const ModelInfo& info, const Measured& m, const InterventionOptions& o) {
    if (o.isJson) {
        Json j = {{"model", info.id},
                  {"prompts", m.objects},
                  {"inside", m.inside.value()},
                  {"inside_late", m.insideLate.value()},
                  {"inside_raw", m.raw.value()},
                  {"area", m.area.value()},
                  {"most_heads_rms", m.most.value()},
                  {"least_heads_rms", m.least.value()}};
        for (std::size_t s = 0; s < std::size(strengths); ++s)
            j["sizes"].push_back(
                {{"scale", strengths[s]}, {"pixels", m.size[s].value()}, {"present", m.present[s].value()}});
        return printLine(j);
    }
    std::printf("\n## %s, %d prompts with two objects\n\n", info.name.c_str(), m.objects);
    std::printf("| attention to the shape words, inside their objects | |\n|---|---|\n");
    std::printf("| ÷ prompt tokens, all steps | %s |\n", share(m.inside).c_str());
    std::printf("| ÷ prompt tokens, second half of the steps | %s |\n", share(m.insideLate).c_str());
    std::printf("| raw probability, all steps | %s |\n", share(m.raw).c_str());
    std::printf("| the objects' part of the image | %s |\n", share(m.area).c_str());
    std::printf("\n| heads muted | RMS of the change, of 1 |\n|---|---|\n");
    std::printf("| the five with the most mass for the first shape word | %.4f ± %.4f |\n", m.most.value(),
                m.most.half());
    std::printf("| the five with the least | %.4f ± %.4f |\n", m.least.value(), m.least.half());
    std::printf("\n| scale of the first object's words | pixels of the object | objects of 20 pixels or more "
                "|\n|---|---|---|\n");
    for (std::size_t s = 0; s < std::size(strengths); ++s)
        std::printf("| %g | %.1f ± %.1f | %.1f %% |\n", strengths[s], m.size[s].value(), m.size[s].half(),
                    100 * m.present[s].value());
    std::printf("\nIn %d of %d prompts the size of the object falls at no strength.\n", m.monotone, m.objects);
}

}  // namespace

int benchInterventions(const InterventionOptions& o) {
    if (!o.isJson)
        std::printf("# Edit and replay\n\n"
                    "TODO %s\n",
                    openBackend(o.device)->description().c_str());
    const auto prompts = twoObjectPrompts(o.prompts, o.seed);
    for (const char* model : {"builtin:sprites-unet", "builtin:sprites-dit"}) {
        const ModelInfo info = valueOrThrow(inspectModel(model));
        Measured m;
        m.size.resize(std::size(strengths));
        m.present.resize(std::size(strengths));
        for (std::size_t first = 0; first < prompts.size() && interruptedBy() == 0; first += groupSize)
            measureGroup(info, std::span(prompts).subspan(first, std::min(groupSize, prompts.size() - first)), first, o,
                         m);
        print(info, m, o);
    }
    return interruptedBy() == 0 ? 0 : 1;
}

}  // namespace meander::cli
