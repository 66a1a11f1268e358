#include "engine/schedule/level_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/schedule/level_edit.h"

namespace meander::levels {
namespace {

constexpr std::size_t mostNumbers = 10001;

std::string joined(const std::vector<double>& values, const char* between) {
    std::string text;
    for (const double v : values) text += (text.empty() ? "" : between) + plainNumber(v);
    return text;
}

Result<std::vector<double>> trainingSteps(const std::vector<double>& levels, const Process& p) {
    if (p.trainingSteps() == 0 && p.kind() != ProcessKind::RectifiedFlow)
        return Error{"This model's time is continuous, so its levels have no training steps. Copy them as sigmas."};
    std::vector<double> steps;
    for (const double tau : levels) {
        if (tau == 0) continue;
        steps.push_back(std::round(p.networkTime(tau)));
        if (steps.size() > 1 && steps.back() >= steps[steps.size() - 2])
            return Error{"Two levels fall on the training step " + plainNumber(steps.back())
                         + ". Copy them as sigmas, or use fewer steps."};
    }
    return steps;
}

std::vector<double> aboveZero(std::vector<double> levels) {
    if (endsClean(levels)) levels.pop_back();
    return levels;
}

struct Numbers {
    std::vector<double> values;
    bool areSteps = false, isPipelineList = false;  // the final 0 is added by whoever takes the list
};

Result<Numbers> numbersOf(const std::string& text) {
    Numbers n;
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_object()) {
        for (const char* key : {"sigmas", "timesteps", "custom_timesteps"}) {
            const auto list = json.find(key);
            if (list == json.end() || !list->is_array()) continue;
            n.areSteps = std::string(key) != "sigmas";
            n.isPipelineList = true;
            for (const Json& v : *list) {
                if (!v.is_number())
                    return Error{std::string("The list \"") + key + "\" holds something that is no number."};
                n.values.push_back(v.get<double>());
            }
            return n;
        }
        return Error{"The text has no list \"sigmas\" or \"timesteps\"."};
    }
    // "--sigmas 14.6,7.8", "sigmas=[14.6, 7.8]", "timesteps: 999 842"
    std::string rest = text;
    for (const char* word : {"timesteps", "sigmas"})
        if (const auto at = rest.find(word); at != std::string::npos) {
            n.isPipelineList = at == 0 || rest[at - 1] != '-';
            n.areSteps = std::string(word) == "timesteps";
            rest = rest.substr(at + std::string(word).size());
            break;
        }
    auto values = numbersIn(rest);
    if (!values) return values.error();
    n.values = std::move(*values);
    return n;
}

}  // namespace

std::string plainNumber(double v) {
    char buffer[400];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed);
    return error == std::errc() ? std::string(buffer, end) : std::to_string(v);
}

Result<std::vector<double>> numbersIn(const std::string& text) {
    std::vector<double> values;
    const auto isLetter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
    for (const char *at = text.data(), *const end = at + text.size(); at < end;) {
        if (isLetter(*at)) {
            const char* word = at;
            while (at < end && (isLetter(*at) || std::isdigit(static_cast<unsigned char>(*at)))) ++at;
            return Error{std::string("\"") + std::string(word, at)
                         + "\" is no number. Give noise levels with commas between them."};
        }
        const char* begin = *at == '+' ? at + 1 : at;
        double v = 0;
        const auto [next, error] = std::from_chars(begin, end, v);
        if (error == std::errc::result_out_of_range)
            return Error{std::string("\"") + std::string(begin, next) + "\" is too large or too small for a number."};
        if (error != std::errc()) {
            ++at;
            continue;
        }
        if (values.size() == mostNumbers) return Error{"The text holds more than 10001 numbers."};
        values.push_back(v);
        at = next;
    }
    if (values.empty()) return Error{"The text holds no number. Give noise levels with commas between them."};
    return values;
}

Result<std::string> textOf(const std::vector<double>& levels, TextForm form, const Process& p) {
    switch (form) {
    case TextForm::ComfyUi: return joined(levels, ", ");
    case TextForm::Json: return "[" + joined(levels, ", ") + "]";
    case TextForm::SdCpp: return "--sigmas " + joined(levels, ",");
    case TextForm::DiffusersSigmas: return "{\"sigmas\": [" + joined(aboveZero(levels), ", ") + "]}";
    case TextForm::DiffusersTimesteps: break;
    }
    const auto steps = trainingSteps(levels, p);
    if (!steps) return steps.error();
    return "{\"timesteps\": [" + joined(*steps, ", ") + "]}";
}

Result<ReadLevels> levelsFromText(const std::string& text, const Process& p) {
    auto read = numbersOf(text);
    if (!read) return read.error();
    ReadLevels result;
    std::vector<double>& levels = result.levels = read->values;
    const bool isFlow = p.kind() == ProcessKind::RectifiedFlow;
    if (read->areSteps) {
        if (p.trainingSteps() == 0 && !isFlow)
            return Error{"The text lists training steps, but this model's time is continuous. Give levels σ."};
        for (double& v : levels) {
            if (!(v >= 0) || (!isFlow && v > p.trainingSteps() - 1))
                return Error{plainNumber(v) + " is no training step of this model."};
            v = p.tauOfTime(v);
        }
    }
    for (const double v : levels)
        if (!std::isfinite(v) || v < 0) return Error{plainNumber(v) + " is no noise level; levels are at least 0."};
    if (std::is_sorted(levels.begin(), levels.end()) && levels.size() > 1 && levels.front() < levels.back()) {
        std::reverse(levels.begin(), levels.end());
        result.notes.push_back("The levels rose; they were turned round.");
    } else if (!std::is_sorted(levels.rbegin(), levels.rend())) {
        std::sort(levels.rbegin(), levels.rend());
        result.notes.push_back("The levels did not fall; they were sorted.");
    }
    const auto equal = std::unique(levels.begin(), levels.end());
    if (equal != levels.end()) {
        levels.erase(equal, levels.end());
        result.notes.push_back("Equal levels became one.");
    }
    if (isFlow && levels.front() > 1)
        return Error{"A flow's levels are t between 0 and 1, but the text begins with " + plainNumber(levels.front())
                     + "."};
    if (read->isPipelineList || levels.size() == 1) levels = withClean(std::move(levels), true);
    if (!isFalling(levels)) return Error{"One level above 0 is needed at least."};
    return result;
}

}  // namespace meander::levels
