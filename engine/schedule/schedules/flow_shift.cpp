// Time shifts of rectified flow: static (Esser et al. 2024, eq. 23) and dynamic, whose µ grows with the image
// (FLUX.1; shift_type of diffusers).
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

ParamSpec terminalParam() {
    return optionalParam(realParam(
        "terminal", "Terminal", 0.1, 0.001, 0.99,
        "Stretches the times so that the last above 0 becomes this (shift_terminal); absent: no stretch.", 0.01));
}

void stretchIfAsked(const ScheduleContext& c, std::vector<double>& levels) {
    if (const auto terminal = optionalReal(c.params, "terminal")) {
        requireFlow(c, "The terminal stretch");
        stretchToTerminal(levels, *terminal);
    }
}

// t even from the model's highest level to 0, or to "min" and then 0. In other processes t = σ/(1 + σ).
std::vector<double> exactShift(const ScheduleContext& c, double shift) {
    const auto [top, bottom] = rangeOf(c);
    const auto timeOf = [&](double tau) {
        const double sigma = c.process.sigma(tau);
        return unshifted(std::isinf(sigma) ? 1 : sigma / (1 + sigma), shift);
    };
    const bool hasEnd = c.params.contains("min") && c.steps > 1;
    const double first = timeOf(top), last = hasEnd ? timeOf(bottom) : 0;
    const int intervals = hasEnd ? c.steps - 1 : c.steps;
    std::vector<double> levels;
    for (int i = 0; i <= intervals; ++i) {
        const double t = shifted(first + (last - first) * i / intervals, shift);
        levels.push_back(i == 0 ? top : i == intervals ? (hasEnd ? bottom : 0) : c.process.tauOfSigma(t / (1 - t)));
    }
    if (hasEnd) levels.push_back(0);
    return levels;
}

std::vector<double> makeStatic(const ScheduleContext& c) {
    const double shift = real(c.params, "shift");
    std::vector<double> levels;
    if (isDialect(c, "exact")) {
        levels = exactShift(c, shift);
    } else {
        requireFlow(c, "This dialect of \"Flow shift\"");
        const double last = 1.0 / c.process.tableSteps();
        if (isDialect(c, "diffusers_euler")) {
            levels = flowMatchEuler(c, shift);
        } else {
            for (int i = 0; i < c.steps; ++i)
                levels.push_back(shifted(isDialect(c, "diffusers_dpmpp") ? (1 - last) * (c.steps - i) / c.steps
                                                                         : 1 + (last - 1) * i / c.steps,
                                         shift));
            if (isDialect(c, "diffusers_unipc")) levels.front() -= 1e-6;  // keeps λ finite
        }
        levels.push_back(0);
    }
    stretchIfAsked(c, levels);
    return levels;
}

// µ on the line through (base tokens, base shift) and (max tokens, max shift).
double muOf(const ScheduleContext& c) {
    if (const auto mu = optionalReal(c.params, "mu")) return *mu;
    const double low = double(integer(c.params, "base_tokens")), high = double(integer(c.params, "max_tokens")),
                 base = real(c.params, "base_shift"), most = real(c.params, "max_shift");
    if (low == high) throw Failure("Dynamic shift: base_tokens and max_tokens must differ.");
    const double slope = (most - base) / (high - low);
    return tokensOf(c, "Dynamic shift") * slope + (base - slope * low);
}

std::vector<double> makeDynamic(const ScheduleContext& c) {
    requireFlow(c, "\"Dynamic shift\"");
    const double mu = muOf(c), shift = text(c.params, "kind") == "exponential" ? std::exp(mu) : mu,
                 last = 1.0 / c.process.tableSteps();
    if (!(shift > 0))
        throw Failure("Dynamic shift: a linear shift needs µ above 0, but it is " + std::to_string(mu)
                      + " here. Choose the exponential kind or more tokens.");
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i) {
        const double t = isDialect(c, "flux") ? double(c.steps - i) / c.steps
                         : c.steps == 1       ? 1
                                              : 1 + i * (last - 1) / (c.steps - 1);
        levels.push_back(i == 0 ? 1 : shifted(t, shift));
    }
    levels.push_back(0);
    stretchIfAsked(c, levels);
    return levels;
}

}  // namespace

ScheduleInfo flowShift() {
    return {.id = "flow_shift",
            .label = "Flow shift",
            .summary = "Even in t, then shifted towards noise",
            .source = "Esser et al. 2024, eq. 23",
            .group = "Flow",
            .params = withRange(
                {realParam("shift", "Shift", 3, 0.01, 100,
                           "Above 1 spends more steps at high noise, as larger images need; 1 is uniform.", 0.1),
                 dialectParam({{"exact", "Once, t from 1 to 0 (Stable Diffusion 3, FLUX, ComfyUI \"simple\")"},
                               {"diffusers_euler", "diffusers FlowMatchEuler: to 1/1000, shifted twice"},
                               {"diffusers_dpmpp", "diffusers DPM++ with flow sigmas"},
                               {"diffusers_unipc", "diffusers UniPC with flow sigmas"}}),
                 terminalParam()}),
            .make = makeStatic};
}

ScheduleInfo flowDynamic() {
    return {
        .id = "flow_dynamic",
        .label = "Dynamic shift",
        .summary = "Flow shift that grows with the size of the image",
        .source = "Black Forest Labs, FLUX.1 sampling; diffusers, use_dynamic_shifting",
        .group = "Flow",
        .params = {choiceParam("kind", "Kind", {{"exponential", "Exponential: s = e^µ"}, {"linear", "Linear: s = µ"}},
                               "How µ becomes the shift s (time_shift_type)."),
                   realParam("base_shift", "Base shift", 0.5, -10, 10, "µ at the base number of tokens."),
                   realParam("max_shift", "Largest shift", 1.15, -10, 10, "µ at the largest number of tokens."),
                   advanced(integerParam("base_tokens", "Base tokens", 256, 1, 1e7, "Image tokens at the base shift.")),
                   advanced(integerParam("max_tokens", "Largest tokens", 4096, 1, 1e7,
                                         "Image tokens at the largest shift.")),
                   tokensParam(),
                   optionalParam(realParam("mu", "µ", 1.15, -10, 20,
                                           "The shift parameter itself; absent: from the number of tokens.")),
                   dialectParam({{"flux", "FLUX: t from 1 to 0; pipelines of diffusers, sd.cpp \"flux\""},
                                 {"diffusers", "diffusers FlowMatchEuler alone: to 1/1000, then 0"}}),
                   terminalParam()},
        .make = makeDynamic};
}

}  // namespace meander::schedule
