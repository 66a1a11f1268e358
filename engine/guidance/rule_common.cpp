#include "engine/guidance/rule_common.h"

#include <algorithm>
#include <cmath>

#include "engine/core/switched.h"
#include "engine/guidance/weight_curve.h"
#include "engine/sampling/sampling.h"

namespace meander {

std::vector<ParamSpec> windowParams(double from, double to) {
    return {percentParam("from", "From", from, 0, 1, "steps", "Act from this fraction of the steps on."),
            percentParam("to", "To", to, 0, 1, "steps",
                         "Act until this fraction of the steps; outside, its extra network rows are saved."),
            optionalParam(withUnit(realParam("sigma_high", "Upper σ", 80, 0, 1e5,
                                             "Act only at or below this noise level; absent: no upper limit.", 0.1),
                                   "σ")),
            optionalParam(withUnit(realParam("sigma_low", "Lower σ", 0, 0, 1e5,
                                             "Act only above this noise level; absent: no lower limit.", 0.1),
                                   "σ"))};
}

std::vector<ParamSpec> withWindow(std::vector<ParamSpec> params) {
    for (auto& s : windowParams()) params.push_back(std::move(s));
    return params;
}

GuidanceRule afterCombination(GuidanceRule rule) {
    rule.group = "After a combination";
    rule.params = withWindow(std::move(rule.params));
    return rule;
}

Window::Window(const Params& p, WindowStart start) : from(real(p, "from")), to(real(p, "to")), start(start) {
    if (p.contains("sigma_high")) high = real(p, "sigma_high");
    if (p.contains("sigma_low")) low = real(p, "sigma_low");
}

double Window::first(int steps) const {
    return start == WindowStart::RoundedUp ? std::ceil(from * steps - 1e-9) : std::floor(from * steps);
}
double Window::end(int steps) const { return std::floor(to * steps); }

bool Window::holds(const GuidanceMoment& m) const {
    if (m.step < first(m.steps) || m.step >= end(m.steps)) return false;
    const double sigma = m.sigma();
    return !(high && sigma > *high) && !(low && sigma <= *low);
}

bool Window::isEmpty(int steps) const { return first(steps) >= end(steps) || (high && low && *low >= *high); }

Followed::Followed(const Params& p, const char* constantKey, const char* curveKey) : constant(real(p, constantKey)) {
    if (const auto it = p.find(curveKey); it != p.end()) curve = std::get<std::vector<double>>(it->second);
}
double Followed::at(const GuidanceMoment& m) const {
    return curve.empty() ? constant : weights::at(curve, m.step, m.steps);
}
bool Followed::isAlways(double value) const {
    return curve.empty() ? constant == value
                         : std::all_of(curve.begin(), curve.end(), [&](double v) { return v == value; });
}

ParamSpec curveParam(const char* key, const char* label, double minimum, double maximum, const char* what) {
    return optionalParam(listParam(key, label, minimum, maximum,
                                   std::string("Values of the ") + what
                                       + " spread evenly over the steps with straight lines between (as many as steps: "
                                         "one each); absent: the same throughout."));
}

ParamSpec scaleParam(double value, const char* help) { return realParam("scale", "Scale", value, 0, 50, help, 0.25); }

ParamSpec formulationParam() {
    return advanced(choiceParam("formulation", "Formulation",
                                {{"extrapolate", "u + w (c − u)"}, {"original", "c + w (c − u)"}},
                                "How the weight counts: from the unconditional estimate (1 is off), or on top of the "
                                "conditional one (0 is off)."));
}

Extrapolation::Extrapolation(const Params& p, const GuidanceSetup& setup)
    : window(p), isConditioned(setup.model.conditioning != ConditioningKind::None) {
    if (p.contains("formulation")) isOriginal = text(p, "formulation") == "original";
}

std::string whyConditionsAreEqual(const GuidanceContext& c) {
    if (c.model.conditioning == ConditioningKind::None) return "Guidance has no effect: the model takes no prompt.";
    if (c.model.conditioning == ConditioningKind::Class && !c.recipe.classIndex)
        return "Guidance has no effect: no class is chosen, so both estimates are the same.";
    if (c.model.conditioning == ConditioningKind::Text && c.recipe.prompt == c.recipe.negativePrompt)
        return "Guidance has no effect: the prompt and the negative prompt are the same.";
    return {};
}

std::string whyWindowIsEmpty(const GuidanceContext& c) {
    return Window(c.params).isEmpty(c.recipe.steps) ? "Guidance has no effect: its interval is empty." : "";
}

std::string whyNoLevelIsInside(const Params& p, const Process& process, const std::vector<double>& levels) {
    if (!p.contains("from") || !p.contains("to")) return {};
    const Window window(p);
    GuidanceMoment m{.process = process, .steps = int(levels.size()) - 1};
    for (; m.step < m.steps; ++m.step) {
        m.tau = std::max(levels[std::size_t(m.step)], levels[std::size_t(m.step) + 1]);
        if (window.holds(m)) return {};
    }
    return "It has no effect here: no level of the run lies in its interval. Widen it, or use more steps.";
}

std::string whyNothingFollows(const GuidanceContext& c) {
    for (std::size_t i = c.position + 1; i < c.recipe.guidance.size(); ++i)
        if (const auto* rule = findGuidance(c.recipe.guidance[i].id);
            rule && rule->usesUnconditional && !isSwitchedOff(c.recipe.guidance[i]))
            return {};
    return "It has no effect here: no rule after it uses the unconditional estimate. Move it before one that does.";
}

std::string whyNothingPrecedes(const GuidanceContext& c) {
    for (std::size_t i = 0; i < c.position && i < c.recipe.guidance.size(); ++i)
        if (const auto* rule = findGuidance(c.recipe.guidance[i].id);
            rule && rule->guides && !isSwitchedOff(c.recipe.guidance[i]))
            return {};
    return "It has no effect here: no rule before it guides.";
}

std::string whyExtrapolationIsIdle(const GuidanceContext& c, double weight) {
    const bool isOriginal = c.params.contains("formulation") && text(c.params, "formulation") == "original";
    if (weight == (isOriginal ? 0 : 1))
        return isOriginal ? "Guidance has no effect at scale 0." : "Guidance has no effect at scale 1.";
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return whyConditionsAreEqual(c);
}

std::string scaleCaution(const GuidanceRule& rule, const GuidanceContext& c) {
    if (!rule.usesUnconditional || !c.params.contains("scale")) return {};
    const bool isOriginal = c.params.contains("formulation") && text(c.params, "formulation") == "original";
    const double scale = real(c.params, "scale") + (isOriginal ? 1 : 0);
    const auto* curve = c.params.contains("curve") ? std::get_if<std::vector<double>>(&c.params.at("curve")) : nullptr;
    if (curve && !curve->empty()) return {};
    if (scale == 0)
        return rule.label
               + ": at scale 0 the conditional estimate has no part, so the prompt is ignored. Choose 1 for "
                 "the prompt without guidance.";
    const auto* sampler = findSampler(c.recipe.sampler.id);
    if (sampler && sampler->unconditional && !sampler->needsData && scale > 2)
        return sampler->label + " adds the guidance to the estimate and not to the noise, so that a scale of "
               + display(scale) + " overshoots. Scales from 0.6 to 1.5 act there like 5 to 12 elsewhere.";
    return {};
}

bool addsNoise(const Recipe& recipe) {
    const auto* sampler = findSampler(recipe.sampler.id);
    if (!sampler) return false;
    return recipe.sampler.params.contains("eta") ? real(recipe.sampler.params, "eta") > 0 : sampler->stochastic;
}

std::vector<double> deviationRows(const Tensor& t) {
    const double n = double(t.shape().rowCount());
    auto sums = t.backend().reduceRows(kernels::Reduction::Sum, t);
    std::vector<double> shifts(sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) shifts[i] = -sums[i] / n;
    // Centred before squaring, so that a large mean costs no digits.
    Tensor ones(t.backend(), t.shape(), t.type());
    t.backend().fill(ones, 1);
    const auto squares = t.backend().reduceRows(kernels::Reduction::SumSquares,
                                                mixedRows(t, std::vector<double>(sums.size(), 1.0), ones, shifts));
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = std::sqrt(squares[i] / n);
    return sums;
}

std::vector<double> normRows(const Tensor& t) {
    auto squares = t.backend().reduceRows(kernels::Reduction::SumSquares, t);
    for (double& s : squares) s = std::sqrt(s);
    return squares;
}

Tensor scaledRows(const Tensor& t, std::vector<double> factors) {
    const Tensor values[] = {t};
    const std::vector<double> rows[] = {std::move(factors)};
    return combineRows(values, rows);
}

Tensor mixedRows(const Tensor& a, std::vector<double> onA, const Tensor& b, std::vector<double> onB) {
    const Tensor values[] = {a, b};
    const std::vector<double> rows[] = {std::move(onA), std::move(onB)};
    return combineRows(values, rows);
}

Tensor gatheredRows(const Tensor& t, const std::vector<std::int64_t>& rows) {
    Tensor y(t.backend(), t.shape().withRows(std::int64_t(rows.size())), t.type());
    for (std::size_t r = 0; r < rows.size(); ++r)
        t.backend().copy(t.view().rows(rows[r], 1), y.view().rows(std::int64_t(r), 1));
    return y;
}

Tensor rescaledRows(const Tensor& t, const Tensor& reference, double phi) {
    if (phi == 0) return t;
    const auto wanted = deviationRows(reference), got = deviationRows(t);
    std::vector<double> factors(wanted.size());
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = got[i] > 0 ? phi * wanted[i] / got[i] + (1 - phi) : 1;
    return scaledRows(t, std::move(factors));
}

std::vector<std::string> partsOf(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find('|', start), text.size());
        const std::string part = text.substr(start, end - start);
        const auto first = part.find_first_not_of(" \t\n");
        if (first != std::string::npos) parts.push_back(part.substr(first, part.find_last_not_of(" \t\n") - first + 1));
        start = end + 1;
    }
    return parts;
}

double at(const Params& p, const char* list, std::size_t i, double fallback) {
    const auto it = p.find(list);
    const auto* values = it == p.end() ? nullptr : std::get_if<std::vector<double>>(&it->second);
    return values && i < values->size() ? (*values)[i] : fallback;
}

}  // namespace meander
