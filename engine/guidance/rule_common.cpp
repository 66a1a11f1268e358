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

// An interval between the beginnings of two steps holds none of them, also where it is not empty.
std::string whyWindowIsEmpty(const GuidanceContext& c) {
    const Window window(c.params);
    if (!window.isEmpty(c.recipe.steps)) return {};
    if (window.from >= window.to || (window.high && window.low && *window.low >= *window.high))
        return "Guidance has no effect: its interval is empty.";
    return "Guidance has no effect: none of the " + std::to_string(c.recipe.steps) + " steps begins in its interval, "
           + display(window.from) + " to " + display(window.to) + " of them. Widen it, or use more steps.";
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

namespace {

// What a rule's scale weighs the estimate against; at 0 that alone is left.
struct WeighedRule {
    const char *id, *other;
    bool isUnconditional = true;  // CFG++ takes the same difference
};
constexpr const char* withoutPrompt = "the conditional estimate has no part, so the prompt is ignored";
constexpr const char* worseAlone = "only the worse estimate is left";
const WeighedRule weighedRules[] = {
    {"cfg", withoutPrompt},
    {"progressive_cfg", withoutPrompt},
    {"apg", withoutPrompt},
    {"cfg_zero_star", withoutPrompt},
    {"magnitude_aware", withoutPrompt},
    {"frequency_decoupled", withoutPrompt},
    {"perp_neg", withoutPrompt},
    {"dual", withoutPrompt},
    {"superposition", withoutPrompt, false},
    {"residual_cfg", "only the virtual unconditional estimate is left, so the prompt is ignored", false},
    {"nag", "only the attention to the negative prompt is left", false},
    {"autoguidance", worseAlone, false},
    {"pag", worseAlone, false},
    {"seg", worseAlone, false},
    {"slg", worseAlone, false},
};

std::vector<double> listOf(const Params& p, const char* key) {
    const auto it = p.find(key);
    const auto* list = it == p.end() ? nullptr : std::get_if<std::vector<double>>(&it->second);
    return list ? *list : std::vector<double>();
}

// Every scale that a rule takes over the run or the bands of an image, counted so that 1 does nothing.
std::vector<double> scalesOf(const Params& p) {
    std::vector<double> scales = listOf(p, "curve");
    if (scales.empty()) scales = listOf(p, "scales");
    if (scales.empty())
        for (const char* key : {"first", "last", "scale"})
            if (p.contains(key)) scales.push_back(real(p, key));
    const auto counts = [&](const char* key, const char* word) {
        const auto it = p.find(key);
        const auto* value = it == p.end() ? nullptr : std::get_if<std::string>(&it->second);
        return value && *value == word;
    };
    const bool isOnTop = counts("formulation", "original") || counts("dialect", "comfyui");
    for (double& w : scales) w += isOnTop ? 1 : 0;
    return scales;
}

}  // namespace

std::string scaleCaution(const GuidanceRule& rule, const GuidanceContext& c) {
    const auto* weighed = std::find_if(std::begin(weighedRules), std::end(weighedRules),
                                       [&](const WeighedRule& w) { return rule.id == w.id; });
    const std::vector<double> scales = scalesOf(c.params);
    if (weighed == std::end(weighedRules) || scales.empty()) return {};
    if (std::all_of(scales.begin(), scales.end(), [](double w) { return w == 0; }))
        return rule.label + ": at scale 0 " + weighed->other + ". Choose 1 for the prompt without guidance.";
    const double scale = *std::max_element(scales.begin(), scales.end());
    const auto* sampler = findSampler(c.recipe.sampler.id);
    if (sampler && sampler->unconditional && !sampler->needsData && weighed->isUnconditional && scale > 2)
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
