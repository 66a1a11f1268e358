// Even in σ^(1/ρ) (Karras et al. 2022, eq. 5), and its relatives that are powers of a ramp in σ or log σ.
#include "engine/schedule/schedule_kit.h"

namespace meander::schedule {

namespace {

// The ends: the model's own, or those of the training steps that diffusers' Euler family (FlowMatchEuler for a flow) would visit.
Range endsOf(const ScheduleContext& c) {
    if (!isDialect(c, "diffusers")) return rangeOf(c);
    Range r = diffusersRange(c);
    r.top = optionalReal(c.params, "max").value_or(r.top);
    r.bottom = optionalReal(c.params, "min").value_or(r.bottom);
    if (c.steps > 1 && !(r.top > r.bottom)) throw Failure("The highest noise level of the schedule must lie above the lowest one; raise \"max\" or lower \"min\".");
    return r;
}

std::vector<ParamSpec> withDiffusers(std::vector<ParamSpec> first, const char* others) {
    first.push_back(dialectParam({{"exact", others}, {"diffusers", "diffusers Euler family: ends of its training steps"}}));
    first.push_back(advanced(spacingParam("linspace", false)));
    first.push_back(offsetParam());
    first.push_back(shiftOfTable());
    return withRange(std::move(first));
}

// For a flow in σ = t/(1 − t), which is infinite at t = 1: from 200 there, as in diffusers' own use of it.
std::vector<double> karrasOfFlowSigmas(const ScheduleContext& c) {
    needFlow(c, "Karras in σ = t/(1 − t)");
    const auto [highest, bottom] = rangeOf(c);
    const double top = std::min(highest, 200.0 / 201);
    const double rho = real(c.params, "rho"), a = std::pow(c.process.sigma(top), 1 / rho), b = std::pow(c.process.sigma(bottom), 1 / rho);
    return ramp(c.steps, [&](double u) { return u == 0 ? top : u == 1 ? bottom : c.process.tauOfSigma(std::pow(a + u * (b - a), rho)); });
}

std::vector<double> makeKarras(const ScheduleContext& c) {
    if (isDialect(c, "diffusers_flow")) return karrasOfFlowSigmas(c);
    const auto [top, bottom] = endsOf(c);
    const double rho = real(c.params, "rho"), a = std::pow(top, 1 / rho), b = std::pow(bottom, 1 / rho);
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
    return ramp(c.steps, [&](double u) { return u == 0 ? top : u == 1 ? bottom : std::exp(b + std::pow(1 - u, rho) * (a - b)); });
}

}  // namespace

ScheduleInfo karras() {
    std::vector<ParamSpec> params = withDiffusers({realParam("rho", "ρ", 7, 1, 100, "Larger values move steps towards low noise; 7 suits pictures, 1 is even in σ.", 0.5)}, "k-diffusion, ComfyUI, A1111, sd.cpp, DPM++ of diffusers");
    for (ParamSpec& s : params)
        if (s.key == "dialect") s.choices.push_back({"diffusers_flow", "diffusers UniPC with flow sigmas: in σ = t/(1 − t), from 200 at most"});
    return {.id = "karras", .label = "Karras", .summary = "Even in σ^(1/ρ): many steps at low noise", .source = "Karras et al. 2022, eq. 5", .group = "Noise-level rules", .params = std::move(params), .make = makeKarras};
}

ScheduleInfo exponential() {
    return {.id = "exponential", .label = "Exponential", .summary = "Even in log σ", .source = "Lu et al. 2022, uniform log-SNR; k-diffusion", .group = "Noise-level rules",
            .params = withDiffusers({}, "k-diffusion, ComfyUI, A1111, sd.cpp, DPM++ of diffusers"), .make = makeExponential};
}

ScheduleInfo polyexponential() {
    return {.id = "polyexponential", .label = "Poly-exponential", .summary = "A power of the ramp in log σ", .source = "k-diffusion, get_sigmas_polyexponential", .group = "Noise-level rules",
            .params = withRange({realParam("rho", "ρ", 1, 0.01, 100, "Above 1 moves steps towards low noise; 1 is Exponential.", 0.1)}), .make = makePolyexponential};
}

}  // namespace meander::schedule
