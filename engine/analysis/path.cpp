#include "engine/analysis/path.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace meander {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

State rowOf(const HostTensor& t, std::int64_t image) {
    if (!t || t.shape().rank() == 0 || image < 0 || image >= t.shape()[0]) return {};
    return t.rows(image, 1).toDoubles();
}

State minus(const State& a, const State& b) {
    State d(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
    return d;
}

PathPoint pointOf(const Evaluation& e, std::int64_t image) {
    PathPoint p;
    p.evaluation = e.index;
    p.step = e.step;
    p.tau = e.tau;
    p.sigma = e.sigma;
    p.signal = std::isinf(e.sigma) ? 0 : (e.sigma > 0 ? e.tau / e.sigma : 1);
    p.state = rowOf(e.state, image);
    p.denoised = rowOf(e.denoised, image);
    p.weight = e.guidanceWeight;
    for (const auto& b : e.branches) {
        if (b.branch == Branch::Conditional) p.conditional = rowOf(b.denoised, image);
        if (b.branch == Branch::Unconditional) p.unconditional = rowOf(b.denoised, image);
    }
    return p;
}

void wrapNear(State& angles, const State& reference) {
    constexpr double turn = 2 * std::numbers::pi;
    for (std::size_t i = 0; i < std::min(angles.size(), reference.size()); ++i)
        angles[i] -= turn * std::round((angles[i] - reference[i]) / turn);
}

// Each frame nearest to the one before; states nearest to their frame, clean estimates nearest to their state.
void unwrap(Path& path) {
    for (std::size_t k = 1; k < path.frames.size(); ++k) wrapNear(path.frames[k], path.frames[k - 1]);
    for (PathPoint& p : path.points) {
        if (std::size_t(p.step) < path.frames.size()) wrapNear(p.state, path.frames[std::size_t(p.step)]);
        for (State* d : {&p.denoised, &p.conditional, &p.unconditional}) wrapNear(*d, p.state);
    }
}

}  // namespace

Path pathOf(const Trajectory& t, std::int64_t image, ManifoldKind manifold) {
    Path path;
    if (t.initial) {
        path.frames.push_back(rowOf(t.initial, image));
        path.taus.push_back(t.levels.empty() ? 0 : t.levels.front());
    }
    for (const auto& s : t.steps)
        if (s->state) {
            path.frames.push_back(rowOf(s->state, image));
            path.taus.push_back(s->to);
        }
    int last = -1;
    for (const auto& e : t.evaluations) {
        if (e->step == last || !e->denoised) continue;
        last = e->step;
        path.points.push_back(pointOf(*e, image));
        // A record without states at requests still has them at the starts of steps.
        if (path.points.back().state.empty() && std::size_t(e->step) < path.frames.size())
            path.points.back().state = path.frames[std::size_t(e->step)];
    }
    if (manifold == ManifoldKind::Torus) unwrap(path);
    return path;
}

double dot(const State& a, const State& b) {
    double s = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) s += a[i] * b[i];
    return s;
}
double norm(const State& a) { return std::sqrt(dot(a, a)); }
double rms(const State& a) { return a.empty() ? none : norm(a) / std::sqrt(double(a.size())); }

double rmsDifference(const State& a, const State& b) {
    if (a.empty() || a.size() != b.size()) return none;
    double s = 0;
    for (std::size_t i = 0; i < a.size(); ++i) s += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(s / double(a.size()));
}

double cosine(const State& a, const State& b) {
    const double n = norm(a) * norm(b);
    return n > 0 ? std::clamp(dot(a, b) / n, -1.0, 1.0) : none;
}

double chordLength(const std::vector<State>& frames) {
    return frames.size() < 2 ? 0 : norm(minus(frames.back(), frames.front()));
}

std::vector<double> chordDeviation(const std::vector<State>& frames) {
    std::vector<double> deviation(frames.size(), 0);
    const double length = chordLength(frames);
    if (!(length > 0)) return deviation;
    State along = minus(frames.back(), frames.front());
    for (double& v : along) v /= length;
    for (std::size_t k = 0; k < frames.size(); ++k) {
        State rest = minus(frames.back(), frames[k]);
        const double projection = dot(rest, along);
        for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= projection * along[i];
        deviation[k] = norm(rest);
    }
    return deviation;
}

double arcOverChord(const std::vector<State>& frames) {
    double arc = 0;
    for (std::size_t k = 1; k < frames.size(); ++k) arc += norm(minus(frames[k], frames[k - 1]));
    const double chord = chordLength(frames);
    return chord > 0 ? arc / chord : none;
}

std::vector<double> turningAngles(const std::vector<State>& frames) {
    std::vector<double> angles(frames.size(), none);
    for (std::size_t k = 1; k + 1 < frames.size(); ++k) {
        const State in = minus(frames[k], frames[k - 1]), out = minus(frames[k + 1], frames[k]);
        // atan2 keeps small angles, where arccos of a cosine near 1 has no digits left.
        const double a = norm(in), b = norm(out);
        if (!(a > 0 && b > 0)) continue;
        double plus = 0, less = 0;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const double u = in[i] / a, v = out[i] / b;
            plus += (u + v) * (u + v);
            less += (u - v) * (u - v);
        }
        angles[k] = 2 * std::atan2(std::sqrt(less), std::sqrt(plus)) * 180 / M_PI;
    }
    return angles;
}

std::vector<double> mengerCurvature(const std::vector<State>& frames) {
    std::vector<double> curvature = turningAngles(frames);
    for (std::size_t k = 1; k + 1 < frames.size(); ++k) {
        const double across = rmsDifference(frames[k + 1], frames[k - 1]) * std::sqrt(double(frames[k].size()));
        curvature[k] = across > 0 ? 2 * std::sin(curvature[k] * M_PI / 180) / across : none;
    }
    return curvature;
}

State slopeAt(const PathPoint& p) {
    if (p.state.size() != p.denoised.size() || p.tau == 0) return {};
    State s(p.state.size());
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = (p.state[i] - p.denoised[i]) / p.tau;
    return s;
}

State noiseAt(const PathPoint& p, const State& denoised) {
    if (p.state.size() != denoised.size() || p.tau == 0) return {};
    State e(p.state.size());
    for (std::size_t i = 0; i < e.size(); ++i) e[i] = (p.state[i] - p.signal * denoised[i]) / p.tau;
    return e;
}

std::vector<double> straightnessIntegrand(const Path& path) {
    std::vector<double> values(path.points.size(), none);
    if (path.frames.size() < 2 || path.taus.front() == path.taus.back()) return values;
    State chord = minus(path.frames.front(), path.frames.back());
    for (double& v : chord) v /= path.taus.front() - path.taus.back();
    const double length = dot(chord, chord);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const State slope = slopeAt(path.points[k]);
        if (slope.empty() || !(length > 0)) continue;
        const State off = minus(chord, slope);
        values[k] = dot(off, off) / length;
    }
    return values;
}

std::vector<double> firstOrdernessIntegrand(const Path& path) {
    std::vector<double> values(path.points.size(), none);
    if (path.frames.size() < 2 || path.points.empty()) return values;
    const State noise = noiseAt(path.points.front(), path.frames.back());
    const double length = noise.empty() ? 0 : dot(noise, noise);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const State own = noiseAt(path.points[k], path.points[k].denoised);
        if (own.empty() || !(length > 0)) continue;
        const State off = minus(own, noise);
        values[k] = dot(off, off) / length;
    }
    return values;
}

// Mean over the run of a value per step, weighted by Δτ.
static double meanOverSteps(const Path& path, const std::vector<double>& integrand) {
    double sum = 0, total = 0;
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const auto step = std::size_t(path.points[k].step);
        if (step + 1 >= path.taus.size() || std::isnan(integrand[k])) continue;
        const double width = std::abs(path.taus[step] - path.taus[step + 1]);
        sum += width * integrand[k];
        total += width;
    }
    return total > 0 ? sum / total : none;
}

double straightness(const Path& path) { return meanOverSteps(path, straightnessIntegrand(path)); }
double firstOrderness(const Path& path) { return meanOverSteps(path, firstOrdernessIntegrand(path)); }

}  // namespace meander
