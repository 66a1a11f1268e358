// Geometry, projection and guidance measures against closed forms, and the anisotropic Gaussian of
// design/interface.md 2.2 and 2.3.
#include <QtTest>
#include <cmath>
#include <functional>
#include <numbers>

#include "engine/analysis/diagnostics.h"
#include "engine/analysis/guidance_measures.h"
#include "engine/analysis/projection.h"
#include "engine/analysis/symmetric_eigen.h"
#include "kernels/api/philox.h"

using namespace meander;

namespace {

bool near(double a, double b, double relative) { return std::abs(a - b) <= relative * std::abs(b); }

// d = 3072 with a power law of mean 0.25 = σ_data². The design's numbers come from one draw of x_T on "a power-law
// spectrum" whose exponent it does not state; with λ_i ∝ i^−1.1 every final error of that list lies within the scatter
// of one draw (finalErrorsOfTheGaussian computes that scatter).
std::vector<double> spectrum() {
    std::vector<double> l;
    for (int i = 1; i <= 3072; ++i) l.push_back(std::pow(i, -1.1));
    double mean = 0;
    for (double v : l) mean += v / double(l.size());
    for (double& v : l) v *= 0.25 / mean;
    return l;
}

std::vector<double> karras(int n, double rho) {
    std::vector<double> s;
    for (int i = 0; i <= n; ++i)
        s.push_back(
            std::pow(std::pow(80, 1 / rho) + double(i) / n * (std::pow(0.002, 1 / rho) - std::pow(80, 1 / rho)), rho));
    return s;
}

std::vector<double> logLinear(int n) {
    std::vector<double> s;
    for (int i = 0; i <= n; ++i) s.push_back(80 * std::pow(0.002 / 80, double(i) / n));
    return s;
}

// The exact path x_i(σ) = x_i(σ_T) √((λ_i + σ²)/(λ_i + σ_T²)).
std::vector<State> exactPath(const std::vector<double>& lambda, const std::vector<double>& sigmas) {
    State start(lambda.size());
    for (std::size_t i = 0; i < start.size(); i += 4) {
        double z[4];
        kernels::normal4({5, 0, 0, 0}, std::uint32_t(i / 4), z);
        for (std::size_t k = 0; k < 4; ++k) start[i + k] = z[k];
    }
    // Unit mean square, so that the length of the chord does not depend on the draw.
    const double scale = 1 / rms(start);
    for (std::size_t i = 0; i < start.size(); ++i) start[i] *= scale * std::sqrt(lambda[i] + 6400);
    std::vector<State> frames;
    for (double s : sigmas) {
        State x = start;
        for (std::size_t i = 0; i < x.size(); ++i) x[i] *= std::sqrt((lambda[i] + s * s) / (lambda[i] + 6400));
        frames.push_back(std::move(x));
    }
    return frames;
}

// RMS over the components when every one has mean square m_i: its expectation, and its scatter from one draw of normals
// to the next.
struct Expected {
    double value, scatter;
};
Expected expected(const std::vector<double>& squares) {
    double sum = 0, fourth = 0;
    for (double m : squares) {
        sum += m;
        fourth += m * m;
    }
    const double n = double(squares.size()), value = std::sqrt(sum / n);
    return {value, std::sqrt(2 * fourth) / n / (2 * value)};
}

double slopeAt(double lambda, double sigma) { return sigma / (lambda + sigma * sigma); }
double eulerFactor(double lambda, double from, double to) { return 1 + (to - from) * slopeAt(lambda, from); }
double heunFactor(double lambda, double from, double to) {
    return 1 + (to - from) / 2 * (slopeAt(lambda, from) + eulerFactor(lambda, from, to) * slopeAt(lambda, to));
}
double exactFactor(double lambda, double from, double to) {
    return std::sqrt((lambda + to * to) / (lambda + from * from));
}

// Final error of a one-step method: every component is multiplied by its own factor.
Expected finalError(const std::vector<double>& lambda, const std::vector<double>& s,
                    double (*step)(double, double, double)) {
    std::vector<double> squares;
    for (double l : lambda) {
        double factor = 1;
        for (std::size_t k = 0; k + 1 < s.size(); ++k) factor *= step(l, s[k], s[k + 1]);
        const double off = factor - exactFactor(l, s.front(), s.back());
        squares.push_back((l + s.front() * s.front()) * off * off);
    }
    return expected(squares);
}

// RMS over the components of a factor applied to the exact state at σ.
double rmsOfFactors(const std::vector<double>& lambda, double sigma, const std::function<double(double)>& factor) {
    std::vector<double> squares;
    for (double l : lambda) squares.push_back((l + sigma * sigma) * factor(l) * factor(l));
    return expected(squares).value;
}

// A record of Heun on a Gaussian, one image of d numbers.
Trajectory heunRecord(const std::vector<double>& lambda, const std::vector<double>& s) {
    Trajectory t;
    t.levels = s;
    State x = exactPath(lambda, {s.front()}).front();
    const auto tensor = [](const State& v) { return HostTensor::fromDoubles({1, std::int64_t(v.size())}, v); };
    const auto denoised = [&](const State& v, double sigma) {
        State d = v;
        for (std::size_t i = 0; i < d.size(); ++i) d[i] *= lambda[i] / (lambda[i] + sigma * sigma);
        return d;
    };
    t.initial = tensor(x);
    for (std::size_t k = 0; k + 1 < s.size(); ++k) {
        const auto add = [&](const State& at, double sigma) {
            auto e = std::make_shared<Evaluation>();
            e->index = int(t.evaluations.size());
            e->step = int(k);
            e->tau = e->sigma = sigma;
            e->state = tensor(at);
            const State d = denoised(at, sigma);
            e->denoised = tensor(d);
            t.evaluations.push_back(e);
            return d;
        };
        const State d = add(x, s[k]);
        State next = x;
        for (std::size_t i = 0; i < x.size(); ++i) next[i] += (s[k + 1] - s[k]) * (x[i] - d[i]) / s[k];
        const State d2 = add(next, s[k + 1]);
        for (std::size_t i = 0; i < x.size(); ++i)
            x[i] += (s[k + 1] - s[k]) / 2 * ((x[i] - d[i]) / s[k] + (next[i] - d2[i]) / s[k + 1]);
        auto step = std::make_shared<Step>();
        step->index = int(k);
        step->from = s[k];
        step->to = s[k + 1];
        step->state = tensor(x);
        t.steps.push_back(step);
    }
    return t;
}

}  // namespace

class TestGeometry : public QObject {
    Q_OBJECT
private slots:
    // Straight and even on the torus, across its edge several times: straight and even without it, in the path and in
    // what is diagnosed of it.
    void anglesAreUnwrapped() {
        const auto angles = [](int k) {
            const std::vector<double> values{std::remainder(1 + 0.9 * k, 2 * std::numbers::pi),
                                             std::remainder(-2 - 0.5 * k, 2 * std::numbers::pi)};
            return HostTensor::fromDoubles({1, 2}, values);
        };
        Trajectory t;
        t.initial = angles(0);
        for (int k = 0; k <= 40; ++k) t.levels.push_back(1 - k / 40.0);
        for (int k = 0; k < 40; ++k) {
            t.evaluations.push_back(std::make_shared<Evaluation>(Evaluation{
                .index = k, .step = k, .tau = t.levels[std::size_t(k)], .state = angles(k), .denoised = angles(40)}));
            t.steps.push_back(std::make_shared<Step>(Step{.index = k,
                                                          .from = t.levels[std::size_t(k)],
                                                          .to = t.levels[std::size_t(k) + 1],
                                                          .state = angles(k + 1)}));
        }
        QVERIFY(arcOverChord(pathOf(t, 0).frames) > 2);
        const Path path = pathOf(t, 0, ManifoldKind::Torus);
        QVERIFY(std::abs(arcOverChord(path.frames) - 1) < 1e-7);  // angles are stored as floats
        QVERIFY(std::abs(chordLength(path.frames) - 40 * std::hypot(0.9, 0.5)) < 1e-5);
        for (std::size_t k = 0; k < path.points.size(); ++k) QCOMPARE(path.points[k].state, path.frames[k]);
        QVERIFY(rmsDifference(path.points.back().denoised, path.frames.back()) < 1e-6);
        const auto flat = diagnose(t), wrapped = diagnose(t, {.manifold = ManifoldKind::Torus});
        QVERIFY(findDiagnostic(flat, "G1")->summary > 2);
        QVERIFY(std::abs(findDiagnostic(wrapped, "G1")->summary - 1) < 1e-7);
    }

    void eigenOfKnownMatrices() {
        const auto e = symmetricEigen({2, 1, 1, 2}, 2);
        QVERIFY(near(e.values[0], 3, 1e-14) && near(e.values[1], 1, 1e-14));
        QVERIFY(near(std::abs(e.vectors[0][0]), std::sqrt(0.5), 1e-14));
        // A random one: A v = λ v and orthonormal vectors.
        const int n = 25;
        std::vector<double> a(n * n);
        for (int i = 0; i < n; ++i)
            for (int j = 0; j <= i; ++j)
                a[std::size_t(i * n + j)] = a[std::size_t(j * n + i)] = std::sin(i * 3.7 + j * j * 1.3);
        const auto r = symmetricEigen(a, n);
        for (int k = 0; k < n; ++k) {
            for (int i = 0; i < n; ++i) {
                double s = 0;
                for (int j = 0; j < n; ++j) s += a[std::size_t(i * n + j)] * r.vectors[std::size_t(k)][std::size_t(j)];
                QVERIFY(std::abs(s - r.values[std::size_t(k)] * r.vectors[std::size_t(k)][std::size_t(i)]) < 1e-11);
            }
            if (k > 0)
                QVERIFY(r.values[std::size_t(k)] <= r.values[std::size_t(k - 1)]
                        && std::abs(dot(r.vectors[std::size_t(k)], r.vectors[0])) < 1e-12);
        }
    }

    void circleAndLine() {
        std::vector<State> circle, line;
        for (int k = 0; k <= 20; ++k) {
            const double a = M_PI * k / 20;
            circle.push_back({3 * std::cos(a), 3 * std::sin(a), 0});
            line.push_back({1.0 * k * k, 2.0 * k * k, -1.0 * k * k});
        }
        QVERIFY(near(arcOverChord(circle), M_PI / 2, 2e-3));
        const auto angles = turningAngles(circle), curvature = mengerCurvature(circle),
                   deviation = chordDeviation(circle);
        QVERIFY(std::isnan(angles.front()) && std::isnan(angles.back()));
        for (int k = 1; k < 20; ++k)
            QVERIFY(near(angles[std::size_t(k)], 9, 1e-9) && near(curvature[std::size_t(k)], 1.0 / 3, 1e-9));
        QVERIFY(near(deviation[10], 3, 1e-12) && deviation[0] < 1e-12);
        QVERIFY(near(arcOverChord(line), 1, 1e-14));
        for (std::size_t k = 1; k < 20; ++k) QVERIFY(turningAngles(line)[k] < 1e-6);
        QVERIFY(std::isnan(arcOverChord({{1, 1}, {1, 1}})));
    }

    void anisotropicGaussian() {
        const auto sigmas = karras(60, 7);
        const auto frames = exactPath(spectrum(), sigmas);
        QVERIFY2(near(chordLength(frames), 4397, 0.02), qPrintable(QString::number(chordLength(frames))));
        QVERIFY2(std::abs(arcOverChord(frames) - 1.0002) < 1e-4,
                 qPrintable(QString::number(arcOverChord(frames), 'g', 7)));
        const auto deviation = chordDeviation(frames);
        const auto largest = std::max_element(deviation.begin(), deviation.end());
        QVERIFY2(near(*largest, 16.3, 0.25), qPrintable(QString::number(*largest)));
        const double at = sigmas[std::size_t(largest - deviation.begin())];
        QVERIFY2(at > 8 && at < 18, qPrintable(QString::number(at)));
        const auto basis = fitProjection(frames);
        QVERIFY2(std::abs(basis.chordShare - 0.99997) < 2e-5, qPrintable(QString::number(basis.chordShare, 'g', 8)));
        QVERIFY2(near(basis.shares[0], 0.935, 0.03), qPrintable(QString::number(basis.shares[0])));
        QVERIFY2(near(basis.shares[0] + basis.shares[1], 0.996, 0.004),
                 qPrintable(QString::number(basis.shares[0] + basis.shares[1])));
        QVERIFY(near(basis.shares[0] + basis.shares[1] + basis.shares[2], 0.9996, 0.001));
        const auto points = project(basis, frames);
        QVERIFY(near(points.front().along, basis.chordLength, 1e-12) && std::abs(points.front().first) < 1e-6
                && std::abs(points.back().along) < 1e-9);
        QVERIFY(points[30].first > 0 && points[30].second >= 0);
        QVERIFY(captionOf(basis, points).starts_with("PC1 9"));
        // Two runs in one basis: the pinned one keeps its chord.
        const auto shared =
            fitProjection(std::vector<std::vector<State>>{frames, exactPath(spectrum(), karras(20, 3))});
        QVERIFY(near(dot(shared.chord, basis.chord), 1, 1e-12));
    }

    void finalErrorsOfTheGaussian_data() {
        QTest::addColumn<double>("rho");
        QTest::addColumn<bool>("isHeun");
        QTest::addColumn<double>("want");
        const std::pair<double, double> euler[] = {{1, 0.335},  {3, 0.1225},  {5, 0.1079},
                                                   {7, 0.1065}, {10, 0.1080}, {0, 0.1207}};
        for (const auto& [rho, want] : euler) QTest::addRow("Euler rho %g", rho) << rho << false << want;
        QTest::newRow("Heun rho 7") << 7.0 << true << 0.0640;
        QTest::newRow("Heun rho 1, unstable") << 1.0 << true << 3.76;
    }
    // ρ = 0 stands for log-linear.
    void finalErrorsOfTheGaussian() {
        QFETCH(double, rho);
        QFETCH(bool, isHeun);
        QFETCH(double, want);
        const auto [value, scatter] =
            finalError(spectrum(), rho > 0 ? karras(10, rho) : logLinear(10), isHeun ? heunFactor : eulerFactor);
        QVERIFY2(std::abs(value - want) < 2 * scatter,
                 qPrintable(QString("%1 ± %2 per draw, want %3").arg(value).arg(scatter).arg(want)));
    }

    // On an isotropic Gaussian (λ = 0.25) the relative error is one number, without a draw: ρ = 7 and the tangent law
    // with N = 10 steps of Euler.
    void isotropicGaussian() {
        const auto relative = [](const std::vector<double>& s) {
            double factor = 1;
            for (std::size_t k = 0; k + 1 < s.size(); ++k) factor *= eulerFactor(0.25, s[k], s[k + 1]);
            return std::abs(factor / exactFactor(0.25, s.front(), s.back()) - 1);
        };
        std::vector<double> tangent;
        for (int i = 0; i <= 10; ++i)
            tangent.push_back(0.5 * std::tan(std::atan(160.0) + i / 10.0 * (std::atan(0.004) - std::atan(160.0))));
        QVERIFY2(std::abs(relative(karras(10, 7)) - 0.247) < 0.0005,
                 qPrintable(QString::number(relative(karras(10, 7)))));
        QVERIFY2(std::abs(relative(tangent) - 0.115) < 0.0005, qPrintable(QString::number(relative(tangent))));
    }

    // Step doubling, 2 RMS(one step − two half steps) for Euler, is within 11 % of the true local error at every step;
    // the embedded pair over-estimates 1.0 to 1.9 times.
    void localErrorEstimates() {
        const auto l = spectrum();
        const auto s = karras(10, 7);
        for (std::size_t k = 0; k + 1 < s.size(); ++k) {
            const double from = s[k], to = s[k + 1], middle = (from + to) / 2;
            const double truth =
                rmsOfFactors(l, from, [&](double v) { return eulerFactor(v, from, to) - exactFactor(v, from, to); });
            const double doubling =
                2 * rmsOfFactors(l, from, [&](double v) {
                    return eulerFactor(v, from, to) - eulerFactor(v, from, middle) * eulerFactor(v, middle, to);
                });
            const double embedded =
                rmsOfFactors(l, from, [&](double v) { return eulerFactor(v, from, to) - heunFactor(v, from, to); });
            QVERIFY2(std::abs(doubling / truth - 1) < 0.11,
                     qPrintable(QString("step %1: %2 of %3").arg(k).arg(doubling).arg(truth)));
            QVERIFY2(embedded / truth > 0.99 && embedded / truth < 1.95,
                     qPrintable(QString("step %1: %2 of %3").arg(k).arg(embedded).arg(truth)));
        }
    }

    void diagnosticsOfARecord() {
        std::vector<double> l = spectrum();
        l.resize(1024);
        const auto s = karras(20, 7);
        const Trajectory t = heunRecord(l, s);
        const auto all = diagnose(t);
        for (const char* id : {"D3", "D4", "G1", "G3", "G6", "G7", "G9", "G10", "G11", "E2", "E5"})
            QVERIFY2(findDiagnostic(all, id), id);
        for (const char* id : {"C1", "C2", "E4"}) QVERIFY(!findDiagnostic(all, id));
        const auto& norm = *findDiagnostic(all, "G9");
        QCOMPARE(norm.values.size(), 21u);
        for (std::size_t k = 0; k < 20; ++k)
            QVERIFY2(std::abs(norm.values[k] - 1) < 0.05, qPrintable(QString::number(norm.values[k])));
        QVERIFY(std::abs(findDiagnostic(all, "G7")->values[0] - 1) < 0.05);
        QVERIFY(findDiagnostic(all, "G10")->values[0] > 0.999);
        double shares = 0;
        for (double v : findDiagnostic(all, "E5")->values) shares += v;
        QVERIFY(near(shares, 1, 1e-12));
        const auto& distance = *findDiagnostic(all, "D4");
        QVERIFY(distance.values.back() > distance.values.front());
        // E2 is the difference of Heun and Euler: Δσ/2 of the difference of slopes.
        const auto& e2 = *findDiagnostic(all, "E2");
        QVERIFY(e2.values[5] > 0);
        QVERIFY(diagnose(Trajectory()).empty());
        QVERIFY(diagnose(t, {7}).empty());
    }

    void guidanceMeasures() {
        PathPoint p;
        p.tau = p.sigma = 2;
        p.state = {1, 2, 3, 4};
        p.conditional = {1, 0, 0, 0};
        p.unconditional = {0, 1, 0, 0};
        p.denoised = {4, -3, 0, 0};
        QVERIFY(near(differenceInClean(p), std::sqrt(0.5), 1e-14));
        QVERIFY(near(differenceInNoise(p), std::sqrt(0.5) / 2, 1e-14));
        QVERIFY(std::abs(alignmentInClean(p)) < 1e-12);  // cos 0: −log10(1) = 0
        QVERIFY(near(parallelShare(p), std::sqrt(0.5), 1e-14));
        QCOMPARE(clippedShare(p), 0.5);
        // Nearly parallel vectors keep their digits: an angle of 1e−7 has 1 − cos = 5e−15.
        QVERIFY(near(alignment({1, 0}, {1, 1e-7}), -std::log10(5e-15), 1e-6));
        QVERIFY(near(alignment({1, 0}, {2, 0}), 16, 1e-12));
        p.unconditional.clear();
        QVERIFY(std::isnan(differenceInClean(p)) && std::isnan(saturation(p)));
    }

    void straightLineIsStraight() {
        Trajectory t;
        t.levels = {1, 0.5, 0};
        t.initial = HostTensor::fromDoubles({1, 2}, std::vector<double>{4, -2});
        for (int k = 0; k < 2; ++k) {
            auto e = std::make_shared<Evaluation>();
            e->index = e->step = k;
            e->tau = 1 - 0.5 * k;
            e->sigma = k == 0 ? INFINITY : 1;
            e->state = HostTensor::fromDoubles({1, 2}, std::vector<double>{k == 0 ? 4.0 : 2.5, k == 0 ? -2.0 : -0.5});
            e->denoised = HostTensor::fromDoubles({1, 2}, std::vector<double>{1, 1});
            t.evaluations.push_back(e);
            auto s = std::make_shared<Step>();
            s->index = k;
            s->from = e->tau;
            s->to = 0.5 - 0.5 * k;
            s->state =
                HostTensor::fromDoubles({1, 2}, k == 0 ? std::vector<double>{2.5, -0.5} : std::vector<double>{1, 1});
            t.steps.push_back(s);
        }
        const Path path = pathOf(t, 0);
        QVERIFY(straightness(path) < 1e-20);
        QVERIFY(firstOrderness(path) < 1e-20);
        QVERIFY(near(arcOverChord(path.frames), 1, 1e-14));
        const auto all = diagnose(t);
        QVERIFY(!findDiagnostic(all, "E2") && !findDiagnostic(all, "E4"));  // Euler has nothing to compare with
    }
};

QTEST_GUILESS_MAIN(TestGeometry)
#include "tst_geometry.moc"
