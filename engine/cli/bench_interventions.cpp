// meander-run bench interventions: the tables of resources/help/interventions.md, which is its output.
#include "engine/cli/bench_interventions.h"

#include <cmath>
#include <cstdio>
#include <iterator>
#include <span>

#include "engine/analysis/sprite_effects.h"
#include "engine/cli/batch.h"
#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"

namespace meander::cli {
namespace {

using Runs = std::vector<std::shared_ptr<const Run>>;

// Finished, with their images; none where the measurement was interrupted. Throws Failure where one has no image.
Runs finished(const std::vector<Plan>& plans, const InterventionOptions& o) {
    BatchResult result = runBatch(plans, {o.device, false, true});
    if (result.isInterrupted) return {};
    for (const auto& run : result.runs)
        if (!run || !run->images)
            throw Failure("A run of the measurement ended without an image"
                          + (run ? std::string(": ") + nameOf(run->status) + ". " + run->problem : std::string(".")));
    return std::move(result.runs);
}

// Runs of a group share network calls, and only one group's records are held.
constexpr std::size_t groupSize = 25;
constexpr double strengths[] = {0, 0.5, 1, 2, 4};

constexpr const char* introduction = R"(# Edit and replay

An intervention changes what happens inside the network while a run is drawn: it is a rule of the recipe, in the group
"Inside the network" of [guidance](guidance.md), so it has a place in the list, a switch, an interval of steps and of
noise levels, undo, and a line in every comparison. A branch from a step with an intervention is, in every bit, the run
that has it from that step on; the steps before are those of the untouched run.

| what | rule | where it works |
|---|---|---|
| a head, or all others of its layer | `mute_head` | every attention |
| a word: prompt-to-prompt reweighting | `scale_token` | cross- and joint attention |
| a block, its attention or its feed-forward | `scale_block` | every block |
| a map, towards nothing | `blend_attention`, `attention_temperature` | every attention |
| a map, as it was | `freeze_attention` | every attention |
| a map of another prompt or run: prompt-to-prompt | `replace_attention` | every attention |
| keys and values of another prompt or run: MasaCtrl | `mutual_self_attention` | self- and joint attention |
| what blocks add, of another prompt or run | `patch_activations` | every block |

The last three read from a source: another prompt, evaluated at the same states, or a finished run, whose recorded
states are evaluated at the same noise level. Either costs one evaluation more while the rule acts. Where a rule has a
region it acts in that part of the image only. What is not changed keeps the fused path and its bits.

In the window: click a head in the matrix of the panel Attention, then M mutes it, a double click mutes the others of
its layer, the slider scales it. A right click (or the Menu key) on a word under the image scales the attention to it.
Each is an edit of the draft. To replay, choose a step and branch there (B) first, edit, run (Ctrl+Enter), and compare
(Ctrl+D).

The tables measure that on the sprites. Objects are found by their colours in the image that was drawn; the attention to
a word is the mean over heads and steps of the recorded probabilities, ± the 95 % interval over prompts. A head with
little mass for a word has it for others, so muting all of it changes the image as well; what it does for the word is
told by muting the word in it.
)";

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
    Mean inside, ideal, area;  // of shape words
    std::vector<Mean> layers;  // the same by layer
    std::vector<TapSite> sites;
    Mean mostWord, leastWord;         // RMS of the image with the word muted in five heads
    Mean most, least;                 // RMS of the image with five heads muted
    std::vector<Mean> size, present;  // of the first object, by strength
    int monotone = 0, objects = 0;    // sizes that never fall with the strength
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
    const Runs plain = finished(plans, o);
    plans.clear();
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const SpriteScene scene = *parseSpritePrompt(prompts[i]);
        for (const Heads which : {Heads::Most, Heads::Least}) {
            plans.push_back(planOf(info, prompts[i], seedOf(i), o.device, mutedHeads(*plain[i], which)));
            plans.push_back(planOf(info, prompts[i], seedOf(i), o.device, mutedInHeads(*plain[i], which)));
        }
        for (const double s : strengths)
            plans.push_back(planOf(info, prompts[i], seedOf(i), o.device, {scaledObject(scene, s)}));
    }
    const Runs changed = finished(plans, o);
    constexpr std::size_t muted = 4, each = muted + std::size(strengths);
    for (std::size_t i = 0; i < plain.size() && (i + 1) * each <= changed.size(); ++i) {
        const Run& run = *plain[i];
        m.sites = run.trajectory->sites;
        m.layers.resize(m.sites.size());
        for (const WordPlacement& w : wordPlacements(run, {}, MapScale::Raw)) {
            m.inside.add(w.inside);
            m.ideal.add(w.ideal);
            m.area.add(w.area);
        }
        for (std::size_t k = 0; k < m.sites.size(); ++k) {
            AttentionSelection one;
            one.sites = {int(k)};
            for (const WordPlacement& w : wordPlacements(run, one, MapScale::Raw)) m.layers[k].add(w.inside);
        }
        const auto result = std::span(changed).subspan(i * each, each);
        for (const auto& [mean, place] : {std::pair{&m.most, 0}, {&m.mostWord, 1}, {&m.least, 2}, {&m.leastWord, 3}})
            mean->add(imageDifference(*result[std::size_t(place)], run));
        bool isMonotone = true;
        for (std::size_t s = 0; s < std::size(strengths); ++s) {
            const int size = objectSize(*result[muted + s]);
            m.size[s].add(size);
            m.present[s].add(size >= 20 ? 1 : 0);
            isMonotone = isMonotone && (s == 0 || size >= objectSize(*result[muted + s - 1]));
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
                  {"inside_ideal", m.ideal.value()},
                  {"area", m.area.value()},
                  {"most_heads_rms", m.most.value()},
                  {"least_heads_rms", m.least.value()},
                  {"word_in_most_heads_rms", m.mostWord.value()},
                  {"word_in_least_heads_rms", m.leastWord.value()}};
        for (const Mean& layer : m.layers) j["inside_by_layer"].push_back(layer.value());
        for (std::size_t s = 0; s < std::size(strengths); ++s)
            j["sizes"].push_back(
                {{"scale", strengths[s]}, {"pixels", m.size[s].value()}, {"present", m.present[s].value()}});
        return printLine(j);
    }
    std::printf("\n## %s, %d prompts with two objects\n\n", info.name.c_str(), m.objects);
    std::printf("| attention to the shape words, inside their objects | |\n|---|---|\n");
    std::printf("| mean of all layers | %s |\n", share(m.inside).c_str());
    for (std::size_t k = 0; k < m.layers.size(); ++k)
        std::printf("| layer %zu, %d × %d | %s |\n", k, m.sites[k].height, m.sites[k].width,
                    share(m.layers[k]).c_str());
    std::printf("| a map that is the object itself, on that grid | %s |\n", share(m.ideal).c_str());
    std::printf("| the object's part of the image | %s |\n", share(m.area).c_str());
    std::printf("\n| five heads, by their mass for the first shape word | most | least |\n|---|---|---|\n");
    std::printf("| that word muted in them: RMS of the change, of 1 | %.4f ± %.4f | %.4f ± %.4f |\n",
                m.mostWord.value(), m.mostWord.half(), m.leastWord.value(), m.leastWord.half());
    std::printf("| the heads muted | %.4f ± %.4f | %.4f ± %.4f |\n", m.most.value(), m.most.half(), m.least.value(),
                m.least.half());
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
        std::printf("%s\nWritten by `meander-run bench interventions` on %s.\n", introduction,
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
