// meander-run bench matrix: samplers × schedules at equal numbers of evaluations, against the exact flow or a fine
// reference.
#include "engine/cli/bench_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/analysis/convergence_lab.h"
#include "engine/analysis/stability.h"
#include "engine/cli/device_choice.h"
#include "engine/schedule/schedule.h"

namespace meander::cli {
namespace {

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

void printJson(const LabProblem& problem, const std::string& device, const std::vector<LabCell>& row) {
    Json cells = Json::array();
    for (const auto& c : row) {
        Json j = {{"budget", c.budget},
                  {"steps", c.steps},
                  {"evaluations", c.evaluations},
                  {"error", number(c.error)},
                  {"seconds_model", c.secondsOfModel},
                  {"seconds_sampler", c.secondsOfSampler}};
        if (!c.problem.empty()) j["problem"] = c.problem;
        cells.push_back(std::move(j));
    }
    const OrderFit fit = orderOf(row);
    printLine({{"model", problem.name},
               {"reference", problem.reference},
               {"device", device},
               {"sampler", row.front().sampler},
               {"schedule", row.front().schedule},
               {"cells", std::move(cells)},
               {"order", {{"value", number(fit.order)}, {"low", number(fit.low)}, {"high", number(fit.high)}}}});
}

void printText(const std::vector<LabCell>& row) {
    std::printf("%-24s %-16s", row.front().sampler.c_str(), row.front().schedule.c_str());
    double own = 0;
    int steps = 0;
    for (const auto& c : row) {
        if (c.problem.empty()) std::printf(" %10.3e", c.error);
        else std::printf(" %10s", "-");
        own += c.secondsOfSampler;
        steps += c.steps;
    }
    const OrderFit fit = orderOf(row);
    if (fit.points > 2) std::printf("  %5.2f [%5.2f, %5.2f]", fit.order, fit.low, fit.high);
    else std::printf("  %21s", "");
    std::printf("  %8s a step\n", steps > 0 ? secondsText(own / steps).c_str() : "-");
    for (const auto& c : row)
        if (!c.problem.empty()) {
            std::printf("    %s\n", c.problem.c_str());
            break;
        }
}

std::vector<Choice> choices(const std::vector<std::string>& ids, const auto& table, const char* what) {
    const auto known = idsOf(table);
    std::vector<Choice> list;
    for (const auto& id : ids) {
        if (std::find(known.begin(), known.end(), id) == known.end()) noSuch(what, id, known);
        list.push_back({id, {}});
    }
    return list;
}

}  // namespace

int benchMatrix(const MatrixOptions& o) {
    const auto backend = openBackend(o.device);
    auto loaded = loadModel(o.model, *backend);
    if (!loaded) throw Failure(loaded.error().text);
    const LabProblem problem = labProblem(**loaded, *backend, o.particles, o.seed);
    const auto samplerChoices = choices(o.samplers, samplers(), "sampler"),
               scheduleChoices = choices(o.schedules, schedules(), "schedule");
    if (!o.isJson) {
        std::printf("%s, %d particles, %s; root mean square error against the %s\n%-24s %-16s", problem.name.c_str(),
                    o.particles, backend->description().c_str(), problem.reference.c_str(), "sampler", "schedule");
        for (const int b : o.budgets) std::printf(" %6d NFE", b);
        std::printf("  %-21s\n", "order in NFE, 95 %");
    }
    for (const auto& sampler : samplerChoices)
        for (const auto& schedule : scheduleChoices) {
            std::fflush(stdout);  // every row when it is there, also into a pipe
            const auto row = convergenceMatrix(problem, {sampler}, {schedule}, o.budgets);
            o.isJson ? printJson(problem, backend->description(), row) : printText(row);
        }
    return 0;
}

int benchStability(const std::vector<std::string>& ids, bool isJson) {
    choices(ids, samplers(), "sampler");
    for (const auto& s : samplers()) {
        if (!ids.empty() && std::find(ids.begin(), ids.end(), s.id) == ids.end()) continue;
        const double noise = stabilityInterval(s, {}),
                     log = stabilityInterval(s, {}, 100, {StabilityClock::LogNoise, 0.5});
        if (isJson) printLine({{"sampler", s.id}, {"interval", number(noise)}, {"interval_log_noise", number(log)}});
        else
            std::printf("%-28s stable for −z up to %7.4f in τ, %7.4f in log τ (steps of 0.5)\n", s.id.c_str(), noise,
                        log);
    }
    return 0;
}

}  // namespace meander::cli
