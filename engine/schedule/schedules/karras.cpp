// Even in σ^(1/ρ) (Karras et al. 2022, eq. 5), and its relatives that are powers of a ramp in σ or log σ.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

// The ends: the model's own, or those of the training steps that diffusers' Euler family (FlowMatchEuler for a flow)
// would visit.
Range endsOf(const ScheduleContext& c) {
    if (!isDialect(c, "diffusers")) return rangeOf(c);
    Range r = diffusersRange(c);
    r.top = optionalReal(c.params, "max").value_or(r.top);
    r.bottom = optionalReal(c.params, "min").value_or(r.bottom);
    if (c.steps > 1 && !(r.top > r.bottom))
        throw Failure(
            "The highest noise level of the schedule must lie above the lowest one; raise \"max\" or lower \"min\".");
    return r;
}

std::vector<ParamSpec> withDiffusers(std::vector<ParamSpec> first, const char* others,
                                     std::vector<ParamChoice> more = {}) {
    std::vector<ParamChoice> dialects{{"exact", others},
                                      {"diffusers", "diffusers Euler family: ends of its training steps"}};
    dialects.insert(dialects.end(), more.begin(), more.end());
    first.push_back(dialectParam(std::move(dialects)));
    first.push_back(advanced(spacingParam("linspace", false)));
    first.push_back(offsetParam());
    first.push_back(shiftOfTable());
    return withRange(std::move(first));
}

// For a flow in σ = t/(1 − t), which is infinite at t = 1: from 200 there, as in diffusers' own use of it.
std::vector<double> karrasOfFlowSigmas(const ScheduleContext& c) {
    requireFlow(c, "Karras in σ = t/(1 − t)");
    const auto [highest, bottom] = rangeOf(c);
    const double top = std::min(highest, 200.0 / 201);
    const double rho = real(c.params, "rho"), a = std::pow(c.process.sigma(top), 1 / rho),
                 b = std::pow(c.process.sigma(bottom), 1 / rho);
    return ramp(c.steps, [&](double u) {
        return u == 0 ? top : u == 1 ? bottom : c.process.tauOfSigma(std::pow(a + u * (b - a), rho));
    });
}

std::vector<double> makeKarras(const ScheduleContext& c) {
    if (isDialect(c, "diffusers_flow")) return karrasOfFlowSigmas(c);
    const auto [top, bottom] = endsOf(c);
    const double rho = real(c.params, "rho"), a = std::pow(top, 1 / rho), b = std::pow(bottom, 1 / rho);
    if (isDialect(c, "single")) {
        // As torch rounds: its linspace counts the second half from its end. The power is torch's but for the last bit
        // of one level in a hundred.
        const float step = c.steps > 1 ? 1.0f / float(c.steps - 1) : 0.0f, from = float(a), move = float(b - a);
        std::vector<double> levels;
        for (int i = 0; i < c.steps; ++i) {
            const float u = i < c.steps / 2 || c.steps == 1 ? step * float(i)
                                                            : float(1 - double(step) * (c.steps - 1 - i)),
                        part = u * move, base = from + part;
            levels.push_back(float(std::pow(double(base), rho)));
        }
        levels.push_back(0);
        return levels;
    }
    return ramp(c.steps, [&](double u) { return u == 0 ? top : u == 1 ? bottom : std::pow(a + u * (b - a), rho); });
}

std::vector<double> makeExponential(const ScheduleContext& c) {
    const auto [top, bottom] = endsOf(c);
    const double a = std::log(top), b = std::log(bottom);
    return ramp(c.steps, [&](double u) { return u == 0 ? top : u == 1 ? bottom : std::exp(a + u * (b - a)); });
}

std::vector<double> makePolyexponential(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double rho = real(c.params, "rho"), a = std::log(top), b = std::log(bottom);
    return ramp(c.steps, [&](double u) {
        return u == 0 ? top : u == 1 ? bottom : std::exp(b + std::pow(1 - u, rho) * (a - b));
    });
}

}  // namespace

ScheduleInfo karras() {
    return {.id = "karras",
            .label = "Karras",
            .summary = "Even in σ^(1/ρ): many steps at low noise",
            .source = "Karras et al. 2022, eq. 5",
            .group = "Noise-level rules",
            .params = withDiffusers(
                {realParam("rho", "ρ", 7, 1, 100,
                           "Larger values move steps towards low noise; 7 suits images, 1 is even in σ.", 0.5)},
                "k-diffusion, ComfyUI, A1111, sd.cpp, DPM++ of diffusers",
                {{"single",
                  "k-diffusion, ComfyUI and A1111 to the bit (single precision), for the seeds of a Brownian path"},
                 {"diffusers_flow", "diffusers UniPC with flow sigmas: in σ = t/(1 − t), from 200 at most"}}),
            .make = makeKarras};
}

ScheduleInfo exponential() {
    return {.id = "exponential",
            .label = "Exponential",
            .summary = "Even in log σ",
            .source = "Lu et al. 2022, uniform log-SNR; k-diffusion",
            .group = "Noise-level rules",
            .params = withDiffusers({}, "k-diffusion, ComfyUI, A1111, sd.cpp, DPM++ of diffusers"),
            .make = makeExponential};
}

ScheduleInfo polyexponential() {
    return {.id = "polyexponential",
            .label = "Poly-exponential",
            .summary = "A power of the ramp in log σ",
            .source = "k-diffusion, get_sigmas_polyexponential",
            .group = "Noise-level rules",
            .params = withRange(
                {realParam("rho", "ρ", 1, 0.01, 100, "Above 1 moves steps towards low noise; 1 is Exponential.", 0.1)}),
            .make = makePolyexponential};
}

}  // namespace meander::schedule
