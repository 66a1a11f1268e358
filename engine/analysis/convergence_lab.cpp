#include "engine/analysis/convergence_lab.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/analysis/student.h"
#include "engine/models/analytic/analytic_model.h"
#include "engine/models/checkpoint.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampler_common.h"
#include "engine/schedule/schedule.h"

namespace meander {

namespace {

using Clock = std::chrono::steady_clock;

NoiseFunction philox(std::uint64_t seed) {
    return [seed](const NoiseRequest& q, const Tensor& like) {
        Tensor z(like.backend(), like.shape(), like.type());
        std::vector<kernels::NoiseAddress> addresses;
        for (std::int64_t i = 0; i < like.rows(); ++i) addresses.push_back({seed, std::uint32_t(i), drawAddress(q), 0});
        like.backend().normal(addresses, z);
        return z;
    };
}

std::vector<double> equalAngles(const Process& p, int steps) {
    const double from = std::atan(p.sigma(p.maximum())), to = std::atan(p.sigma(p.minimum()));
    std::vector<double> levels{p.maximum()};
    for (int k = 1; k <= steps; ++k) levels.push_back(p.tauOfSigma(std::tan(from + (to - from) * k / steps)));
    return levels;
}

}  // namespace

RequestEstimator modelEstimator(Model& model, const Prompt& prompt) {
    const ConditioningPtr conditioning = model.condition(prompt);
    return [&model, conditioning](const DenoiseRequest& q) {
        const ModelInfo& info = model.info();
        const Conversion c = conversionAt(info.process, info.parametrization, q.tau, info.sigmaData);
        const std::size_t rows = std::size_t(q.x.rows());
        NetworkBatch batch;
        batch.x = c.input == 1 ? q.x : combine({{c.input, q.x}});
        batch.times.assign(rows, c.time);
        batch.taus.assign(rows, q.tau);
        batch.targets.assign(rows, q.target);
        batch.conditioning.assign(rows, conditioning);
        const Tensor output = model.predict(batch);
        return DenoiseResult{info.parametrization == Parametrization::X0
                                 ? output
                                 : combine({{c.fromState, q.x}, {c.fromOutput, output}}),
                             {},
                             {}};
    };
}

OrderFit fitOrder(std::span<const double> n, std::span<const double> errors, double confidence) {
    std::vector<double> x, y;
    for (std::size_t i = 0; i < std::min(n.size(), errors.size()); ++i)
        if (n[i] > 0 && errors[i] > 1e-14 && std::isfinite(errors[i])) {
            x.push_back(std::log(n[i]));
            y.push_back(std::log(errors[i]));
        }
    OrderFit fit;
    fit.points = int(x.size());
    if (x.size() < 2) {
        fit.order = fit.low = fit.high = NAN;
        return fit;
    }
    const double count = double(x.size());
    double meanX = 0, meanY = 0, xx = 0, xy = 0, rest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        meanX += x[i] / count;
        meanY += y[i] / count;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - meanX) * (x[i] - meanX);
        xy += (x[i] - meanX) * (y[i] - meanY);
    }
    const double slope = xy / xx;
    for (std::size_t i = 0; i < x.size(); ++i) rest += std::pow(y[i] - meanY - slope * (x[i] - meanX), 2);
    fit.order = -slope;
    fit.factor = std::exp(meanY - slope * meanX);
    double half = 0;
    if (x.size() > 2) {
        const double nu = count - 2;
        half = studentT(confidence, nu) * std::sqrt(rest / nu / xx);
    }
    fit.low = fit.order - half;
    fit.high = fit.order + half;
    return fit;
}

namespace {

LabProblem problemOf(Model& model, Backend& backend, int particles, std::uint64_t seed, RequestEstimator estimator,
                     int referenceSteps) {
    const ModelInfo& info = model.info();
    const Process& p = info.process;
    requireVelocity(info.distillation, info.name);
    if (!p.manifold().isFlat())
        throw Failure("The convergence laboratory compares samplers of flat space; " + info.name + " lives on the "
                      + nameOf(p.manifold().kind()) + ".");
    std::vector<std::int64_t> extents{particles};
    for (auto e : info.state.shape.extents()) extents.push_back(e);
    LabProblem problem{{}, info.name, p, {}, std::move(estimator), {}, {}};
    const Tensor unit = philox(seed)({-1, 4095, 0, 0}, Tensor(backend, Shape(extents), info.state.type));
    problem.start = combine({{p.maximum(), unit}});
    if (const auto* exact = dynamic_cast<const AnalyticModel*>(&model); exact && exact->mixture().components() == 1) {
        problem.truthAt = [exact, p, start = problem.start](double tau) {
            const auto y = download(start).toDoubles();
            const std::size_t d = std::size_t(exact->mixture().dimensions());
            std::vector<double> ends;
            for (std::size_t at = 0; at < y.size(); at += d)
                for (double v : exactFlowMap(exact->mixture(), p, p.maximum(), tau, std::span(y).subspan(at, d)))
                    ends.push_back(v);
            return ends;
        };
        problem.truth = problem.truthAt(0);
        problem.reference = "exact flow";
        return problem;
    }
    problem.truthAt = [p, referenceSteps, start = problem.start, estimator = problem.estimator](double tau) {
        std::vector<double> levels;
        for (const double level : equalAngles(p, referenceSteps))
            if (tau <= p.minimum() || level > tau * (1 + 1e-9)) levels.push_back(level);
        if (tau > p.minimum()) levels.push_back(tau);
        const Tensor low = solve(*findSampler("rk4"), p, levels, start, {}, estimator).state;
        // Below the model's lowest level lies its estimate.
        if (tau >= levels.back()) return download(low).toDoubles();
        return download(eulerStep(low, estimator(DenoiseRequest{low, levels.back(), tau}), levels.back(), tau))
            .toDoubles();
    };
    problem.truth = problem.truthAt(0);
    problem.reference = "Runge–Kutta, " + std::to_string(referenceSteps) + " steps";
    return problem;
}

}  // namespace

LabProblem labProblem(Model& model, Backend& backend, int particles, std::uint64_t seed, const Prompt& prompt,
                      int referenceSteps) {
    return problemOf(model, backend, particles, seed, modelEstimator(model, prompt), referenceSteps);
}

LabProblem labProblem(const std::string& model, int particles, std::uint64_t seed,
                      std::function<void()> beforeEvaluation, int referenceSteps) {
    struct Owner {
        std::unique_ptr<Backend> backend = kernels::createCpuBackend({1});
        std::unique_ptr<Model> model;
    };
    const auto owner = std::make_shared<Owner>();
    auto loaded = loadModel(model, *owner->backend);
    if (!loaded) throw Failure(loaded.error().text);
    owner->model = std::move(*loaded);
    RequestEstimator estimator = modelEstimator(*owner->model, {});
    if (beforeEvaluation)
        estimator = [estimate = std::move(estimator),
                     beforeEvaluation = std::move(beforeEvaluation)](const DenoiseRequest& q) {
            beforeEvaluation();
            return estimate(q);
        };
    LabProblem problem =
        problemOf(*owner->model, *owner->backend, particles, seed, std::move(estimator), referenceSteps);
    problem.owner = owner;
    return problem;
}

int stepsWithin(const SamplerInfo& sampler, const Params& params, int budget) {
    int best = 0;
    for (int steps = 1; steps <= budget; ++steps) {
        int requests = 0;
        for (int k = 0; k < steps && requests <= budget; ++k) requests += sampler.requestsInStep(k, steps, params);
        if (requests <= budget) best = steps;
    }
    return best;
}

LabCell measure(const LabProblem& problem, const Choice& sampler, const Choice& schedule, int budget) {
    LabCell cell{.sampler = sampler.id, .schedule = schedule.id, .budget = budget};
    try {
        const SamplerInfo* info = findSampler(sampler.id);
        if (!info) throw Failure("There is no sampler named \"" + sampler.id + "\".");
        auto params = resolveParams(*info, sampler.params);
        if (!params) throw Failure(params.error().text);
        if (info->inverts || info->needsData) throw Failure(info->label + " does not go from noise to data.");
        if (info->freeSteps) throw Failure(info->label + " chooses its own steps and keeps no budget of evaluations.");
        cell.drawsNoise = meander::drawsNoise(*info, *params);
        cell.steps = stepsWithin(*info, *params, budget);
        if (cell.steps == 0) throw Failure("One step alone takes more evaluations.");
        // A list of levels has its own number of steps.
        auto levels = makeSchedule(schedule.id, problem.process,
                                   stepsOf({schedule.id, schedule.params}, cell.steps).steps, schedule.params);
        if (!levels) throw Failure(levels.error().text);
        if (info->ownLevels) *levels = info->ownLevels(problem.process, *levels, *params);
        // From the level the schedule begins with; the paths are those of the noise at the highest level only when it
        // begins there.
        if (std::abs(levels->front() / problem.process.maximum() - 1) > 1e-3)
            throw Failure("The schedule begins at level " + display(levels->front()) + ", below the model's highest.");
        double inModel = 0;
        const RequestEstimator timed = [&](const DenoiseRequest& q) {
            const auto start = Clock::now();
            DenoiseResult a = problem.estimator(q);
            inModel += std::chrono::duration<double>(Clock::now() - start).count();
            return a;
        };
        const auto start = Clock::now();
        const Solution s = solve(*info, problem.process, *levels, problem.start, *params, timed, philox(7));
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        cell.secondsOfModel = inModel;
        cell.secondsOfSampler = seconds - inModel;
        cell.steps = s.advances;
        cell.evaluations = s.requests;
        const auto got = s.values();
        const std::vector<double> truth =
            s.levels.back() > 0 && problem.truthAt ? problem.truthAt(s.levels.back()) : problem.truth;
        double sum = 0;
        for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i] - truth[i]) * (got[i] - truth[i]);
        cell.error = std::sqrt(sum / double(got.size()));
    } catch (const std::exception& e) {
        cell.problem = e.what();
        cell.error = NAN;
    }
    return cell;
}

OrderFit orderOf(const std::vector<LabCell>& cells) {
    std::vector<double> n, errors;
    for (const auto& c : cells)
        if (c.problem.empty() && !c.drawsNoise) {
            n.push_back(c.evaluations);
            errors.push_back(c.error);
        }
    return fitOrder(n, errors);
}

std::vector<LabCell> convergenceMatrix(const LabProblem& problem, const std::vector<Choice>& samplers,
                                       const std::vector<Choice>& schedules, const std::vector<int>& budgets) {
    std::vector<LabCell> cells;
    for (const auto& sampler : samplers)
        for (const auto& schedule : schedules)
            for (const int budget : budgets) cells.push_back(measure(problem, sampler, schedule, budget));
    return cells;
}

}  // namespace meander
