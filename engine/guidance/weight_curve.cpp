#include "engine/guidance/weight_curve.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "engine/schedule/level_text.h"

namespace meander {

const std::vector<CurveParam>& curveParams() {
    static const std::vector<CurveParam> table{
        {"cfg", "scale", "curve", "w", 1, true},        {"cfg", "rescale", "rescale_curve", "φ", 0, false},
        {"apg", "scale", "curve", "w", 1, true},        {"apg", "eta", "eta_curve", "η", 1, false},
        {"distilled", "scale", "curve", "w", 1, false}, {"rescale", "phi", "phi_curve", "φ", 0, false},
    };
    return table;
}

std::vector<CurveParam> curveParamsOf(const std::string& rule) {
    std::vector<CurveParam> found;
    for (const CurveParam& c : curveParams())
        if (c.rule == rule) found.push_back(c);
    return found;
}

namespace weights {

double at(const std::vector<double>& values, int step, int steps) {
    if (values.size() == 1 || steps < 2) return values.front();
    const double position = double(std::min(step, steps - 1)) / (steps - 1) * double(values.size() - 1);
    const auto low = std::min(std::size_t(position), values.size() - 2);
    const double f = position - double(low);
    return f == 0 ? values[low] : (1 - f) * values[low] + f * values[low + 1];
}

std::vector<double> perStep(const std::vector<double>& values, int steps) {
    if (int(values.size()) == steps) return values;
    std::vector<double> result;
    for (int k = 0; k < steps; ++k) result.push_back(at(values, k, steps));
    return result;
}

std::vector<double> curveOf(const Params& params, const CurveParam& which, int steps) {
    if (const auto it = params.find(which.curve); it != params.end())
        if (const auto* list = std::get_if<std::vector<double>>(&it->second); list && !list->empty())
            return perStep(*list, steps);
    return std::vector<double>(std::size_t(std::max(0, steps)), real(params, which.constant));
}

void setCurve(Params& params, const CurveParam& which, const std::vector<double>& values) {
    const bool isConstant = std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
    if (!isConstant) {
        params[which.curve] = values;
        return;
    }
    params[which.constant] = values.front();
    params.erase(which.curve);
}

const std::vector<Shape>& shapes() {
    using std::numbers::pi;
    static const char* const wang = "Wang et al. 2024, Analysis of classifier-free guidance weight schedulers";
    static const std::vector<Shape> table{
        {"constant", "Constant", "Ho & Salimans 2022", [](double) { return 1.0; }},
        {"linear_up", "Linear, rising",
         "Wang et al. 2024, Analysis of classifier-free guidance weight schedulers; Chang et al. 2023 (Muse)",
         [](double u) { return u; }},
        {"linear_down", "Linear, falling", wang, [](double u) { return 1 - u; }},
        {"cosine_up", "Half a cosine, rising", wang, [](double u) { return (1 - std::cos(pi * u)) / 2; }},
        {"cosine_down", "Half a cosine, falling", wang, [](double u) { return (1 + std::cos(pi * u)) / 2; }},
        {"power_cosine", "Power cosine, s = 4", "Gao et al. 2023, MDT",
         [](double u) { return (1 - std::cos(pi * std::pow(u, 4))) / 2; }},
        {"triangle", "Triangle (Λ)", wang, [](double u) { return 1 - std::abs(2 * u - 1); }},
        {"valley", "Valley (V)", wang, [](double u) { return std::abs(2 * u - 1); }},
        {"bell", "Bell, Beta(2, 2)", "Malarz et al. 2025, β-CFG", [](double u) { return 4 * u * (1 - u); }},
    };
    return table;
}

std::vector<double> shaped(const Shape& shape, int steps, double low, double high) {
    std::vector<double> values;
    for (int k = 0; k < steps; ++k) {
        const double share = shape.at(steps < 2 ? 0 : double(k) / (steps - 1));
        values.push_back(share == 1 ? high : low + (high - low) * share);
    }
    return values;
}

const std::vector<IntervalPreset>& intervalPresets() {
    static const std::vector<IntervalPreset> table{
        {"σ 0.28–5.42", "Kynkäänniemi et al. 2024, for Stable Diffusion XL", 0.28, 5.42},
        {"σ 0.28–2.90", "Kynkäänniemi et al. 2024, for EDM2-S on ImageNet-512", 0.28, 2.90},
        {"σ 0.19–1.61", "Kynkäänniemi et al. 2024, for EDM2-XXL on ImageNet-512", 0.19, 1.61},
    };
    return table;
}

std::string textOf(const std::vector<double>& values, TextForm form) {
    std::string text;
    if (form == TextForm::SdCpp) {
        for (std::size_t i = values.size(); i > 0;) {
            std::size_t n = 1;
            while (n < i && values[i - 1 - n] == values[i - 1]) ++n;
            text += (text.empty() ? "" : "+") + levels::plainNumber(values[i - 1]) + "x" + std::to_string(n);
            i -= n;
        }
        return text;
    }
    for (const double v : values) text += (text.empty() ? "" : ", ") + levels::plainNumber(v);
    return form == TextForm::Json ? "[" + text + "]" : text;
}

namespace {

// "<value>x<count>", with nothing else around.
bool readPart(std::string part, double& value, int& count) {
    while (!part.empty() && part.front() == ' ') part.erase(part.begin());
    while (!part.empty() && part.back() == ' ') part.pop_back();
    const auto x = part.find('x');
    if (x == std::string::npos) return false;
    const char *begin = part.data(), *middle = begin + x, *end = begin + part.size();
    const auto first = std::from_chars(begin, middle, value);
    const auto second = std::from_chars(middle + 1, end, count);
    return first.ec == std::errc() && first.ptr == middle && second.ec == std::errc() && second.ptr == end && count > 0
           && count <= 10000 && std::isfinite(value);
}

}  // namespace

Result<std::vector<double>> valuesFromText(const std::string& text, int steps, double otherwise) {
    std::string spec = text;
    if (const auto at = spec.find("guidance_schedule"); at != std::string::npos)
        spec = spec.substr(spec.find_first_of("=: ", at) == std::string::npos ? spec.size()
                                                                              : spec.find_first_of("=: ", at) + 1);
    const bool isSdCpp = spec.find('x') != std::string::npos;
    if (!isSdCpp) return levels::numbersIn(spec);
    std::vector<double> fromTheEnd;
    for (std::size_t at = 0; at <= spec.size();) {
        const std::size_t next = std::min(spec.find('+', at), spec.size());
        double value = 0;
        int count = 0;
        if (!readPart(spec.substr(at, next - at), value, count))
            return Error{
                "\"" + spec.substr(at, next - at)
                + "\" is no part of a guidance schedule. Write <value>x<steps>, joined by +, the last steps first."};
        fromTheEnd.insert(fromTheEnd.end(), std::size_t(count), value);
        at = next + 1;
    }
    fromTheEnd.resize(std::size_t(std::max(1, steps)), otherwise);
    return std::vector<double>(fromTheEnd.rbegin(), fromTheEnd.rend());
}

}  // namespace weights
}  // namespace meander
