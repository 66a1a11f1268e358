// meander-run bench: speed and peak memory of networks with random weights, of the bare library below them, and of the
// sprites.
#include <chrono>
#include <cstdio>
#include <iostream>

#include "engine/cli/batch.h"
#include "engine/cli/bench_load.h"
#include "engine/cli/bench_matrix.h"
#include "engine/cli/bench_reuse.h"
#include "engine/cli/device_choice.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/recipe_input.h"
#include "engine/models/architectures/dit.h"
#include "engine/models/architectures/unet.h"
#include "kernels/verify/library_baseline.h"

namespace meander::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string what, network = "sd15", device = "auto", precision = "f32";
    int rows = 1, repeats = 3, steps = 20;
    bool isJson = false, isOnDemand = false;
    MatrixOptions matrix;
    std::vector<std::string> samplers;
    ReuseOptions reuse;
};

double secondsSince(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

Tensor filled(Backend& backend, Shape shape, double value) {
    Tensor t(backend, shape);
    backend.fill(t, value);
    return t;
}

// A network with random weights, ready to be called with any number of rows.
std::function<void()> networkCall(const Options& o, Backend& backend) {
    const DType type = o.precision == "bf16" ? DType::BF16 : DType::F32;
    const std::vector<double> times(std::size_t(o.rows), 500.0);
    if (o.network == "dit-xl2") {
        const DiTConfig config = ditXl2Config();
        const std::shared_ptr<DiT> net = makeRandomDiT(config, backend, type);
        const Tensor x = filled(
            backend, {o.rows, config.gridHeight * config.patch, config.gridWidth * config.patch, config.channels}, 0.1);
        return [net, x, times, classes = std::vector<int>(std::size_t(o.rows), 1)] { net->forward(x, times, classes); };
    }
    if (o.network != "sd15") noSuch("network", o.network, {"sd15", "dit-xl2"});
    const UNetConfig config = sd15UNetConfig();
    const std::shared_ptr<UNet> net = makeRandomUNet(config, backend, type);
    const Tensor one = net->prepare({{{condition::context, filled(backend, {1, 77, config.crossAttentionWidth}, 0.1)}}})
                           .at(condition::context);
    const std::vector<Tensor> copies(std::size_t(o.rows), one);
    const Tensor text = stackRows(copies);
    const Tensor x = filled(backend, {o.rows, config.sampleHeight, config.sampleWidth, config.inChannels}, 0.1);
    return [net, x, times, text] { net->forward({x, times, {{{condition::context, text}}}, nn::Hooks()}); };
}

double medianSeconds(Backend& backend, const std::function<void()>& call, int repeats) {
    std::vector<double> seconds;
    for (int i = 0; i < repeats; ++i) {
        const auto start = Clock::now();
        call();
        backend.synchronize();
        seconds.push_back(secondsSince(start));
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
}

// Warm, then one call for every line that comes in, answered by its seconds: to be measured in turn with others.
int callOnDemand(const Options& o, Backend& backend, const std::function<void()>& call) {
    medianSeconds(backend, call, 2);
    printLine({{"ready", "Meander, " + o.precision + ", " + backend.description()}});
    for (std::string line; std::getline(std::cin, line);) printLine({{"seconds", medianSeconds(backend, call, 1)}});
    return 0;
}

int benchNetwork(const Options& o, bool withFloor) {
    const auto backend = openBackend(o.device);
    const auto call = networkCall(o, *backend);
    if (o.isOnDemand) return callOnDemand(o, *backend, call);
    kernels::Trace trace;
    backend->setTrace(&trace);
    call();  // also warms up
    backend->synchronize();
    backend->setTrace(nullptr);
    backend->resetPeak();
    const double seconds = medianSeconds(*backend, call, o.repeats);
    const auto memory = backend->memoryUse();
    double flops = 0;
    for (const auto& op : trace) flops += op.flops;
    Json j = {{"network", o.network},      {"device", backend->description()},
              {"precision", o.precision},  {"rows", o.rows},
              {"seconds", seconds},        {"gflops", flops / 1e9 / seconds},
              {"peak_bytes", memory.peak}, {"process_peak_bytes", peakProcessBytes()}};
    if (withFloor) {
        const auto floor = kernels::measureBaseline(trace, o.precision == "bf16" ? DType::BF16 : DType::F32, o.repeats);
        j["floor_seconds"] = floor.totalMilliseconds() / 1e3;
        j["over_floor"] = seconds * 1e3 / floor.totalMilliseconds();
        if (!o.isJson)
            for (const auto& l : floor.lines)
                std::printf("%4d ×  %9.3f ms  %8.1f GFLOP  %s\n", l.count, l.milliseconds, l.op.flops * 1e-9,
                            l.implementation.c_str());
    }
    if (o.isJson) {
        printLine(j);
        return 0;
    }
    std::printf("%s, %d row(s), %s, %s: %s a call, %.0f GFLOP/s, peak %s on the device, %s of the process\n",
                o.network.c_str(), o.rows, o.precision.c_str(), backend->description().c_str(),
                secondsText(seconds).c_str(), flops / 1e9 / seconds, bytesText(double(memory.peak)).c_str(),
                bytesText(peakProcessBytes()).c_str());
    if (withFloor)
        std::printf("The library alone needs %s: the engine takes %.2f times that.\n",
                    secondsText(double(j["floor_seconds"])).c_str(), double(j["over_floor"]));
    return 0;
}

int benchSprites(const Options& o) {
    for (const auto level : {AttentionLevel::Off, AttentionLevel::Full})
        for (const int images : {1, 16}) {
            Recipe r = sampleRecipe();
            r.images = images;
            r.steps = o.steps;
            r.attention = level;
            const Plan p = valueOrThrow(plan(r));
            std::vector<double> seconds;
            std::size_t peak = 0;
            std::string device;
            for (int i = 0; i < o.repeats; ++i) {
                const auto result = runBatch({p}, {o.device, false, true});
                if (interruptedBy() != 0 || result.runs.empty()) return 1;  // a cancelled run has no figure
                device = result.device;
                seconds.push_back(result.runs.front()->seconds);
                peak = std::max(peak, result.runs.front()->peakBytes);
            }
            std::sort(seconds.begin(), seconds.end());
            const double median = seconds[seconds.size() / 2];
            if (o.isJson)
                printLine({{"images", images},
                           {"steps", o.steps},
                           {"attention", nameOf(level)},
                           {"seconds", median},
                           {"evaluations", p.evaluations},
                           {"peak_bytes", peak},
                           {"device", device}});
            else
                std::printf("%2d image(s), %d steps, attention %-4s: %s, %s an image, peak %s, %s\n", images, o.steps,
                            nameOf(level), secondsText(median).c_str(), secondsText(median / images).c_str(),
                            bytesText(double(peak)).c_str(), device.c_str());
        }
    return 0;
}

int bench(const Options& o) {
    if ((o.what == "convergence" || o.what == "stability") && o.device != "auto" && o.device != "cpu")
        throw WrongArgument("bench " + o.what + " computes on the CPU in double precision. Leave --device out.");
    if (o.what == "model") return benchNetwork(o, false);
    if (o.what == "floor") return benchNetwork(o, true);
    if (o.what == "load") return benchLoad({o.matrix.model, o.device, o.precision, o.repeats, o.isJson});
    if (o.what == "sprites") return benchSprites(o);
    if (o.what == "convergence") return benchConvergence(o.isJson);
    if (o.what == "matrix") {
        MatrixOptions m = o.matrix;
        if (!o.samplers.empty()) m.samplers = o.samplers;
        m.isJson = o.isJson;
        if (o.device != "auto") m.device = o.device;  // by itself the CPU: exact models compute in double precision
        return benchMatrix(m);
    }
    if (o.what == "reuse") {
        ReuseOptions r = o.reuse;
        r.device = o.device;
        r.precision = o.precision;
        r.steps = o.steps;
        r.isJson = o.isJson;
        return benchReuse(r);
    }
    if (o.what == "stability") return benchStability(o.samplers, o.isJson);
    throw WrongArgument(
        "There is nothing to measure named \"" + o.what + "\"."
        + didYouMean(o.what, {"model", "floor", "load", "sprites", "convergence", "matrix", "stability", "reuse"}));
}

}  // namespace

void addBench(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("bench", "Measure speed and peak memory: a network with random weights, the library "
                                          "below it, the sprites; or what the samplers are worth");
    c->add_option(
         "what", o->what,
         "model, floor (model against the bare library), load (a model from its files), sprites, convergence "
         "(measured orders), matrix (samplers × schedules), stability, or reuse (what reuse inside the network "
         "saves and costs)")
        ->required();
    c->add_option("--network", o->network, "sd15 or dit-xl2")->capture_default_str();
    c->add_option("--rows", o->rows, "Rows of the network call")->capture_default_str()->check(CLI::Range(1, 256));
    c->add_option("--precision", o->precision, "f32 or bf16")
        ->capture_default_str()
        ->check(CLI::IsMember({"f32", "bf16"}));
    c->add_option("--repeats", o->repeats, "The median of so many")->capture_default_str()->check(CLI::Range(1, 1000));
    c->add_option("--model", o->matrix.model, "Model of the matrix, or to load")->capture_default_str();
    c->add_option("--samplers", o->samplers, "Samplers of the matrix or of stability, separated by commas")
        ->delimiter(',');
    c->add_option("--schedules", o->matrix.schedules, "Schedules of the matrix, separated by commas")->delimiter(',');
    c->add_option("--budgets", o->matrix.budgets, "Evaluations a cell may use, separated by commas")
        ->delimiter(',')
        ->check(CLI::Range(1, 100000));
    c->add_option("--particles", o->matrix.particles, "Particles of the matrix")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    c->add_option("--steps", o->steps, "Steps of the sprites and of reuse")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    c->add_option("--prompts", o->reuse.prompts, "Prompts of reuse")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    c->add_flag("--sprites-only", o->reuse.isSpritesOnly, "Reuse without the network of full width");
    addDevice(*c, o->device);
    c->add_flag("--json", o->isJson, "As JSON, one measurement a line");
    c->add_flag("--on-demand", o->isOnDemand,
                "Of model: one call for every line of the standard input, answered by its seconds");
    c->callback([o, &context] { context.chosen = [o] { return bench(*o); }; });
}

}  // namespace meander::cli
