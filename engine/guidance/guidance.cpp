#include "engine/guidance/guidance.h"

#include <cmath>

namespace meander {

const char* nameOf(Branch b) { return b == Branch::Conditional ? "cond" : "uncond"; }

namespace {

// Is the rule active here? The interval is given in the fraction of steps done and, where set, in σ (Kynkäänniemi et al. 2024).
bool inside(const Params& p, double logSnr, double fraction) {
    if (fraction < real(p, "from") || fraction >= real(p, "to")) return false;
    const double sigma = std::exp(-0.5 * logSnr);
    if (p.contains("sigma_high") && sigma > real(p, "sigma_high")) return false;
    return !(p.contains("sigma_low") && sigma <= real(p, "sigma_low"));
}

double cfgWeight(const Params& p, double logSnr, double fraction) { return inside(p, logSnr, fraction) ? real(p, "scale") : 1; }
bool cfgNeedsUnconditional(const Params& p, double logSnr, double fraction) { return cfgWeight(p, logSnr, fraction) != 1; }

std::vector<double> deviations(const Tensor& t) {
    const double n = double(t.count() / t.rows());
    auto sums = t.backend().reduceRows(kernels::Reduction::Sum, t), squares = t.backend().reduceRows(kernels::Reduction::SumSquares, t);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = std::sqrt(std::max(0.0, squares[i] / n - (sums[i] / n) * (sums[i] / n)));
    return sums;
}

void cfgApply(const Params& p, const GuidanceMoment& m, GuidanceParts& parts) {
    const double w = cfgWeight(p, m.process.logSnr(m.tau), double(m.step) / m.steps);
    if (w == 1 || !parts.unconditional) return;
    parts.combined = combine({{w, parts.combined}, {1 - w, parts.unconditional}});
    const double phi = real(p, "rescale");
    if (phi == 0) return;
    // Lin et al. 2024, eq. 15-16, on x̂0: bring the deviation of each picture back towards the conditional one.
    const auto wanted = deviations(parts.conditional), got = deviations(parts.combined);
    std::vector<double> factors(wanted.size());
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = got[i] > 0 ? phi * wanted[i] / got[i] + (1 - phi) : 1;
    const Tensor values[] = {parts.combined};
    const std::vector<double> rows[] = {factors};
    parts.combined = combineRows(values, rows);
}

std::string cfgIdle(const Params& p) {
    if (real(p, "scale") == 1) return "Guidance has no effect at scale 1.";
    if (real(p, "from") >= real(p, "to")) return "Guidance has no effect: its interval is empty.";
    return {};
}

ParamSpec spec(const char* key, const char* label, double value, double low, double high, double step, const char* unit, const char* help) {
    ParamSpec s;
    s.key = key;
    s.label = label;
    s.defaultValue = value;
    s.minimum = low;
    s.maximum = high;
    s.step = step;
    s.unit = unit;
    s.help = help;
    return s;
}

std::vector<ParamSpec> cfgSpecs() {
    auto high = spec("sigma_high", "Upper σ", 80, 0, 1e5, 0.1, "σ", "Guide only below this noise level; absent: no upper limit.");
    auto low = spec("sigma_low", "Lower σ", 0, 0, 1e5, 0.1, "σ", "Guide only above this noise level; absent: no lower limit.");
    high.optional = low.optional = high.advanced = low.advanced = true;
    return {spec("scale", "Scale", 4, 0, 50, 0.25, "", "Weight w of D_uncond + w (D_cond − D_uncond); 1 is off and costs nothing extra."),
            spec("from", "From", 0, 0, 1, 0.05, "of steps", "Guide from this fraction of the steps on."),
            spec("to", "To", 1, 0, 1, 0.05, "of steps", "Guide until this fraction of the steps; outside, the second network row is saved."),
            spec("rescale", "Rescale φ", 0, 0, 1, 0.05, "", "Pulls the contrast of the guided estimate back to the conditional one; cures over-saturation."), high, low};
}

}  // namespace

const std::vector<GuidanceRule>& guidanceRules() {
    static const std::vector<GuidanceRule> table = {
        {"cfg", "Classifier-free guidance", "Extrapolates from the unconditional to the conditional estimate, in an interval, with rescale",
         "Ho & Salimans 2022; Kynkäänniemi et al. 2024; Lin et al. 2024", cfgSpecs(), cfgNeedsUnconditional, cfgApply, cfgIdle, cfgWeight},
    };
    return table;
}

const GuidanceRule* findGuidance(const std::string& id) {
    for (const auto& r : guidanceRules())
        if (r.id == id) return &r;
    return nullptr;
}

}  // namespace meander
