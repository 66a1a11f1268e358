// Curves between the highest and the lowest level that reForge offers. A single step starts at the square root of the
// highest level, as there.
#include <numbers>

#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

constexpr double pi = std::numbers::pi;

double halfCosine(Range r, double u) {
    return r.bottom + 0.5 * (r.top - r.bottom) * (1 - std::cos(pi * (1 - std::sqrt(u))));
}

std::vector<double> make(const ScheduleContext& c) {
    const Range r = rangeOf(c);
    const std::string& curve = text(c.params, "curve");
    if (c.steps == 1) return {std::sqrt(r.top), 0};
    const double span = r.top - r.bottom, power = real(c.params, "power"), rho = real(c.params, "rho"),
                 a = std::pow(r.top, 1 / rho), b = std::pow(r.bottom, 1 / rho);
    // A share of the range, raised to a power in units of the highest level.
    const auto scaled = [&](double share, double exponent) {
        return r.top * std::pow((r.bottom + span * share) / r.top, exponent);
    };
    const auto karrasTo = [&](double u, double exponent) { return std::pow(a + u * (b - a), exponent); };
    return ramp(c.steps, [&](double u) {
        const double i = u * (c.steps - 1) / c.steps;  // step over N
        if (curve == "cosine") return halfCosine(r, u);
        if (curve == "cosine_exponential")
            return halfCosine(r, u) + u * (r.top * std::pow(r.bottom / r.top, u) - halfCosine(r, u));
        if (curve == "phi") return r.bottom + span * std::pow(1 - u, std::numbers::phi * std::numbers::phi);
        if (curve == "sinusoidal_sf") return scaled(1 - std::sin(pi / 2 * u), power);
        if (curve == "invcosinusoidal_sf") return scaled(0.5 * (std::cos(pi * u) + 1), power);
        if (curve == "react_cosinusoidal_dynsf") return scaled(std::cos(pi / 2 * u), power * 2.15 / 3.5 * u);
        if (curve == "karras_dynamic") return karrasTo(u, rho + 2 * std::cos(2 * pi * i));
        return karrasTo(u, curve == "karras_decay" ? rho - 3 * i : rho + 3 * i);
    });
}

}  // namespace

ScheduleInfo reforge() {
    return {.id = "reforge",
            .label = "reForge curves",
            .summary = "Cosine, sine, golden-ratio and varied Karras curves between the ends",
            .source = "reForge; extra schedulers of Forge",
            .group = "Noise-level rules",
            .params = withRange(
                {choiceParam("curve", "Curve",
                             {{"cosine", "Cosine"},
                              {"cosine_exponential", "Cosine-exponential blend"},
                              {"phi", "Phi"},
                              {"sinusoidal_sf", "Sinusoidal SF"},
                              {"invcosinusoidal_sf", "Inverse cosinusoidal SF"},
                              {"react_cosinusoidal_dynsf", "React cosinusoidal DynSF"},
                              {"karras_dynamic", "Karras dynamic"},
                              {"karras_decay", "Karras exp decay"},
                              {"karras_increment", "Karras exp increment"}},
                             "Which curve."),
                 advanced(realParam("power", "Scale factor", 3.5, 0.1, 20,
                                    "Exponent of the SF curves; DynSF takes 2.15/3.5 of it.", 0.1)),
                 advanced(realParam("rho", "ρ", 7, 1, 100, "Exponent of the Karras curves at their middle.", 0.5))}),
            .make = make};
}

}  // namespace meander::schedule
