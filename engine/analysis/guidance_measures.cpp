#include "engine/analysis/guidance_measures.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace meander {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

double deviation(const State& a) {
    if (a.empty()) return none;
    double mean = 0, square = 0;
    for (double v : a) mean += v;
    mean /= double(a.size());
    for (double v : a) square += (v - mean) * (v - mean);
    return std::sqrt(square / double(a.size()));
}

}  // namespace

bool hasBothBranches(const PathPoint& p) {
    return !p.conditional.empty() && p.conditional.size() == p.unconditional.size();
}

double differenceInClean(const PathPoint& p) {
    return hasBothBranches(p) ? rmsDifference(p.conditional, p.unconditional) : none;
}

double differenceInNoise(const PathPoint& p) {
    return hasBothBranches(p) && p.tau > 0 ? rmsDifference(p.conditional, p.unconditional) * p.signal / p.tau : none;
}

double alignment(const State& a, const State& b) {
    const double na = norm(a), nb = norm(b);
    if (!(na > 0 && nb > 0)) return none;
    double apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = a[i] / na - b[i] / nb;
        apart += d * d;
    }
    return std::min(16.0, -std::log10(std::max(apart / 2, 1e-16)));  // 1 − cos = ‖u − v‖²/2
}

double alignmentInClean(const PathPoint& p) {
    return hasBothBranches(p) ? alignment(p.conditional, p.unconditional) : none;
}

double alignmentInNoise(const PathPoint& p) {
    if (!hasBothBranches(p)) return none;
    const State c = noiseAt(p, p.conditional), u = noiseAt(p, p.unconditional);
    return c.empty() ? none : alignment(c, u);
}

double parallelShare(const PathPoint& p) {
    if (!hasBothBranches(p)) return none;
    State difference = p.conditional;
    for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= p.unconditional[i];
    return std::abs(cosine(difference, p.conditional));
}

double saturation(const PathPoint& p) {
    if (!hasBothBranches(p)) return none;
    const double c = deviation(p.conditional);
    return c > 0 ? deviation(p.denoised) / c : none;
}

double clippedShare(const PathPoint& p) {
    if (p.denoised.empty()) return none;
    const auto n = std::count_if(p.denoised.begin(), p.denoised.end(), [](double v) { return std::abs(v) > 1; });
    return double(n) / double(p.denoised.size());
}

namespace {

struct MeasureRow {
    const char* name;
    bool hasPart;  // the name of a concept or member follows
    Measure measure;
};

const std::vector<MeasureRow>& measureRows() {
    static const std::vector<MeasureRow> rows{
        {"cos",
         true,
         {"Concept cosine", "cos", "⟨δ_prompt, δ_c⟩ / (‖δ_prompt‖ ‖δ_c‖), δ = D − D_∅",
          "1: the concept lies in the prompt's direction; below the rule's threshold it is ignored and steered "
          "towards."}},
        {"steering",
         true,
         {"Concept steering", "× δ_c", "λ w_c where the cosine is below the threshold, else 0",
          "Above 0: the concept was being ignored and its direction was added."}},
        {"weight",
         false,
         {"Damped guidance weight", "w", "1 + (w − 1) exp(−α ‖c − u‖ / ‖u‖)",
          "Far below the rule's scale: the update was large beside the unconditional estimate and was damped."}},
        {"weight",
         true,
         {"Superposition weight κ", "", "x̂0 = Σ κ_i D_i",
          "Share of this member in the estimate; the shares add up to 1."}},
        {"log density",
         true,
         {"Log-density log q", "nats", "d log q = ⟨dx, s⟩ − ½ g² ‖s‖² dt along the path",
          "How likely this member finds the path. AND keeps all members equal, OR follows the largest."}},
        {"reward",
         false,
         {"Reward", "", "r(x̂0)",
          "What particles are selected by. It should rise; flat means a temperature too high or too little noise to "
          "choose from."}},
        {"effective sample size",
         false,
         {"Effective sample size", "particles", "(Σ w)² / Σ w²",
          "1: one particle takes all and variety is lost; M: all weigh the same and nothing is selected."}},
        {savedWorkName,
         false,
         {"Work saved", "of the network", "1 − FLOP done / FLOP of a whole evaluation",
          "0: computed whole; otherwise features of an earlier evaluation, or of like tokens, were taken instead."}},
        {"residual of the sum",
         false,
         {"Residual of the sum", "max", "max |y − Σ x_n|", "0: the sources add up to what was observed."}},
        {"residual",
         false,
         {"Data residual", "RMS", "RMS(y − A x̂0)", "0: the estimate agrees with what was observed."}},
    };
    return rows;
}

}  // namespace

Measure measureOf(const std::string& name) {
    for (const auto& row : measureRows()) {
        const std::string key = row.name;
        if (!name.starts_with(key)) continue;
        const std::string rest = name.substr(key.size());
        const bool isCount = rest.starts_with(" (") && rest.ends_with(")");  // "residual (2)"
        if (row.hasPart ? rest.size() < 2 || rest[0] != ' ' : !rest.empty() && !isCount) continue;
        Measure m = row.measure;
        m.label += (row.hasPart ? " ·" : "") + rest;
        return m;
    }
    return {name, "", "measured by a guidance rule", "One number per image, measured by a rule of the guidance stack."};
}

std::vector<std::pair<std::string, const Metric*>> namedMetrics(const Evaluation& e) {
    std::vector<std::pair<std::string, const Metric*>> named;
    for (std::size_t i = 0; i < e.metrics.size(); ++i) {
        const auto end = e.metrics.begin() + std::ptrdiff_t(i);
        const auto before =
            std::count_if(e.metrics.begin(), end, [&](const Metric& m) { return m.name == e.metrics[i].name; });
        named.emplace_back(e.metrics[i].name + (before > 0 ? " (" + std::to_string(before + 1) + ")" : ""),
                           &e.metrics[i]);
    }
    return named;
}

std::vector<std::string> measuredNames(const Trajectory& t) {
    std::vector<std::string> names;
    for (const auto& e : t.evaluations)
        for (const auto& [name, metric] : namedMetrics(*e))
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
}

double measuredValue(const Metric& m, std::optional<std::int64_t> image) {
    if (image) return *image >= 0 && std::size_t(*image) < m.values.size() ? m.values[std::size_t(*image)] : none;
    double sum = 0;
    int n = 0;
    for (double v : m.values)
        if (!std::isnan(v)) sum += v, ++n;
    return n > 0 ? sum / n : none;
}

std::vector<double> guidanceImpulse(const Path& path) {
    std::vector<double> values(path.points.size(), none);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const auto& p = path.points[k];
        if (!hasBothBranches(p)) {
            values[k] = 0;
            continue;
        }
        const double next = k + 1 < path.points.size() ? path.points[k + 1].sigma : 0;
        const double change = std::isinf(p.sigma) ? 1 : std::abs(p.sigma - next) / p.sigma;
        values[k] = (p.weight - 1) * change * differenceInClean(p);
    }
    return values;
}

}  // namespace meander
