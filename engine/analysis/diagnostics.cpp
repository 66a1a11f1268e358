#include "engine/analysis/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/analysis/guidance_measures.h"
#include "engine/analysis/reuse_error.h"

namespace meander {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
const std::string measuredPrefix = "M:";

std::vector<double> perPoint(const Path& path, const std::function<double(const PathPoint&)>& f) {
    std::vector<double> values;
    for (const auto& p : path.points) values.push_back(f(p));
    return values;
}

std::vector<double> stepChange(const Path& path) {
    std::vector<double> values(path.points.size(), none);
    for (std::size_t k = 1; k < path.points.size(); ++k)
        values[k] = rmsDifference(path.points[k].denoised, path.points[k - 1].denoised);
    return values;
}

std::vector<double> relativeChange(const Path& path) {
    std::vector<double> values(path.points.size(), none);
    for (std::size_t k = 1; k < path.points.size(); ++k) {
        double change = 0, before = 0;
        for (std::size_t i = 0; i < path.points[k].denoised.size(); ++i) {
            change += std::abs(path.points[k].denoised[i] - path.points[k - 1].denoised[i]);
            before += std::abs(path.points[k - 1].denoised[i]);
        }
        values[k] = before > 0 ? change / before : none;
    }
    return values;
}

// Against the result of the run; decibels are limited to 120 so that equal images stay on the plot.
std::vector<double> distanceToEnd(const Path& path, double range) {
    return perPoint(path, [&](const PathPoint& p) {
        const double distance = path.frames.empty() ? none : rmsDifference(p.denoised, path.frames.back());
        return std::isnan(distance) ? none : std::min(120.0, 20 * std::log10(range / std::max(distance, range * 1e-6)));
    });
}

std::vector<double> scaled(std::vector<double> v, double factor) {
    for (double& x : v) x *= factor;
    return v;
}

std::vector<double> stateNorm(const Path& path) {
    std::vector<double> values(path.frames.size(), none);
    const double clean = rms(path.frames.empty() ? State{} : path.frames.back());
    for (const auto& p : path.points) {
        const auto k = std::size_t(p.step);
        const double expected = std::sqrt(p.signal * p.signal * clean * clean + p.tau * p.tau);
        if (k < values.size() && expected > 0) values[k] = rms(p.state) / expected;
    }
    return values;
}

std::vector<double> towardsEnd(const Path& path) {
    return perPoint(path, [&](const PathPoint& p) {
        State rest = p.state;
        if (path.frames.empty() || rest.size() != path.frames.back().size()) return none;
        for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= path.frames.back()[i];
        const State noise = noiseAt(p, p.denoised);
        return noise.empty() ? none : cosine(noise, rest);
    });
}

// What the step did beyond one Euler step of the same slope: an embedded pair of order 1 and the sampler's own. Where
// the sampler took the Euler step itself only the rounding of the record is left (`epsilon`: of its numbers), which is
// no error of a step: 0.
std::vector<double> embeddedError(const Path& path, double epsilon) {
    std::vector<double> values(path.points.size(), none);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const auto& p = path.points[k];
        const auto next = std::size_t(p.step) + 1;
        const State slope = slopeAt(p);
        if (next >= path.frames.size() || slope.empty() || slope.size() != path.frames[next].size()) continue;
        double sum = 0, size = 0;
        for (std::size_t i = 0; i < slope.size(); ++i) {
            const double euler = p.state[i] + (path.taus[next] - p.tau) * slope[i];
            sum += (path.frames[next][i] - euler) * (path.frames[next][i] - euler);
            size += p.state[i] * p.state[i];
        }
        values[k] = sum > 16 * epsilon * epsilon * size ? std::sqrt(sum / double(slope.size())) : 0;
    }
    return values;
}

double total(const std::vector<double>& v) {
    double s = 0;
    for (double x : v)
        if (std::isfinite(x)) s += x;
    return s;
}

double largest(const std::vector<double>& v) {
    double m = none;
    for (double x : v)
        if (!std::isnan(x) && !(m >= x)) m = x;
    return m;
}

using Rows = std::vector<Diagnostic>;

void images(const Path& path, double range, Rows& rows) {
    rows.push_back({"D3", "Step change", "RMS", "RMS(D_k − D_{k−1})",
                    "How much the estimate moved: a flat tail is time that could be saved.", DiagnosticAxis::Step,
                    stepChange(path)});
    rows.push_back({"D3r", "Relative step change", "", "Σ|D_k − D_{k−1}| / Σ|D_{k−1}|",
                    "The quantity that caching by TeaCache watches.", DiagnosticAxis::Step, relativeChange(path)});
    rows.push_back({"D4", "Distance to the end", "dB", "PSNR(D_k, x_N), range " + std::to_string(int(range)),
                    "Above 40 dB the eye sees no more change.", DiagnosticAxis::Step, distanceToEnd(path, range)});
}

void geometry(const Path& path, Rows& rows) {
    const auto deviation = chordDeviation(path.frames);
    const double chord = chordLength(path.frames);
    rows.push_back({"G1", "Chord deviation", "of chord", "‖(x_N − x_k) − proj‖ / ‖x_N − x_0‖",
                    "Where the path bends, and how far from a straight line.", DiagnosticAxis::Frame,
                    scaled(deviation, chord > 0 ? 1 / chord : none), arcOverChord(path.frames), "arc ÷ chord (G2)"});
    rows.push_back({"G3", "Turning angle", "°", "angle(x_{k+1} − x_k, x_k − x_{k−1})",
                    "Near 0: straight. About 90: the step is mostly fresh noise.", DiagnosticAxis::Frame,
                    turningAngles(path.frames)});
    rows.push_back({"G4", "Curvature", "1/length", "2 sin θ_k / ‖x_{k+1} − x_{k−1}‖", "Needs many steps to mean much.",
                    DiagnosticAxis::Frame, mengerCurvature(path.frames)});
    rows.push_back({"G6", "Straightness in y over τ", "", "‖(z_1 − z_0) − u_k‖² / ‖z_1 − z_0‖²",
                    "0 everywhere: one Euler step would do.", DiagnosticAxis::Step, straightnessIntegrand(path),
                    straightness(path), "Σ Δt · value"});
    rows.push_back({"G11", "First-orderness in ε̂", "", "‖ε̂_k − ε‖² / ‖ε‖², ε = (y_0 − a_0 x_N)/τ_0",
                    "0 everywhere: the predicted noise never changes, so a step of any size is exact.",
                    DiagnosticAxis::Step, firstOrdernessIntegrand(path), firstOrderness(path), "Σ Δt · value"});
    rows.push_back({"G7", "Slope norm", "RMS", "‖dx/dτ‖ / √d",
                    "About 1 until the noise nears the scale of the data; above 1 at high guidance: overshoot.",
                    DiagnosticAxis::Step, perPoint(path, [](const PathPoint& p) { return rms(slopeAt(p)); })});
    rows.push_back({"G9", "State norm", "", "‖x_k‖ / √(a²‖x_N‖² + τ² d)",
                    "Away from 1: wrong scaling, or a schedule that does not fit the model.", DiagnosticAxis::Frame,
                    stateNorm(path)});
    rows.push_back({"G10", "Pointing to the end", "cos", "cos(ε̂_k, x_k − x_N)",
                    "1: the present slope leads straight to the result.", DiagnosticAxis::Step, towardsEnd(path)});
}

void errors(const Trajectory& t, const Path& path, Rows& rows) {
    const bool isNoisy = std::any_of(t.steps.begin(), t.steps.end(), [](const auto& s) { return s->stochastic; });
    if (isNoisy) return;
    auto e = embeddedError(path, t.initial.type() == DType::F64 ? std::numeric_limits<double>::epsilon()
                                                                : double(std::numeric_limits<float>::epsilon()));
    const double sum = total(e);
    if (!(largest(e) > 0)) return;  // the sampler is Euler: no second order to compare with
    const bool several = t.evaluations.size() > path.points.size();
    auto share = scaled(e, sum > 0 ? 1 / sum : none);
    rows.push_back({several ? "E2" : "E4", several ? "Local error (embedded pair)" : "Local error (multistep)", "RMS",
                    "RMS(x_{k+1} − Euler step)", "Where a step is too long; an upper estimate of its error.",
                    DiagnosticAxis::Step, std::move(e)});
    const double worst = largest(share);
    rows.push_back({"E5", "Share of the error", "", "e_k / Σ e", "One tall bar: put a step there.",
                    DiagnosticAxis::Step, std::move(share), worst, "largest share"});
}

void guidance(const Path& path, Rows& rows) {
    if (std::none_of(path.points.begin(), path.points.end(), [](const PathPoint& p) { return hasBothBranches(p); }))
        return;
    const auto row = [&](const char* id, const char* label, const char* unit, const char* formula, const char* reading,
                         double (*f)(const PathPoint&)) {
        rows.push_back({id, label, unit, formula, reading, DiagnosticAxis::Step, perPoint(path, f)});
    };
    row("C1", "Guidance difference (ε space)", "RMS", "RMS(D_c − D_u) · a/τ",
        "Where it peaks guidance acts; where it is small the second branch could be left out.", differenceInNoise);
    row("C1x", "Guidance difference (x̂0 space)", "RMS", "RMS(D_c − D_u)", "Falls as the image becomes certain.",
        differenceInClean);
    row("C2", "Alignment (ε space)", "−log10(1 − cos)", "−log10(1 − cos(ε_c, ε_u))",
        "4 means that the branches agree to a hundredth of a degree or so: the second call is redundant.",
        alignmentInNoise);
    row("C2x", "Alignment (x̂0 space)", "−log10(1 − cos)", "−log10(1 − cos(D_c, D_u))",
        "High: both branches see the same image.", alignmentInClean);
    row("C3", "Parallel share", "", "|⟨D_c − D_u, D_c⟩| / (‖·‖‖·‖)",
        "The parallel part saturates colours, the rest adds detail: high calls for projected guidance or a lower "
        "weight.",
        parallelShare);
    rows.push_back({"C4", "Guidance impulse", "", "(w_k − 1) · |Δσ|/σ · RMS(D_c − D_u)",
                    "Its sum is what guidance did; the interval that holds 95 % of it is enough.", DiagnosticAxis::Step,
                    guidanceImpulse(path)});
    row("C5", "Saturation", "std ratio", "std(D_w) / std(D_c)",
        "Above 1.2 guidance over-saturates: rescale it or lower the weight.", saturation);
    row("C5c", "Clipped share", "", "share of |D| > 1", "Values that cannot be shown; above 2 % images burn out.",
        clippedShare);
}

// What the rules of the guidance stack measured, at the first evaluation of each step that holds it.
void measures(const Trajectory& t, const Path& path, std::int64_t image, Rows& rows) {
    for (const std::string& name : measuredNames(t)) {
        std::vector<double> values(path.points.size(), none);
        for (std::size_t k = 0; k < path.points.size(); ++k)
            for (const auto& e : t.evaluations) {
                if (e->step != path.points[k].step || !std::isnan(values[k])) continue;
                for (const auto& [own, metric] : namedMetrics(*e))
                    if (own == name) values[k] = measuredValue(*metric, image);
            }
        Measure m = measureOf(name);
        rows.push_back(
            {measuredPrefix + name, m.label, m.unit, m.formula, m.reading, DiagnosticAxis::Step, std::move(values)});
    }
}

void reuse(const Trajectory& t, const Trajectory& whole, const Path& path, std::int64_t image, double range,
           Rows& rows) {
    const ReuseError error = reuseError(t, whole, image, range);
    rows.push_back({reuseErrorId, "Error of the reuse", "RMS", "RMS(D_k − D_k of the run without reuse)",
                    "Where reused features lead away from what the network itself would say. The run's number is the "
                    "PSNR of the result.",
                    DiagnosticAxis::Step,
                    perPoint(path,
                             [&](const PathPoint& p) {
                                 return std::size_t(p.step) < error.rms.size() ? error.rms[std::size_t(p.step)] : none;
                             }),
                    std::min(error.psnr, 120.0), "dB against the whole run"});
}

Rows ofImage(const Trajectory& t, std::int64_t image, const DiagnosticOptions& options) {
    const Path path = pathOf(t, image, options.manifold);
    Rows rows;
    if (path.frames.size() < 2 || path.points.empty() || path.frames.front().empty()) return rows;
    images(path, options.range, rows);
    geometry(path, rows);
    errors(t, path, rows);
    guidance(path, rows);
    measures(t, path, image, rows);
    if (options.whole) reuse(t, *options.whole, path, image, options.range, rows);
    return rows;
}

// Means over images where the value is defined.
void average(std::vector<Rows>& all) {
    Rows& first = all.front();
    for (auto& row : first) {
        double summary = 0;
        int summaries = 0;
        std::vector<double> sum(row.values.size(), 0);
        std::vector<int> count(row.values.size(), 0);
        for (const auto& rows : all) {
            const Diagnostic* same = findDiagnostic(rows, row.id);
            if (!same || same->values.size() != sum.size()) continue;
            if (!std::isnan(same->summary)) summary += same->summary, ++summaries;
            for (std::size_t k = 0; k < sum.size(); ++k)
                if (!std::isnan(same->values[k])) sum[k] += same->values[k], ++count[k];
        }
        for (std::size_t k = 0; k < sum.size(); ++k) row.values[k] = count[k] > 0 ? sum[k] / count[k] : none;
        row.summary = summaries > 0 ? summary / summaries : none;
    }
}

}  // namespace

std::vector<Diagnostic> diagnose(const Trajectory& t, const DiagnosticOptions& options) {
    if (!t.initial || t.initial.shape().rank() == 0) return {};
    if (options.image) return ofImage(t, *options.image, options);
    const std::int64_t n = t.initial.shape()[0], looked = std::min<std::int64_t>(n, 64);
    std::vector<Rows> all;
    for (std::int64_t i = 0; i < looked; ++i) all.push_back(ofImage(t, i * n / looked, options));
    if (all.empty()) return {};
    if (all.size() > 1) average(all);
    return std::move(all.front());
}

bool isMeasuredByRule(const Diagnostic& d) { return d.id.starts_with(measuredPrefix); }

const Diagnostic* findDiagnostic(const std::vector<Diagnostic>& all, const std::string& id) {
    const auto it = std::find_if(all.begin(), all.end(), [&](const Diagnostic& d) { return d.id == id; });
    return it == all.end() ? nullptr : &*it;
}

}  // namespace meander
