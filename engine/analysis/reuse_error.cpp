#include "engine/analysis/reuse_error.h"

#include <cmath>
#include <limits>

namespace meander {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

double rmsBetween(const HostTensor& a, const HostTensor& b, std::optional<std::int64_t> image) {
    if (!a || !b || a.shape() != b.shape()) return none;
    const std::int64_t each = a.count() / std::max<std::int64_t>(1, a.shape()[0]), first = image ? *image * each : 0,
                       end = image ? first + each : a.count();
    double sum = 0;
    for (std::int64_t i = first; i < end; ++i) sum += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
    return end > first ? std::sqrt(sum / double(end - first)) : none;
}

double shareSaved(const Evaluation& e, std::optional<std::int64_t> image) {
    for (const Metric& m : e.metrics) {
        if (m.name != savedWorkName || m.values.empty()) continue;
        if (image && std::size_t(*image) < m.values.size()) return m.values[std::size_t(*image)];
        double sum = 0;
        for (const double v : m.values) sum += v;
        return sum / double(m.values.size());
    }
    return 0;
}

double milliseconds(const Trajectory& t) {
    double sum = 0;
    for (const auto& e : t.evaluations) sum += e->milliseconds;
    return sum;
}

}  // namespace

bool isPartner(const Run& other, const Run& run) {
    const Recipe whole = withoutReuse(run.recipe);
    return whole != run.recipe && other.recipe == whole && other.status == RunStatus::Finished;
}

ReuseError reuseError(const Trajectory& reusing, const Trajectory& whole, std::optional<std::int64_t> image,
                      double range) {
    ReuseError r;
    for (int step = 0; step < reusing.intervals(); ++step) {
        const Evaluation *own = reusing.evaluationOf(step), *other = whole.evaluationOf(step);
        r.rms.push_back(own && other ? rmsBetween(own->denoised, other->denoised, image) : none);
    }
    for (const auto& e : reusing.evaluations) r.saved += shareSaved(*e, image);
    if (!reusing.evaluations.empty()) r.savedWork = r.saved / double(reusing.evaluations.size());
    r.finalRms = rmsBetween(reusing.last(), whole.last(), image);
    r.psnr = 20 * std::log10(range / r.finalRms);
    if (const double before = milliseconds(whole); before > 0) r.savedTime = 1 - milliseconds(reusing) / before;
    return r;
}

}  // namespace meander
