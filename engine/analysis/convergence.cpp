#include "engine/analysis/convergence.h"

#include <algorithm>
#include <cmath>

#include "engine/models/analytic/mixture.h"

namespace meander {

namespace {

constexpr int dimensions = 4;

// Levels: N intervals from high to low.
std::vector<double> karras(int steps) {
    std::vector<double> list;
    const double high = std::pow(14.614642, 1 / 7.0), low = std::pow(0.0291675, 1 / 7.0);
    for (int i = 0; i <= steps; ++i) list.push_back(std::pow(high + (low - high) * i / steps, 7));
    return list;
}
std::vector<double> geometric(int steps) {
    std::vector<double> list;
    for (int i = 0; i <= steps; ++i) list.push_back(10 * std::pow(0.05 / 10, double(i) / steps));
    return list;
}
std::vector<double> cubic(int steps) {
    std::vector<double> list;
    const double low = std::cbrt(0.05);
    for (int i = 0; i <= steps; ++i) list.push_back(std::pow(1 + (low - 1) * i / steps, 3));
    return list;
}

struct Space {
    const char *name, *levels;
    Process process;
    std::vector<double> (*make)(int steps);
};

std::vector<Space> spaces() {
    return {
        {"VE", "Karras levels, ρ = 7, 14.6146 … 0.0291675", Process::varianceExploding(0.0291675, 14.614642), karras},
        {"VP", "levels equal in log σ, 10 … 0.05", Process::vpScaledLinear(1000, 0.00085, 0.012), geometric},
        {"flow", "Karras levels, ρ = 3, 1 … 0.05", Process::rectifiedFlow(), cubic}};
}

// A Gaussian with another deviation in every dimension, so that their errors do not vanish together.
std::shared_ptr<const Mixture> gaussian() {
    return std::make_shared<Mixture>(dimensions, std::vector<double>(dimensions, 0.25),
                                     std::vector<double>{0.09, 0.25, 0.64, 1.44});
}

// Three overlapping modes in every pair of dimensions.
std::shared_ptr<const Mixture> mixture() {
    const std::vector<double> means = {-0.6, 0.3, 0.2, -0.4, 0.5, 0.6, -0.3, 0.5, 0.2, -0.7, 0.4, 0.1},
                              variances = {0.2, 0.3, 0.25};
    return std::make_shared<Mixture>(dimensions, means, variances, std::vector<double>{0.4, 0.35, 0.25});
}

Estimator mixtureEstimator(std::shared_ptr<const Process> process, std::shared_ptr<const Mixture> m) {
    return [process, m](const Tensor& y, double tau) {
        const auto values = download(y).toDoubles();
        std::vector<double> out(values.size());
        for (std::size_t i = 0; i < values.size(); i += dimensions)
            m->denoise(std::span(values).subspan(i, dimensions), process->signal(tau), tau, {},
                       std::span(out).subspan(i, dimensions));
        return DenoiseResult{upload(y.backend(), HostTensor::fromDoubles(y.shape(), out)), {}, {}};
    };
}

ConvergenceProblem problem(const Space& space, bool isMixture, Backend& backend) {
    ConvergenceProblem p;
    p.id = std::string(space.name) + (isMixture ? " mixture" : " Gaussian");
    p.levels = space.levels;
    p.process = std::make_shared<Process>(space.process);
    p.make = space.make;
    const double first = space.make(1).front(), last = space.make(1).back(),
                 spread = std::hypot(0.5 * space.process.signal(first), first);
    std::vector<double> start;
    for (int k = 0; k < 24 * dimensions; ++k) start.push_back(1.4 * spread * std::cos(0.37 * k));
    p.start = upload(backend, HostTensor::fromDoubles({24, dimensions}, start));
    const auto target = isMixture ? mixture() : gaussian();
    p.estimator = mixtureEstimator(p.process, target);
    if (isMixture) {
        p.exact = solve(*findSampler("rk4"), *p.process, space.make(6000), p.start, {}, p.estimator).values();
    } else {
        for (std::size_t i = 0; i < start.size(); i += dimensions) {
            const auto row = exactFlowMap(*target, *p.process, first, last, std::span(start).subspan(i, dimensions));
            p.exact.insert(p.exact.end(), row.begin(), row.end());
        }
    }
    return p;
}

}  // namespace

std::string ConvergenceCase::label() const {
    std::string text = sampler, separator = " (";
    for (const auto& [key, value] : params) {
        text += separator + key + " " + display(value);
        separator = ", ";
    }
    return params.empty() ? text : text + ")";
}

std::vector<ConvergenceProblem> convergenceProblems(Backend& backend) {
    std::vector<ConvergenceProblem> list;
    for (const Space& space : spaces())
        for (bool isMixture : {false, true}) list.push_back(problem(space, isMixture, backend));
    return list;
}

std::vector<ConvergenceCase> convergenceCases() {
    std::vector<ConvergenceCase> list;
    for (const auto& s : samplers()) {
        if (s.order == 0 || s.stochastic || s.inverts || s.id == "dopri5" || s.id == "dpm_adaptive" || s.id == "addim"
            || s.id == "time_shift")
            continue;
        ConvergenceCase c{s.id, {}, double(s.order)};
        if (s.id == "dpm_fast")
            c.steps = {20, 41, 80, 161, 320, 641};  // 2 more than a multiple of 3: its last step has order 2, not 1
        if (s.id == "parallel") c.params = {{"tolerance", 1e-9}, {"sweeps", std::int64_t(1000)}};
        list.push_back(std::move(c));
    }
    const auto add = [&](const char* id, Params params, double order) {
        list.push_back({id, std::move(params), order});
    };
    const auto n = [](int i) { return ParamValue(std::int64_t(i)); };
    const auto t = [](const char* s) { return ParamValue(std::string(s)); };
    for (int k = 1; k <= 5; ++k) add("lms", {{"order", n(k)}, {"start", t("runge_kutta")}}, k);
    for (int k = 1; k <= 4; ++k) add("res_multistep", {{"order", n(k)}, {"start", t("runge_kutta")}}, k);
    const std::vector<int> few = {10, 14, 20, 28, 40, 56};  // where rounding is near after more
    for (const auto& [name, order] : {std::pair{"midpoint", 2},
                                      {"heun", 2},
                                      {"ralston_2", 2},
                                      {"heun_3", 3},
                                      {"ralston_3", 3},
                                      {"ssprk_3", 3},
                                      {"kutta_4", 4},
                                      {"three_eighths", 4},
                                      {"dormand_prince_5", 5},
                                      {"butcher_6", 6}})
        list.push_back(
            {"runge_kutta", {{"tableau", t(name)}}, double(order), order < 5 ? ConvergenceCase{}.steps : few});
    for (const auto& [name, order] :
         {std::pair{"gauss_1", 2}, {"gauss_3", 6}, {"radau_2", 3}, {"radau_3", 5}, {"lobatto_2", 2}, {"lobatto_3", 4}})
        list.push_back({"implicit_runge_kutta",
                        {{"tableau", t(name)}, {"sweeps", n(order - 1)}},
                        double(order),
                        order < 5 ? ConvergenceCase{}.steps : few});
    add("implicit_runge_kutta", {{"tableau", t("gauss_3")}, {"sweeps", n(2)}}, 3);
    for (const auto& [name, order] :
         {std::pair{"etdrk_2", 2}, {"etdrk_3", 3}, {"etdrk_4", 4}, {"lawson_2a", 2}, {"lawson_2b", 2}, {"lawson_4", 4}})
        add("exponential_runge_kutta", {{"method", t(name)}}, order);
    add("bdia", {{"gamma", 0.0}}, 1);
    add("bdia", {{"gamma", 0.9}}, 1);
    add("dpm_2", {{"middle", t("arithmetic")}}, 2);
    add("dpmpp_2s", {{"prediction", t("noise")}}, 2);
    add("dpmpp_3s", {{"prediction", t("noise")}}, 3);
    add("exp_heun_2_x0", {{"solver_type", t("phi_1")}}, 2);
    add("accelerated", {{"cached", true}}, 2);
    add("restoration_degradation", {{"restoration_length", 0.5}}, 2);
    add("gradient_estimation", {{"gamma", 1.5}}, 2);
    add("ghvb", {{"momentum_number", 0.8}}, 1);
    add("ghvb", {{"momentum_number", 1.5}}, 2);
    add("ghvb", {{"momentum_number", 2.0}}, 2);
    add("ghvb", {{"momentum_number", 1.8}, {"kind", t("hb")}}, 1);
    for (const char* prediction : {"data", "noise"}) {
        add("dpm_multistep", {{"order", n(1)}, {"prediction", t(prediction)}}, 1);
        add("dpm_multistep", {{"order", n(2)}, {"prediction", t(prediction)}, {"solver_type", t("heun")}}, 2);
        add("dpm_multistep", {{"order", n(3)}, {"prediction", t(prediction)}}, 2);
        add("dpm_multistep", {{"order", n(3)}, {"prediction", t(prediction)}, {"third_order", t("published")}}, 2);
        add("dpm_singlestep", {{"order", n(2)}, {"prediction", t(prediction)}, {"solver_type", t("heun")}}, 2);
        add("uni_pc", {{"order", n(2)}, {"prediction", t(prediction)}, {"lower_order_final", false}}, 2);
        add("uni_pc", {{"order", n(3)}, {"prediction", t(prediction)}, {"lower_order_final", false}}, 3);
    }
    return list;
}

Convergence measureConvergence(const ConvergenceCase& c, const ConvergenceProblem& p) {
    const SamplerInfo& info = *findSampler(c.sampler);
    Convergence result;
    for (int steps : c.steps) {
        const Solution s = solve(info, *p.process, p.make(steps), p.start, c.params, p.estimator);
        const auto got = s.values();
        double sum = 0;
        for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i] - p.exact[i]) * (got[i] - p.exact[i]);
        result.errors.push_back(std::sqrt(sum / double(got.size())));
        result.evaluations.push_back(s.requests);
    }
    const auto slope = [&](std::size_t from, std::size_t to) {
        return std::log(result.errors[from] / result.errors[to]) / std::log(double(c.steps[to]) / c.steps[from]);
    };
    const std::size_t n = c.steps.size();
    if (n >= 3) result.order = std::max(slope(n - 2, n - 1), slope(n - 3, n - 1));
    return result;
}

}  // namespace meander
