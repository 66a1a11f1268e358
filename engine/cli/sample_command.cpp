// meander-run sample: any sampler on a Gaussian whose denoiser is known in closed form, so that anyone can check a row
// of numbers without a network.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "engine/cli/command.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/solve.h"
#include "engine/schedule/schedule.h"

namespace meander::cli {
namespace {

constexpr std::int64_t mostElements = std::int64_t(1) << 24;  // 128 MB a state in double precision

struct Options {
    std::string sampler, schedule = "karras", process = "ve", start = "cos:0.37", noise = "philox", precision = "f64",
                         betas = "scaled_linear";
    std::vector<std::string> params, scheduleParams, noiseParams;
    std::vector<double> levels;
    std::vector<std::int64_t> shape = {1, 4, 8, 8};
    int steps = 10, trainingSteps = 1000, values = 3;
    double sigmaMin = 0.0291675, sigmaMax = 14.614642, betaStart = 0.00085, betaEnd = 0.012;
    GaussianPair pair{{0.25, 0.5}, {-0.1, 0.6}, 1};
    std::uint64_t seed = 0;
    bool isJson = false, isAll = false, showsLevels = false;
};

Process processOf(const Options& o) {
    if (o.process == "flow") return Process::rectifiedFlow();
    if (o.process == "ve") return Process::varianceExploding(o.sigmaMin, o.sigmaMax);
    if (o.betas == "linear") return Process::vpLinear(o.trainingSteps, o.betaStart, o.betaEnd);
    return o.betas == "cosine" ? Process::vpCosine(o.trainingSteps)
                               : Process::vpScaledLinear(o.trainingSteps, o.betaStart, o.betaEnd);
}

// Rows of a table by id, with the nearest in the sentence when there is none.
template <class Info> const Info& chosen(const std::vector<Info>& table, const std::string& id, const char* what) {
    for (const auto& row : table)
        if (row.id == id) return row;
    noSuch(what, id, idsOf(table));
}

ParamHint hintOf(const auto&) { return nullptr; }
ParamHint hintOf(const SamplerInfo& info) { return paramHint(info); }

template <class Info> Params readParams(const std::vector<std::string>& assignments, const Info& info) try {
    Params p;
    for (const auto& a : assignments) {
        const auto equals = a.find('=');
        if (equals == std::string::npos)
            throw Failure("A parameter is given as KEY=VALUE; \"" + a + "\" has no such form.");
        std::vector<std::string> keys;
        const ParamSpec* spec = nullptr;
        for (const auto& s : info.params) {
            keys.push_back(s.key);
            if (s.key == a.substr(0, equals)) spec = &s;
        }
        if (!spec)
            throw Failure(unknownParam(info.params, a.substr(0, equals), info.label, hintOf(info)).text
                          + didYouMean(a.substr(0, equals), keys));
        p[spec->key] = valueOrThrow(parseParam(*spec, a.substr(equals + 1)));
    }
    return p;
} catch (const Failure& e) {
    throw WrongArgument(e.what());
}

std::vector<double> levelsOf(const Options& o, const Process& process) {
    if (!o.levels.empty()) return o.levels;
    const Params params = readParams(o.scheduleParams, chosen(schedules(), o.schedule, "schedule"));
    return valueOrThrow(makeSchedule(o.schedule, process, stepsOf({o.schedule, params}, o.steps).steps, params));
}

// The levels that a sampler chooses itself (its times, angles, segments) in place of the schedule's.
std::vector<double> visited(const Options& o, const SamplerInfo& info, const Process& process, const Params& params) {
    const std::vector<double> levels = levelsOf(o, process);
    if (levels.size() < 2) throw WrongArgument("At least two levels are needed.");
    if (!info.ownLevels) return levels;
    const auto own = info.ownLevels(process, levels, valueOrThrow(resolveParams(info, params)));
    if (!o.levels.empty() && own != levels)
        throw WrongArgument(info.label
                            + " visits levels of its own between the first and the last. Leave --levels out, or give "
                              "its parameters with --param.");
    return own;
}

// "cos:RATE" scale · cos(RATE k), "constant:VALUE" the value as it is, "noise" scale · the first noise of the source;
// the scale is that of the first level.
Tensor startOf(const Options& o, Backend& backend, double scale, NoiseSource& noise, DType type) {
    const auto colon = o.start.find(':');
    const std::string kind = o.start.substr(0, colon);
    double number = 0.37;
    if (colon != std::string::npos) {
        const auto [end, error] = std::from_chars(o.start.data() + colon + 1, o.start.data() + o.start.size(), number);
        if (error != std::errc() || end != o.start.data() + o.start.size() || !(std::abs(number) <= 1e6))
            throw WrongArgument("A start is cos:RATE, constant:VALUE or noise; \"" + o.start.substr(colon + 1)
                                + "\" is not a number from -1e6 to 1e6.");
    }
    if (kind == "noise") return combine({{scale, noise.initial()}});
    if (kind != "cos" && kind != "constant")
        throw WrongArgument("A start is cos:RATE, constant:VALUE or noise; \"" + o.start + "\" is none of them.");
    const Shape shape(o.shape);
    std::vector<double> values(std::size_t(shape.count()));
    for (std::size_t k = 0; k < values.size(); ++k)
        values[k] = kind == "cos" ? scale * std::cos(number * double(k)) : number;
    return upload(backend, HostTensor::fromDoubles(shape, values)).converted(type);
}

std::unique_ptr<NoiseSource> noiseOf(const Options& o, Backend& backend, const std::vector<double>& levels,
                                     DType type) {
    NoiseContext c{backend, Shape(o.shape), type};
    c.seed = o.seed;
    std::tie(c.tauMin, c.tauMax) = levelRange(levels);
    c.rising = levels.back() > levels.front();
    return makeNoise({o.noise, readParams(o.noiseParams, chosen(noiseSources(), o.noise, "noise source"))}, c);
}

void print(const Options& o, const Solution& s) {
    const auto x = s.values();
    double sum = 0;
    for (double v : x) sum += std::abs(v);
    if (!std::isfinite(sum))
        throw Failure("The result is not finite: these levels, parameters or this guidance let it grow without bound. "
                      "Choose milder ones.");
    const std::size_t shown = o.isAll ? x.size() : std::min(x.size(), std::size_t(o.values));
    if (o.isJson) {
        Json j = {{"sampler", o.sampler},
                  {"n", x.size()},
                  {"evaluations", s.requests},
                  {"sum_abs", sum},
                  {"mean_abs", sum / double(x.size())},
                  {"values", std::vector<double>(x.begin(), x.begin() + long(shown))},
                  {"last", x.back()}};
        if (o.showsLevels) j["levels"] = s.levels;
        printLine(j);
        return;
    }
    std::ostringstream line;
    line.precision(9);
    if (o.showsLevels) {
        line << "levels";
        for (double l : s.levels) line << ' ' << l;
        line << '\n';
    }
    line << "sampler " << o.sampler << "  n " << x.size() << "  evaluations " << s.requests << "\nsum|x| " << sum
         << "  mean|x| " << sum / double(x.size()) << '\n';
    for (std::size_t i = 0; i < shown; ++i) line << "x[" << i << "] " << x[i] << (i + 1 < shown ? "  " : "\n");
    line << "x[" << x.size() - 1 << "] " << x.back() << '\n';
    std::cout << line.str();
}

void check(const Options& o, const SamplerInfo& info) {
    std::int64_t left = mostElements;
    for (auto e : o.shape)
        if (e < 1 || (left /= e) < 1)
            throw WrongArgument("--shape needs extents of at least 1 and may have up to " + std::to_string(mostElements)
                                + " elements in all.");
    if (o.shape.size() > std::size_t(Shape::maxRank))
        throw WrongArgument("--shape may have up to " + std::to_string(Shape::maxRank) + " extents.");
    for (std::size_t k = 1; k < o.levels.size(); ++k)
        if (info.inverts ? o.levels[k] <= o.levels[k - 1] : o.levels[k] >= o.levels[k - 1])
            throw WrongArgument(info.inverts
                                    ? "--levels must rise for a sampler that goes from data to noise: 0.1,1,5,14.6."
                                    : "--levels must fall, the noisiest first: 14.6,5,1,0.");
    if (o.process == "flow" && !o.levels.empty() && std::max(o.levels.front(), o.levels.back()) > 1)
        throw WrongArgument("--levels of a flow are times t of at most 1: 1,0.75,0.5,0.25,0.");
    if (o.sigmaMin >= o.sigmaMax) throw WrongArgument("--sigma-min must lie below --sigma-max.");
    if (o.betaStart > o.betaEnd) throw WrongArgument("--beta-start must not lie above --beta-end.");
}

int sample(const Options& o) {
    const SamplerInfo& info = chosen(samplers(), o.sampler, "sampler");
    check(o, info);
    const auto backend = kernels::createCpuBackend();
    const Process process = processOf(o);
    const DType type = o.precision == "f32" ? DType::F32 : DType::F64;
    const Params params = readParams(o.params, info);
    const std::vector<double> levels = visited(o, info, process, params);
    const auto noise = noiseOf(o, *backend, levels, type);
    const bool isGuided = o.pair.scale != 1 || info.unconditional;
    const Estimator estimator =
        isGuided ? gaussianEstimator(process, o.pair) : gaussianEstimator(process, o.pair.conditional);
    const Tensor start = startOf(o, *backend, levels.front(), *noise, type);
    print(o, solve(info, process, levels, start, params, estimator,
                   [&](const NoiseRequest& q, const Tensor& like) { return noise->step(q).converted(like.type()); }));
    return 0;
}

}  // namespace

void addSample(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand(
        "sample", "Run a sampler on a Gaussian with its exact denoiser and print the result with nine digits");
    c->add_option("--sampler", o->sampler, "A sampler of `meander-run list samplers`")->required();
    c->add_option("--param", o->params, "Its parameters (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    c->add_option("--process", o->process, "ve, vp or flow")
        ->capture_default_str()
        ->check(CLI::IsMember({"ve", "vp", "flow"}));
    c->add_option("--schedule", o->schedule, "A schedule of `meander-run list schedules`")->capture_default_str();
    c->add_option("--schedule-param", o->scheduleParams, "Its parameters (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    c->add_option("--steps", o->steps, "Steps of the schedule")->capture_default_str()->check(CLI::Range(1, 10000));
    c->add_option("--levels", o->levels, "Noise levels instead of a schedule, noisiest first: 14.6,5,1,0")
        ->delimiter(',')
        ->check(finiteIn(0, 1e6));
    c->add_option("--sigma-min", o->sigmaMin, "Lowest level of ve above 0")
        ->capture_default_str()
        ->check(finiteIn(1e-9, 1e6));
    c->add_option("--sigma-max", o->sigmaMax, "Highest level of ve")->capture_default_str()->check(finiteIn(1e-9, 1e6));
    c->add_option("--betas", o->betas, "Of vp: linear, scaled_linear or cosine")
        ->capture_default_str()
        ->check(CLI::IsMember({"linear", "scaled_linear", "cosine"}));
    c->add_option("--beta-start", o->betaStart, "First β of vp")->capture_default_str()->check(finiteIn(1e-9, 0.999));
    c->add_option("--beta-end", o->betaEnd, "Last β of vp")->capture_default_str()->check(finiteIn(1e-9, 0.999));
    c->add_option("--training-steps", o->trainingSteps, "Training steps of vp")
        ->capture_default_str()
        ->check(CLI::Range(2, 100000));
    c->add_option("--shape", o->shape, "Extents of the state")->capture_default_str()->delimiter(',');
    c->add_option("--start", o->start,
                  "cos:RATE (scale · cos(RATE k)), constant:VALUE or noise; the scale is the first level")
        ->capture_default_str();
    c->add_option("--mean", o->pair.conditional.mean, "Mean of every element")
        ->capture_default_str()
        ->check(finiteIn(-1e6, 1e6));
    c->add_option("--deviation", o->pair.conditional.stddev, "Standard deviation of every element")
        ->capture_default_str()
        ->check(finiteIn(0, 1e6));
    c->add_option("--guidance", o->pair.scale, "Scale of classifier-free guidance against the second Gaussian")
        ->capture_default_str()
        ->check(finiteIn(-1000, 1000));
    c->add_option("--unconditional-mean", o->pair.unconditional.mean, "Mean without the condition")
        ->capture_default_str()
        ->check(finiteIn(-1e6, 1e6));
    c->add_option("--unconditional-deviation", o->pair.unconditional.stddev, "Standard deviation without the condition")
        ->capture_default_str()
        ->check(finiteIn(0, 1e6));
    c->add_option("--seed", o->seed, "Seed of the noise")->capture_default_str()->check(seedNumber());
    c->add_option("--noise", o->noise,
                  "A source of `meander-run list noise`: philox (as in runs), torch_cpu (torch.randn on the CPU), "
                  "brownian (k-diffusion's Brownian tree) ...")
        ->capture_default_str();
    c->add_option("--noise-param", o->noiseParams, "Its parameters (may be repeated)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    c->add_option("--precision", o->precision, "f32 or f64")
        ->capture_default_str()
        ->check(CLI::IsMember({"f32", "f64"}));
    c->add_option("--values", o->values, "How many first values are shown")
        ->capture_default_str()
        ->check(CLI::Range(0, 100000));
    c->add_flag("--all", o->isAll, "Show every value");
    c->add_flag("--show-levels", o->showsLevels, "Show the levels that were visited");
    c->add_flag("--json", o->isJson, "As one JSON object");
    c->callback([o, &context] { context.chosen = [o] { return sample(*o); }; });
    c->footer(
        "Rows of golden numbers (ComfyUI on this Gaussian; a random sampler with seed 0, CFG++ at guidance 1.5):\n"
        "  meander-run sample --sampler dpmpp_2m\n"
        "  meander-run sample --sampler euler_ancestral_cfg_pp --noise torch_cpu --guidance 1.5\n"
        "  meander-run sample --sampler dpmpp_2m_sde --noise brownian --schedule-param dialect=single\n"
        "  meander-run sample --sampler dpmpp_2m --process flow --schedule flow_shift --schedule-param shift=3\n"
        "  meander-run sample --sampler dpm_adaptive --precision f32     (its steps depend on the rounding)\n"
        "ve is without training steps; a sampler that asks for shares of the training time (sa_solver) needs a model "
        "that has them:\n"
        "  meander-run sample --sampler sa_solver --noise torch_cpu --process vp --schedule-param max=14.614642 "
        "--schedule-param min=0.0291675");
}

}  // namespace meander::cli
