// meander-run likelihood: log-likelihood of data under a model by the probability-flow ODE, beside the closed form
// where the model has one.
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <numbers>

#include "engine/analysis/convergence_lab.h"
#include "engine/analysis/likelihood.h"
#include "engine/cli/command.h"
#include "engine/core/printable.h"
#include "engine/models/analytic/point_file.h"
#include "engine/models/checkpoint.h"

namespace meander::cli {

namespace {

struct Options {
    std::string model, file, prompt;
    std::optional<int> classIndex;
    int points = 8;
    bool isJson = false;
    LikelihoodOptions how;
};

HostTensor dataOf(const Options& o, const Model& model, const Prompt& prompt) {
    const ModelInfo& info = model.info();
    if (o.file.empty()) {
        HostTensor drawn = model.drawData(o.points, o.how.seed, prompt);
        if (!drawn)
            throw Failure(
                info.name
                + " does not know its data by heart. Give a file of points or a folder of images with --data.");
        return drawn;
    }
    const PointSet set = valueOrThrow(readPoints(o.file));
    std::vector<std::int64_t> extents{set.points()};
    extents.insert(extents.end(), set.shape.begin(), set.shape.end());
    const HostTensor values = HostTensor::fromDoubles(Shape(extents), set.values);
    if (info.state.kind == StateKind::Image && Shape(set.shape) == info.state.image) {  // images of −1 … 1
        std::vector<float> unit;
        for (double v : set.values) unit.push_back(float(0.5 * v + 0.5));
        return model.encode(HostTensor::fromFloats(Shape(extents), unit));
    }
    if (Shape(set.shape) != info.state.shape)
        throw Failure("The data in '" + o.file + "' are of shape " + Shape(set.shape).text() + ", but " + info.name
                      + " has states of shape " + info.state.shape.text() + ".");
    return values;
}

void check(const Options& o, const ModelInfo& info) {
    requireVelocity(info.distillation, info.name);
    if (!o.prompt.empty() && info.conditioning != ConditioningKind::Text)
        throw WrongArgument(info.name + " takes no prompt. Leave --prompt out.");
    if (o.classIndex && info.conditioning != ConditioningKind::Class)
        throw WrongArgument(info.name + " has no classes. Leave --class out.");
}

int likelihood(const Options& o) {
    const auto backend = kernels::createCpuBackend();
    const auto model = valueOrThrow(loadModel(o.model, *backend));
    const ModelInfo& info = model->info();
    check(o, info);
    const Prompt prompt{o.prompt, o.classIndex, o.prompt.empty() && !o.classIndex};
    const Process& p = info.process;
    const double low = lowestLevel(p, o.how);
    const Tensor y = combine({{p.signal(low), upload(*backend, dataOf(o, *model, prompt)).converted(info.state.type)}});
    const Likelihood found = logLikelihood(p, modelEstimator(*model, prompt), y, o.how);
    const auto exact = info.hasDensity ? model->logDensity(download(combine({{p.nativeScale(low), y}})), low, prompt)
                                       : std::vector<double>{};
    const double perBit = double(info.state.shape.count()) * std::numbers::ln2;
    double sum = 0;
    for (double v : found.logDensity) sum += v / double(found.logDensity.size());
    if (o.isJson) {
        Json j = {{"model", info.id},
                  {"level", low},
                  {"evaluations", found.evaluations},
                  {"log_density", found.logDensity},
                  {"prior", found.prior},
                  {"mean", sum},
                  {"bits_per_dimension", -sum / perBit}};
        if (!exact.empty()) j["closed_form"] = exact;
        printLine(j);
        return 0;
    }
    std::printf("%s at level %s, %d evaluations a point\n%6s  %14s%s\n", printable(info.name).c_str(),
                display(low).c_str(), found.evaluations, "point", "log density",
                exact.empty() ? "" : "     closed form   difference");
    for (std::size_t i = 0; i < found.logDensity.size(); ++i) {
        std::printf("%6zu  %14.6f", i, found.logDensity[i]);
        if (!exact.empty()) std::printf("  %14.6f  %11.2e", exact[i], found.logDensity[i] - exact[i]);
        std::printf("\n");
    }
    std::printf("  mean  %14.6f nats, %.4f bits per dimension\n", sum, -sum / perBit);
    return 0;
}

}  // namespace

void addLikelihood(CLI::App& app, Context& context) {
    auto o = std::make_shared<Options>();
    auto* c = app.add_subcommand("likelihood", "Log-likelihood of data under a model, along its probability flow");
    c->add_option("model", o->model, "A model of `meander-run list models`")->required();
    c->add_option("--data", o->file,
                  "Points (.csv, .json, .npy) or a folder of images; without it the model's own data are drawn");
    c->add_option("--points", o->points, "How many are drawn")->capture_default_str()->check(CLI::Range(1, 100000));
    c->add_option("--prompt", o->prompt, "For models with prompts");
    c->add_option("--class", o->classIndex, "For models with classes");
    c->add_option("--level", o->how.low,
                  "Noise level at which the data are taken to lie (default: the model's lowest)");
    c->add_option("--steps", o->how.steps, "Runge–Kutta steps of order 4")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    c->add_option("--probes", o->how.probes,
                  "Random directions of the trace (Hutchinson); 0: every coordinate, which is exact")
        ->capture_default_str()
        ->check(CLI::Range(0, 100000));
    c->add_option("--difference", o->how.difference,
                  "Half the length of the differences of the estimate, in units of the level (default: 1e-4 in double "
                  "precision, 1e-2 in single)");
    c->add_option("--seed", o->how.seed, "Seed of data and directions")->capture_default_str()->check(seedNumber());
    c->add_flag("--json", o->isJson, "As one JSON object");
    c->callback([o, &context] { context.chosen = [o] { return likelihood(*o); }; });
}

}  // namespace meander::cli
