#include "engine/models/model_id.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "engine/process/terminal.h"

namespace meander {
namespace {

std::optional<double> numberIn(std::string_view t) {
    double v = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), v);
    if (t.empty() || error != std::errc() || end != t.data() + t.size() || !std::isfinite(v)) return std::nullopt;
    return v;
}

[[noreturn]] void notANumber(const ModelId& id, const std::string& key, const std::string& value) {
    throw Failure("The model '" + id.text + "' has " + key + "=" + value + ", which is not a number. Write for example "
                  + key + "=2.5.");
}

}  // namespace

Result<ModelId> ModelId::parse(const std::string& text) {
    ModelId id;
    id.text = text;
    const std::size_t colon = text.find(':');
    const std::string scheme = colon == std::string::npos ? "" : text.substr(0, colon);
    if (scheme != "analytic" && scheme != "builtin") {  // a path, which may hold colons and question marks
        id.name = text;
        return id;
    }
    id.scheme = scheme;
    const std::size_t question = text.find('?', colon);
    id.name = text.substr(colon + 1, question == std::string::npos ? std::string::npos : question - colon - 1);
    for (std::size_t at = question; at != std::string::npos && at + 1 < text.size();) {
        const std::size_t start = at + 1, end = text.find('&', start);
        const std::string part = text.substr(start, end == std::string::npos ? std::string::npos : end - start);
        const std::size_t equal = part.find('=');
        if (equal == std::string::npos || equal == 0)
            return Error{"The model '" + text + "' has a part '" + part + "' that is not of the form name=value."};
        if (!id.parameters.emplace(part.substr(0, equal), part.substr(equal + 1)).second)
            return Error{"The model '" + text + "' says '" + part.substr(0, equal) + "' twice."};
        at = end;
    }
    return id;
}

std::string ModelId::takeText(const std::string& key, const std::string& fallback) {
    const auto it = parameters.find(key);
    if (it == parameters.end()) return fallback;
    std::string value = it->second;
    parameters.erase(it);
    return value;
}

double ModelId::takeNumber(const std::string& key, double fallback, double minimum, double maximum) {
    if (!parameters.contains(key)) return fallback;
    const std::string value = takeText(key, "");
    const auto number = numberIn(value);
    if (!number) notANumber(*this, key, value);
    if (*number < minimum || *number > maximum) {
        char range[80];
        std::snprintf(range, sizeof range, "%g and %g", minimum, maximum);
        throw Failure("The model '" + text + "' has " + key + "=" + value + ", which must lie between " + range + ".");
    }
    return *number;
}

std::optional<std::vector<double>> ModelId::takeNumbers(const std::string& key) {
    if (!parameters.contains(key)) return std::nullopt;
    const std::string value = takeText(key, "");
    std::vector<double> numbers;
    for (std::size_t start = 0; start <= value.size();) {
        const std::size_t comma = std::min(value.find(',', start), value.size());
        const auto number = numberIn(std::string_view(value).substr(start, comma - start));
        if (!number) notANumber(*this, key, value);
        numbers.push_back(*number);
        start = comma + 1;
    }
    return numbers;
}

Process ModelId::takeProcess(const std::string& fallback) {
    const std::string name = takeText("process", fallback);
    if (name == "edm" || name == "ve") {
        const double low = takeNumber("sigma_min", 0.002, 1e-9, 1e6), high = takeNumber("sigma_max", 80, 1e-9, 1e6);
        if (low >= high) throw Failure("The model '" + text + "' needs a sigma_max above its sigma_min.");
        return Process::varianceExploding(low, high);
    }
    if (name == "flow")
        return Process::rectifiedFlow(1, takeNumber("shift", 1, 1e-3, 1e3),
                                      int(takeNumber("train_steps", 1000, 2, 1e6)));
    // Each program keeps its own rest of signal at the end of zero terminal SNR.
    const std::string end = takeText("zero_snr", "0");
    const Process p = takeVariancePreserving(name);
    if (end == "0") return p;
    if (end == "1" || end == "diffusers") return p.withZeroTerminalSnr(terminalSignalDiffusers);
    if (end == "comfyui" || end == "a1111") return p.withZeroTerminalSnr(terminalSignalComfyUi);
    throw Failure("The model '" + text + "' has zero_snr=" + end
                  + ", which must be 0, 1 or diffusers (σ = 4096), or comfyui (σ = 4518.8, also A1111's).");
}

Process ModelId::takeVariancePreserving(const std::string& name) {
    const bool isScaled = name == "sd15" || name == "vp-scaled-linear", isLinear = name == "vp-linear";
    if (!isScaled && !isLinear && name != "vp-cosine")
        throw Failure(
            "The model '" + text + "' asks for the process '" + name
            + "', which does not exist. Choose edm, ve, sd15, vp-linear, vp-scaled-linear, vp-cosine or flow.");
    const int steps = int(takeNumber("train_steps", 1000, 2, 1e6));
    if (name == "vp-cosine") return Process::vpCosine(steps);
    const double first = takeNumber("beta_start", isScaled ? 0.00085 : 1e-4, 1e-9, 0.999),
                 last = takeNumber("beta_end", isScaled ? 0.012 : 0.02, 1e-9, 0.999);
    if (first > last) throw Failure("The model '" + text + "' needs a beta_end of at least its beta_start.");
    return isScaled ? Process::vpScaledLinear(steps, first, last) : Process::vpLinear(steps, first, last);
}

void ModelId::finish() const {
    if (!parameters.empty())
        throw Failure("The model '" + text + "' does not take a parameter '" + parameters.begin()->first + "'.");
}

}  // namespace meander
