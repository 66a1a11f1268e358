// meander-run bench reuse: the tables of resources/help/reuse.md, which is its output.
#include "engine/cli/bench_reuse.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "engine/analysis/reuse_error.h"
#include "engine/cli/batch.h"
#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"
#include "engine/models/architectures/unet.h"
#include "engine/sprites/fidelity.h"

namespace meander::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Setting {
    std::string name;
    Choice rule;  // without an id: nothing is reused
};

Choice every(const char* id, std::int64_t n) { return {id, {{"every", n}}}; }
Choice below(const char* id, double threshold) { return {id, {{"threshold", threshold}}}; }

std::vector<Setting> settings(bool isUNet) {
    Choice second = every("taylor_seer", 3), blocks = every("feature_reuse", 2), merging{"token_merging", {}};
    second.params["order"] = std::int64_t(2);
    blocks.params["layers"] = std::string("all");
    merging.params["where"] = std::string("all");
    std::vector<Setting> all{{"Nothing", {}}};
    if (isUNet)
        for (const int n : {2, 3, 5}) all.push_back({"DeepCache, every " + std::to_string(n), every("deep_cache", n)});
    all.push_back({"Feature reuse, all blocks, every 2", blocks});
    all.push_back({"First-block cache, threshold 0.1", below("first_block_cache", 0.1)});
    all.push_back({"First-block cache, threshold 0.2", below("first_block_cache", 0.2)});
    all.push_back({"TeaCache, threshold 0.25", below("tea_cache", 0.25)});
    all.push_back({"TeaCache, threshold 0.5", below("tea_cache", 0.5)});
    all.push_back({"SeaCache, threshold 0.25", below("sea_cache", 0.25)});
    all.push_back({"SeaCache, threshold 0.5", below("sea_cache", 0.5)});
    all.push_back({"TaylorSeer, every 2, order 1", every("taylor_seer", 2)});
    all.push_back({"TaylorSeer, every 3, order 1", every("taylor_seer", 3)});
    all.push_back({"TaylorSeer, every 3, order 2", second});
    all.push_back({"Token merging, half", merging});
    return all;
}

struct Row {
    std::string name;
    double seconds = 0, savedWork = 0, rms = 0, psnr = 0;
    int evaluations = 0;
    double saved = 0;  // evaluations
    int judged = 0, faithful = 0;
};

void print(const std::string& title, const std::vector<Row>& rows, const ReuseOptions& o) {
    const Row& whole = rows.front();
    if (!o.isJson)
        std::printf("\n%s\n\n| reuse | time saved | evaluations saved | work saved | RMS of x̂0 | PSNR |%s\n"
                    "|---|---|---|---|---|---|%s\n",
                    title.c_str(), whole.judged ? " fidelity |" : "", whole.judged ? "---|" : "");
    for (const Row& r : rows) {
        const double time = 1 - r.seconds / whole.seconds;
        Json j = {{"table", title},
                  {"reuse", r.name},
                  {"seconds", r.seconds},
                  {"time_saved", time},
                  {"work_saved", r.savedWork},
                  {"evaluations", r.evaluations},
                  {"evaluations_saved", r.saved},
                  {"rms", r.rms}};
        if (std::isfinite(r.psnr)) j["psnr"] = r.psnr;
        if (r.judged) j["fidelity"] = double(r.faithful) / r.judged;
        if (o.isJson) {
            printLine(j);
            continue;
        }
        const bool isWhole = &r == &whole;
        std::printf("| %s | %s | %s | %s | %s | %s |", r.name.c_str(),
                    isWhole ? (secondsText(r.seconds) + " in all").c_str()
                            : (std::to_string(int(std::lround(100 * time))) + " %").c_str(),
                    isWhole ? ("of " + std::to_string(r.evaluations)).c_str()
                            : std::to_string(int(std::lround(r.saved))).c_str(),
                    isWhole ? "" : (std::to_string(int(std::lround(100 * r.savedWork))) + " %").c_str(),
                    isWhole ? "" : Json(std::round(r.rms * 1e4) / 1e4).dump().c_str(),
                    isWhole                 ? ""
                    : std::isfinite(r.psnr) ? (std::to_string(int(std::lround(r.psnr))) + " dB").c_str()
                                            : "∞");
        if (r.judged) std::printf(" %.1f %% of %d |", 100.0 * r.faithful / r.judged, r.judged);
        std::printf("\n");
    }
}

double meanOf(const std::vector<double>& values) {
    double sum = 0;
    int n = 0;
    for (const double v : values)
        if (!std::isnan(v)) sum += v, ++n;
    return n > 0 ? sum / n : 0;
}

// --- the sprites ---

Plan planOf(const ModelInfo& info, const Setting& s, const std::string& prompt, std::uint64_t seed,
            const ReuseOptions& o) {
    Recipe r = recommendedRecipe(info);
    r.images = 1;
    r.steps = o.steps;
    r.attention = AttentionLevel::Off;
    r.device = o.device;
    r.prompt = prompt;
    r.seed = seed;
    if (!s.rule.id.empty()) r.guidance.push_back(s.rule);
    return valueOrThrow(plan(r, info));
}

// One run at a time, as a person waits for it; all settings of a prompt one after the other, so that a busy machine
// slows all of them.
void sprites(const std::string& model, const ReuseOptions& o) {
    const ModelInfo info = valueOrThrow(inspectModel(model));
    const auto all = settings(info.isUNet);
    std::vector<Row> rows;
    for (const Setting& s : all) rows.push_back({.name = s.name});
    const auto prompts = randomSpritePrompts(o.prompts, o.seed);
    std::vector<double> meanSquares(all.size());
    for (std::size_t k = 0; k < prompts.size() && interruptedBy() == 0; ++k) {
        std::vector<Plan> plans;
        std::vector<std::shared_ptr<const Run>> runs;
        for (const Setting& s : all) plans.push_back(planOf(info, s, prompts[k], o.seed * 1'000'003 + k, o));
        for (const Plan& p : plans) {
            const auto result = runBatch({p}, {o.device, false, true});
            if (result.runs.empty()) return;
            runs.push_back(result.runs.front());
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Run& run = *runs[i];
            Row& row = rows[i];
            const ReuseError e = reuseError(*run.trajectory, *runs.front()->trajectory);
            for (const auto& each : run.trajectory->evaluations) row.seconds += each->milliseconds / 1e3;
            row.savedWork += e.savedWork / double(prompts.size());
            row.evaluations += run.evaluations;
            row.saved += e.savedWork * run.evaluations;
            row.rms += meanOf(e.rms) / double(prompts.size());
            meanSquares[i] += e.finalRms * e.finalRms / double(prompts.size());
            const auto verdict = valueOrThrow(judgeSprite(imageOf(run.images), run.recipe.prompt));
            ++row.judged;
            row.faithful += verdict.isFaithful;
        }
    }
    for (std::size_t i = 0; i < all.size(); ++i) rows[i].psnr = 10 * std::log10(4 / meanSquares[i]);
    print(info.name + ", " + std::to_string(o.steps) + " steps, " + std::to_string(prompts.size()) + " prompts", rows,
          o);
}

// --- a network of full width with random weights: what it saves; its errors are those of a network that learnt nothing

class FullWidth {
public:
    explicit FullWidth(const ReuseOptions& o) : m_options(o), m_backend(openBackend(o.device)) {
        const UNetConfig config = sd15UNetConfig();
        m_network = makeRandomUNet(config, *m_backend, o.precision == "bf16" ? DType::BF16 : DType::F32);
        describeUNet(config, m_info);
        m_start = random({1, config.sampleHeight, config.sampleWidth, config.inChannels}, o.seed);
        m_text = m_network->prepare({{{condition::context, random({1, 77, config.crossAttentionWidth}, o.seed + 1)}}});
    }

    // DDIM with a cosine schedule that leaves out the noisiest levels; fills time, work and errors of the row.
    void run(const Setting& s, Row& row) {
        nn::SiteHookPtr hook;
        if (!s.rule.id.empty()) hook = makeHook(s.rule, {m_info, {}});
        std::vector<HostTensor> estimates;
        Tensor x = m_start;
        const int steps = m_options.steps;
        for (int k = 0; k < steps && interruptedBy() == 0; ++k) {
            const auto [signal, noise] = level(k);
            const std::vector<double> times{999.0 * (steps - k) / steps};
            nn::Hooks hooks;
            if (hook) hooks.add(hook, 0, 1);
            hooks.setLevels({{signal, noise}});
            hooks.starting();
            kernels::Trace trace;
            m_backend->setTrace(&trace);
            hooks.setTrace(&trace);
            const auto start = Clock::now();
            const Tensor eps = m_network->forward({x, times, m_text, hooks});
            m_backend->synchronize();
            row.seconds += std::chrono::duration<double>(Clock::now() - start).count();
            m_backend->setTrace(nullptr);
            hooks.completed();
            const Tensor x0 = combine({{1 / signal, x}, {-noise / signal, eps}});
            estimates.push_back(download(x0));
            const auto next = level(k + 1);
            x = combine({{next.signal, x0}, {next.noise, eps}});
            double done = 0;
            for (const auto& op : trace) done += op.flops;
            const double saved = hooks.savedFlops(0).value_or(0) / (done + hooks.savedFlops(0).value_or(0));
            row.saved += saved;
            row.savedWork += saved / steps;
            ++row.evaluations;
        }
        if (m_whole.empty()) m_whole = estimates;
        for (std::size_t k = 0; k < estimates.size(); ++k) row.rms += rmsBetween(estimates[k], m_whole[k]) / steps;
        row.psnr = 20 * std::log10(2 / rmsBetween(estimates.back(), m_whole.back()));
    }

private:
    nn::NoiseShare level(int k) const {
        const double angle = 0.45 * std::numbers::pi * double(m_options.steps - k) / m_options.steps;
        return {std::cos(angle), std::sin(angle)};
    }
    Tensor random(Shape s, std::uint64_t seed) const {
        const Tensor t(*m_backend, s);
        const kernels::NoiseAddress at[] = {{.seed = seed}};
        m_backend->normal(at, t);
        return t;
    }
    static double rmsBetween(const HostTensor& a, const HostTensor& b) {
        double sum = 0;
        for (std::int64_t i = 0; i < a.count(); ++i) sum += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
        return std::sqrt(sum / double(a.count()));
    }

    const ReuseOptions& m_options;
    std::unique_ptr<Backend> m_backend;
    std::unique_ptr<UNet> m_network;
    ModelInfo m_info;
    Tensor m_start;
    Conditions m_text;
    std::vector<HostTensor> m_whole;  // x̂0 of the run that reuses nothing
};

void fullWidth(const ReuseOptions& o) {
    FullWidth network(o);
    std::vector<Row> rows;
    for (const Setting& s : settings(true)) {
        rows.push_back({.name = s.name});
        network.run(s, rows.back());
        if (interruptedBy() != 0) return;
    }
    print("Stable Diffusion 1.5 U-Net, 64 × 64, random weights, " + o.precision + ", " + std::to_string(o.steps)
              + " evaluations",
          rows, o);
}

}  // namespace

int benchReuse(const ReuseOptions& o) {
    if (!o.isJson)
        std::printf(
            "# Reuse inside the network\n\n"
            "Written by `meander-run bench reuse` on %s. Each rule of the group \"Inside the network\" that takes what "
            "was\n"
            "computed for something else, against the run of the same recipe and seed that computes everything: the "
            "time\n"
            "that its network calls took less, how many evaluations' worth of work was not done and which share of it "
            "(by\n"
            "the operations of products, convolutions and attentions), and what came out otherwise: the RMS of x̂0, "
            "mean\n"
            "over the steps, the PSNR of the last state against the whole run, and the share of sprites that show what "
            "the\n"
            "prompt says. Runs go one by one. In the window the same error is a curve over the steps (panel Step).\n",
            openBackend(o.device)->description().c_str());
    sprites("builtin:sprites-unet", o);
    sprites("builtin:sprites-dit", o);
    if (!o.isSpritesOnly && interruptedBy() == 0) fullWidth(o);
    return interruptedBy() == 0 ? 0 : 1;
}

}  // namespace meander::cli
