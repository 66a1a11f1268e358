#include "gui/panels/guidance/guidance_draft.h"

#include <algorithm>
#include <cmath>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/schedule/level_edit.h"
#include "gui/look/text.h"

namespace meander::gui {
namespace {

const ParamSpec* specOf(const GuidanceRule& rule, const std::string& key) {
    for (const ParamSpec& s : rule.params)
        if (s.key == key) return &s;
    return nullptr;
}

double lnSigma(double tau, const Process& p) { return levels::coordinateOf(tau, levels::Reading::Sigma, p); }

// Some forms of a rule count their weight from 0.
double neutralOf(const CurveParam& c, const Params& params) {
    const auto is = [&](const char* key, const char* value) {
        const auto it = params.find(key);
        return it != params.end() && it->second == ParamValue(std::string(value));
    };
    return c.costs && (is("formulation", "original") || is("dialect", "comfyui")) ? 0 : c.neutral;
}

std::optional<double> realIn(const Params& p, const char* key) {
    return p.contains(key) ? std::optional(real(p, key)) : std::nullopt;
}

}  // namespace

std::vector<DraftCurve> draftCurves(const Recipe& recipe) {
    std::vector<DraftCurve> curves;
    for (std::size_t i = 0; i < recipe.guidance.size(); ++i) {
        const GuidanceRule* rule = findGuidance(recipe.guidance[i].id);
        if (!rule) continue;
        for (const CurveParam& c : curveParamsOf(rule->id)) {
            const ParamSpec* spec = specOf(*rule, c.constant);
            DraftCurve curve{i, c, {}, spec->minimum, spec->maximum, specOf(*rule, "sigma_high") != nullptr};
            curve.param.neutral = neutralOf(c, recipe.guidance[i].params);
            curve.label = QStringLiteral("%1 · %2").arg(qstr(rule->label), qstr(c.symbol));
            if (isSwitchedOff(recipe.guidance[i])) curve.label += QObject::tr(" (off)");
            curves.push_back(std::move(curve));
        }
    }
    return curves;
}

double sigmaAtStep(double position, const Process& process, const std::vector<double>& levels) {
    const auto k = std::size_t(std::clamp(position, 0.0, double(levels.size()) - 2));
    const double next = levels[k + 1] > 0 ? levels[k + 1] : levels[k] * 0.25, w = position - double(k);
    return std::exp((1 - w) * lnSigma(levels[k], process) + w * lnSigma(next, process));
}

double stepAtSigma(double sigma, const Process& process, const std::vector<double>& levels) {
    const double x = std::log(std::max(sigma, 1e-12));
    const int steps = int(levels.size()) - 1;
    for (int k = 0; k < steps; ++k) {
        const double here = lnSigma(levels[std::size_t(k)], process);
        if (x <= here) continue;
        if (k == 0) return -0.5;
        const double before = lnSigma(levels[std::size_t(k) - 1], process);
        return k - (x - here) / std::max(1e-12, before - here);
    }
    return steps - 0.5;
}

StepInterval intervalOf(const Params& params, const Process& process, const std::vector<double>& levels) {
    const int steps = int(levels.size()) - 1;
    StepInterval interval{-0.5, steps - 0.5};
    const double from = realIn(params, "from").value_or(0), to = realIn(params, "to").value_or(1);
    if (from > 0) interval.first = std::floor(from * steps) - 0.5;
    if (to < 1) interval.end = std::floor(to * steps) - 0.5;
    if (const auto high = realIn(params, "sigma_high"))
        interval.first = std::max(interval.first, stepAtSigma(*high, process, levels));
    if (const auto low = realIn(params, "sigma_low"))
        interval.end = std::min(interval.end, stepAtSigma(*low, process, levels));
    interval.end = std::max(interval.end, interval.first);
    return interval;
}

void setInterval(Params& params, const StepInterval& interval, const Process& process,
                 const std::vector<double>& levels) {
    for (const char* key : {"from", "to", "sigma_high", "sigma_low"}) params.erase(key);
    // Rules whose usual window is shorter than the run are told that this one is in σ alone.
    params["from"] = 0.0;
    params["to"] = 1.0;
    if (interval.first > 0) params["sigma_high"] = sigmaAtStep(interval.first, process, levels);
    if (interval.end < double(levels.size()) - 2) params["sigma_low"] = sigmaAtStep(interval.end, process, levels);
}

std::optional<GuidanceCost> guidanceCost(const Plan& plan, const DraftCurve& curve, const Params& params) {
    if (curve.rule >= plan.resolved.guidance.size() || plan.resolved.guidance[curve.rule].id != curve.param.rule)
        return {};
    try {
        Plan now = plan;
        Choice& rule = now.resolved.guidance[curve.rule];
        const auto resolved = resolveParams(findGuidance(rule.id)->params, params, rule.id);
        if (!resolved) return {};
        rule.params = *resolved;
        GuidanceCost cost{countEvaluations(now).evaluations, 0};
        Params everywhere = *resolved;
        for (const char* key : {"sigma_high", "sigma_low", "from", "to"}) everywhere.erase(key);
        if (curve.hasInterval) everywhere["from"] = 0.0, everywhere["to"] = 1.0;
        for (const CurveParam& c : curveParamsOf(rule.id)) {
            if (!c.costs) continue;
            std::vector<double> values = weights::curveOf(everywhere, c, plan.intervals());
            const double neutral = neutralOf(c, *resolved);
            std::replace(values.begin(), values.end(), neutral, neutral + 1);
            weights::setCurve(everywhere, c, values);
        }
        rule.params = *resolveParams(findGuidance(rule.id)->params, everywhere, rule.id);
        cost.saved = countEvaluations(now).evaluations - cost.evaluations;
        return cost;
    } catch (const std::exception&) {
        return {};
    }
}

}  // namespace meander::gui
