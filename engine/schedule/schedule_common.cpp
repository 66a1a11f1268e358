#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

ParamSpec dialectParam(std::vector<ParamChoice> tools, const char* help) {
    return choiceParam("dialect", "Dialect", std::move(tools), help);
}

namespace {
ParamSpec limit(const char* key, const char* label, const char* help) {
    ParamSpec s = optionalParam(realParam(key, label, 1, 1e-6, 1e5, help, 0.01));
    s.unit = "σ";
    s.logarithmic = true;
    return s;
}
}  // namespace

std::vector<ParamSpec> withRange(std::vector<ParamSpec> first) {
    first.push_back(limit("max", "Highest level",
                          "Where sampling starts (t for flow models); absent: the model's own highest noise level."));
    first.push_back(
        limit("min", "Lowest level", "The last level above clean; absent: the model's own lowest noise level."));
    return first;
}

ParamSpec shiftOfTable() {
    return optionalParam(realParam(
        "shift", "Time shift", 3, 0.01, 100,
        "Flow models: shift s of the tabulated times, t' = s·t/(1 + (s − 1)·t), e^µ for FLUX; absent: the model's own.",
        0.1));
}

ParamSpec tokensParam() {
    ParamSpec s = optionalParam(integerParam(
        "tokens", "Image tokens", 4096, 1, 1e7,
        "Number of 16 × 16 pixel patches, 4096 for 1024 × 1024 pixels; absent: of the model's own image."));
    return s;
}

std::optional<double> optionalReal(const Params& p, const char* key) {
    if (!p.contains(key)) return std::nullopt;
    return real(p, key);
}

int tokensOf(const ScheduleContext& c, const char* rule) {
    if (c.params.contains("tokens")) return int(integer(c.params, "tokens"));
    if (c.imageTokens) return *c.imageTokens;
    throw Failure(std::string(rule)
                  + " depends on the size of the image, and this model draws none. Set its parameter \"tokens\", for "
                    "example 4096 for 1024 × 1024 pixels.");
}

bool isDialect(const ScheduleContext& c, const char* id) { return text(c.params, "dialect") == id; }

void requireFlow(const ScheduleContext& c, const char* rule) {
    if (c.process.kind() != ProcessKind::RectifiedFlow)
        throw Failure(std::string(rule) + " is a rule for rectified-flow models; this model's noise is "
                      + c.process.name() + ". Choose \"Flow shift\", which works for every model, or \"Karras\".");
}

Range rangeOf(const ScheduleContext& c) {
    const Range r{optionalReal(c.params, "max").value_or(c.process.maximum()),
                  optionalReal(c.params, "min").value_or(c.process.minimum())};
    if (!(r.top > r.bottom))
        throw Failure(
            "The highest noise level of the schedule must lie above the lowest one; raise \"max\" or lower \"min\".");
    return r;
}

void stretchToTerminal(std::vector<double>& levels, double terminal) {
    const std::size_t n = levels.size() - (levels.back() == 0);
    if (n == 0 || levels[n - 1] >= 1) return;  // one step from pure noise: nothing to stretch
    const double scale = (1 - levels[n - 1]) / (1 - terminal);
    for (std::size_t i = 0; i < n; ++i) levels[i] = i + 1 == n ? terminal : 1 - (1 - levels[i]) / scale;
}

std::vector<double> resampleLog(const std::vector<double>& values, int points) {
    std::vector<double> result;
    const double last = double(values.size() - 1);
    for (int i = 0; i < points; ++i) {
        // From the low end, as the published recipe does: a single point is the lowest value.
        const double position = points == 1 ? last : last - double(points - 1 - i) / (points - 1) * last;
        const auto k = std::size_t(std::clamp(std::floor(position), 0.0, last - 1));
        const double w = position - double(k);
        result.push_back(w == 0   ? values[k]
                         : w == 1 ? values[k + 1]
                                  : std::exp((1 - w) * std::log(values[k]) + w * std::log(values[k + 1])));
    }
    return result;
}

std::vector<double> resampleLog32(const std::vector<double>& values, int points) {
    const auto positions = [](std::size_t n) {
        const float step = 1.0f / float(n - 1);
        std::vector<float> x(n, 0);
        for (std::size_t i = 1; i < n; ++i) x[i] = x[i - 1] + step;
        return x;
    };
    if (points < 2) throw Failure("Fewer than two levels cannot be interpolated.");
    const std::size_t n = values.size();
    const auto known = positions(n);
    auto wanted = positions(std::size_t(points));
    wanted.back() = std::min(wanted.back(), known.back());
    std::vector<double> result(wanted.size());
    for (std::size_t i = 0, j = 0; i < wanted.size(); ++i) {
        while (j + 2 < n && wanted[i] > known[j + 1]) ++j;
        const double w = double(wanted[i] - known[j]) / double(known[j + 1] - known[j]);
        // `values` fall, positions count from their end
        const double low = double(float(std::log(float(values[n - 1 - j])))),
                     high = double(float(std::log(float(values[n - 2 - j]))));
        result[wanted.size() - 1 - i] = double(float(std::exp(low * (1 - w) + high * w)));
    }
    return result;
}

StepTable::StepTable(const ScheduleContext& c, Tool tool) : m_process(c.process), m_tool(tool), m_size(1000) {
    if (c.process.kind() == ProcessKind::VariancePreserving) m_size = c.process.trainingSteps();
    if (c.process.kind() != ProcessKind::RectifiedFlow) return;
    m_size = c.process.tableSteps();
    m_shift = optionalReal(c.params, "shift").value_or(c.process.timeShift());
}

double StepTable::level(int step) const {
    switch (m_process.kind()) {
    case ProcessKind::VariancePreserving: return m_process.tauOfStep(step);
    case ProcessKind::RectifiedFlow: return shifted((step + 1.0) / m_size, m_shift);
    case ProcessKind::VarianceExploding: break;
    }
    if (m_tool == Tool::SdCpp) return atTime(step);
    const double low = std::log(m_process.minimum()), high = std::log(m_process.maximum());
    return step == 0            ? m_process.minimum()
           : step == m_size - 1 ? m_process.maximum()
                                : std::exp(low + (high - low) * step / (m_size - 1));
}

double StepTable::atTime(double time) const {
    switch (m_process.kind()) {
    case ProcessKind::VariancePreserving: return m_process.tauOfStep(time);
    case ProcessKind::RectifiedFlow: return shifted(m_tool == Tool::SdCpp ? (time + 1) / m_size : time, m_shift);
    case ProcessKind::VarianceExploding: break;
    }
    return std::exp(4 * (m_tool == Tool::SdCpp ? time / m_size : time));
}

double StepTable::timeOf(double tau) const {
    switch (m_process.kind()) {
    case ProcessKind::VariancePreserving: return std::round(m_process.networkTime(tau));
    case ProcessKind::RectifiedFlow: return m_tool == Tool::SdCpp ? unshifted(tau, m_shift) * m_size - 1 : tau;
    case ProcessKind::VarianceExploding: break;
    }
    return 0.25 * std::log(tau) * (m_tool == Tool::SdCpp ? m_size : 1);
}

}  // namespace meander::schedule
