// The table of exact models: one function and one line each.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/models/analytic/analytic_model.h"
#include "engine/models/analytic/exact_jump.h"
#include "engine/models/analytic/manifold_model.h"
#include "engine/models/analytic/point_file.h"
#include "engine/models/checkpoint.h"

namespace meander {
namespace {

struct Kind {
    const char *name, *label, *summary;
    Mixture (*make)(ModelId& id, ModelInfo& info);
    int particles;
};

constexpr double largest = 1e6;

Mixture twoDeltas(ModelId& id, ModelInfo& info) {
    const double distance = id.takeNumber("at", 1, 1e-6, largest), width = id.takeNumber("width", 0, 0, largest),
                 left = id.takeNumber("left", 0.5, 1e-6, 1 - 1e-6);
    info.state.shape = {1};
    return {1, {-distance, distance}, {width * width, width * width}, {left, 1 - left}};
}

// eigenvalues=0.25 (isotropic), eigenvalues=1,0.1 or eigenvalues=powerlaw: λ_i ∝ i^(−exponent), scaled to a mean of
// sigma_data².
std::vector<double> eigenvaluesOf(ModelId& id, int d, const std::vector<double>& fallback) {
    if (id.parameters.contains("eigenvalues") && id.parameters.at("eigenvalues") == "powerlaw") {
        id.takeText("eigenvalues", "");
        const double exponent = id.takeNumber("exponent", 1, 0, 8),
                     stddev = id.takeNumber("sigma_data", 0.5, 1e-6, largest);
        std::vector<double> values(static_cast<std::size_t>(d));
        double sum = 0;
        for (int i = 0; i < d; ++i) sum += values[i] = std::pow(i + 1.0, -exponent);
        for (double& v : values) v *= stddev * stddev * d / sum;
        return values;
    }
    std::vector<double> values = id.takeNumbers("eigenvalues").value_or(fallback);
    if (values.size() == 1) values.assign(static_cast<std::size_t>(d), values[0]);
    if (values.size() != std::size_t(d))
        throw Failure("The model '" + id.text + "' needs one eigenvalue, or one for each of its " + std::to_string(d)
                      + " dimensions.");
    for (double v : values)
        if (v < 0 || v > largest) throw Failure("The model '" + id.text + "' needs eigenvalues from 0 to 1000000.");
    return values;
}

Mixture gaussianWith(ModelId& id, ModelInfo& info, int dimensions, const std::vector<double>& mean,
                     const std::vector<double>& eigenvalues) {
    const int d = int(id.takeNumber("d", dimensions, 1, 65536));
    std::vector<double> means = id.takeNumbers("mean").value_or(mean);
    if (means.size() == 1) means.assign(std::size_t(d), means[0]);
    if (means.size() != std::size_t(d))
        throw Failure("The model '" + id.text + "' needs one mean, or one for each of its " + std::to_string(d)
                      + " dimensions.");
    info.state.shape = {d};
    return {d, std::move(means), eigenvaluesOf(id, d, eigenvalues)};
}

Mixture gaussian(ModelId& id, ModelInfo& info) { return gaussianWith(id, info, 1, {0.0}, {0.25}); }
Mixture gaussian2(ModelId& id, ModelInfo& info) { return gaussianWith(id, info, 2, {0.5, -0.25}, {1.0, 0.09}); }

Mixture ring(ModelId& id, ModelInfo& info) {
    const int n = int(id.takeNumber("modes", 8, 1, 64));
    const double radius = id.takeNumber("radius", 1, 0, largest), width = id.takeNumber("width", 0.08, 0, largest);
    std::vector<double> means;
    for (int k = 0; k < n; ++k) {
        const double angle = 2 * std::numbers::pi * k / n;
        means.insert(means.end(), {radius * std::cos(angle), radius * std::sin(angle)});
    }
    info.state.shape = {2};
    return {2, std::move(means), std::vector<double>(std::size_t(n), width * width)};
}

// Two interlocked arcs of Gaussians, one per class; wide enough that guidance has something to sharpen.
Mixture twoClasses(ModelId& id, ModelInfo& info) {
    const int n = int(id.takeNumber("modes", 5, 1, 32));
    const double width = id.takeNumber("width", 0.18, 0, largest),
                 distance = id.takeNumber("distance", 0.35, 0, largest);
    std::vector<double> means;
    std::vector<int> classes;
    for (int c = 0; c < 2; ++c) {
        for (int k = 0; k < n; ++k) {
            const double angle = std::numbers::pi * (n == 1 ? 0.5 : double(k) / (n - 1)), side = c == 0 ? 1 : -1;
            means.insert(means.end(), {std::cos(angle) * side - 0.5 * side * distance,
                                       std::sin(angle) * side - 0.5 * side * distance});
            classes.push_back(c);
        }
    }
    info.state.shape = {2};
    info.classes = {"upper arc", "lower arc"};
    return {2, std::move(means), std::vector<double>(classes.size(), width * width), {}, std::move(classes)};
}

Mixture points(ModelId& id, ModelInfo& info) {
    const std::string path = id.takeText("file", "");
    if (path.empty())
        throw Failure("The model 'analytic:points' needs a file of points: write "
                      "analytic:points?file=/path/to/points.csv, or name a folder of PNG images.");
    auto set = readPoints(path);
    if (!set) throw Failure(set.error().text);
    const double width = id.takeNumber("width", 0, 0, largest);
    const std::int64_t n = set->points();
    info.state.shape = Shape(set->shape);
    const std::int64_t d = info.state.shape.count();
    if (set->shape.size() == 3 && set->shape[2] == 3) {
        info.state.kind = StateKind::Image;
        info.state.image = info.state.shape;
    }
    for (int label : set->labels)
        while (int(info.classes.size()) <= label)
            info.classes.push_back("class " + std::to_string(info.classes.size()));
    info.name = "Points of " + path.substr(path.find_last_of("/\\") + 1);
    return {
        int(d), std::move(set->values), std::vector<double>(std::size_t(n), width * width), {}, std::move(set->labels)};
}

const Kind kinds[] = {
    {"ring8", "Ring of eight", "Eight small Gaussians on a circle: many modes, known exactly.", ring, 512},
    {"two-classes", "Two classes",
     "Two overlapping arcs of Gaussians with a class each: shows what guidance does, known exactly.", twoClasses, 512},
    {"gaussian2", "Gaussian in the plane",
     "One stretched Gaussian off the origin: the whole flow is known in closed form.", gaussian2, 512},
    {"gaussian", "Gaussian", "One Gaussian of any dimension (d, mean, eigenvalues): for orders of convergence.",
     gaussian, 512},
    {"two-deltas", "Two points on a line",
     "Two point masses at −1 and 1: the smallest distribution whose paths must choose.", twoDeltas, 256},
    {"points", "Your own points",
     "The empirical distribution of a CSV, JSON or NPY file or of a folder of images, denoised exactly.", points, 64},
};

// distilled=consistency, trajectory, shortcut, phased, scm or reflow: what a perfect student of this Gaussian answers.
Distillation distillationFor(ModelId& id, const Mixture& mixture) {
    const std::string key = id.takeText("distilled", "none");
    const auto d = distillationOf(key);
    if (!d || (*d != Distillation::None && !hasExactJump(*d)))
        throw Failure("The model '" + id.text + "' cannot be distilled as '" + key
                      + "'. Choose consistency, trajectory, shortcut, phased, scm or reflow.");
    if (*d != Distillation::None && mixture.components() != 1)
        throw Failure("Only a single Gaussian has a flow in closed form, so only analytic:gaussian and "
                      "analytic:gaussian2 can be distilled exactly.");
    return *d;
}

Json recommendedFor(const ModelInfo& info, int particles) {
    const bool flow = info.process.kind() == ProcessKind::RectifiedFlow;
    const CheckpointRule& rule = checkpointRule(info.distillation);
    Json r = Json::object();
    r["sampler"] = {{"id", *rule.sampler ? rule.sampler : "heun"}};
    r["schedule"] = {{"id", flow ? "uniform_t" : "karras"}};
    r["steps"] = info.distillation == Distillation::None ? 20 : 2;
    r["images"] = particles;
    if (!info.classes.empty()) {
        r["class"] = 0;
        r["guidance"] = Json::array({{{"id", "cfg"}, {"params", {{"scale", 2.0}}}}});
    }
    return r;
}

}  // namespace

std::vector<CatalogEntry> analyticModels() {
    std::vector<CatalogEntry> entries;
    for (const auto& k : kinds)
        if (std::string(k.name) != "points") entries.push_back({std::string("analytic:") + k.name, k.label, k.summary});
    return entries;
}

std::unique_ptr<AnalyticModel> makeAnalyticModel(ModelId id) {
    const auto* kind =
        std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return id.name == k.name; });
    if (kind == std::end(kinds)) {
        std::string names;
        for (const auto& k : kinds) names.append(names.empty() ? "" : ", ").append(k.name);
        for (const auto& m : manifoldModels()) names.append(", ").append(m.id.substr(m.id.find(':') + 1));
        throw Failure("There is no exact model '" + id.name + "'. Choose one of: " + names + ".");
    }
    ModelInfo info;
    info.id = id.text;
    info.name = kind->label;
    info.summary = kind->summary;
    info.family = "exact mixture";
    info.state.kind = StateKind::Points;
    info.process = id.takeProcess("edm");
    Mixture mixture = kind->make(id, info);
    info.distillation = distillationFor(id, mixture);
    id.finish();
    info.recommended = recommendedFor(info, kind->particles);
    return std::make_unique<AnalyticModel>(std::move(info), std::move(mixture));
}

}  // namespace meander
