// The parts of schedule fitting against closed forms: the dynamic programme against every subset, costs and predictions
// against the Gaussian's exact flow, the bound of Align Your Steps against its definition and its stationary levels.
#include <QtTest>
#include <cmath>
#include <numbers>
#include <random>

#include "engine/optimise/error_estimate.h"
#include "engine/optimise/fit_methods.h"
#include "engine/optimise/recorded_model.h"
#include "engine/optimise/step_costs.h"
#include "engine/schedule/schedule.h"

using namespace meander;
using List = std::vector<double>;

namespace {

std::mt19937_64 randomness(5);
double uniform(double a, double b) { return std::uniform_real_distribution<double>(a, b)(randomness); }
double normal() { return std::normal_distribution<double>()(randomness); }

List karras(const Process& p, int steps) { return *makeSchedule("karras", p, steps, {}); }

// Exact paths of a Gaussian with these variances and mean 0: y_i(τ) = y_i(T) √((λ_i + τ²)/(λ_i + T²)).
ReferencePaths gaussianPaths(const List& variances, const List& levels, int paths) {
    ReferencePaths r;
    r.process = Process::varianceExploding(0.002, 80);
    r.levels = levels;
    for (int m = 0; m < paths; ++m) {
        ReferencePath path;
        List unit;  // of the noisy state's deviation
        for (std::size_t i = 0; i < variances.size(); ++i) unit.push_back(normal());
        for (const double tau : levels) {
            State y, d;
            for (std::size_t i = 0; i < variances.size(); ++i) {
                y.push_back(unit[i] * std::sqrt(variances[i] + tau * tau));
                d.push_back(y.back() * variances[i] / (variances[i] + tau * tau));
            }
            path.states.push_back(y);
            if (tau > 0) path.denoised.push_back(d);
        }
        r.paths.push_back(path);
    }
    return r;
}

double bruteForce(const CostMatrix& c, int intervals, double gamma) {
    const int inner = c.points() - 2;
    double best = INFINITY;
    for (int chosen = 0; chosen < 1 << inner; ++chosen) {
        std::vector<int> points{0};
        for (int i = 0; i < inner; ++i)
            if (chosen >> i & 1) points.push_back(i + 1);
        points.push_back(c.points() - 1);
        if (int(points.size()) != intervals + 1) continue;
        double cost = 0, weight = 1;
        for (int k = 0; k < intervals; ++k, weight *= gamma)
            cost += weight * c.at(points[std::size_t(k)], points[std::size_t(k) + 1]);
        best = std::min(best, cost);
    }
    return best;
}

double costOf(const CostMatrix& c, const std::vector<int>& points, double gamma) {
    double cost = 0, weight = 1;
    for (std::size_t k = 0; k + 1 < points.size(); ++k, weight *= gamma)
        cost += weight * c.at(points[k], points[k + 1]);
    return cost;
}

double rmsOf(const List& squares) {
    double sum = 0;
    for (const double v : squares) sum += v / double(squares.size());
    return std::sqrt(sum);
}

// E‖D(x_σ) − D(x_s)‖² of a Gaussian, x_s = x_σ + noise, from its second moments.
double changeOfEstimate(double variance, double sigma, double above) {
    const double c = variance / (variance + sigma * sigma), d = variance / (variance + above * above);
    return c * c * (variance + sigma * sigma) + d * d * (variance + above * above)
           - 2 * c * d * (variance + sigma * sigma);
}

// The levels of least bound for one variance by shooting: the stationarity of every level gives the one below it from
// the two above, 1/σ_{i+1}² = 1/σ_i² + (σ_{i−1}² − σ_i²)(λ + σ_i²)/(σ_i⁴ (λ + σ_{i−1}²)), and σ_1 is bisected until the
// last is the lowest.
List stationaryLevels(double variance, double highest, double lowest, int intervals) {
    const auto shot = [&](double second) {
        List s{highest, second};
        while (int(s.size()) <= intervals) {
            const double a = s[s.size() - 2] * s[s.size() - 2], b = s.back() * s.back();
            s.push_back(1 / std::sqrt(1 / b + (a - b) * (variance + b) / (b * b * (variance + a))));
        }
        return s;
    };
    double low = lowest, high = highest;
    for (int i = 0; i < 200; ++i) {
        const double middle = std::sqrt(low * high);
        (shot(middle).back() < lowest ? low : high) = middle;
    }
    return shot(low);
}

}  // namespace

class TestFitting : public QObject {
    Q_OBJECT
private slots:
    void everySubset() {
        int cases = 0;
        for (int points = 2; points <= 10; ++points)
            for (int intervals = 1; intervals < points; ++intervals)
                for (const double gamma : {0.8, 1.0, 1.15})
                    for (int repeat = 0; repeat < 4; ++repeat) {
                        CostMatrix c(points);
                        for (int i = 0; i < points; ++i)
                            for (int j = i + 1; j < points;
                                 ++j)  // negative ones too, as the deviation has; some closed
                                if (repeat == 0 || uniform(0, 1) > 0.1) c.at(i, j) = uniform(-0.2, 1);
                        const double best = bruteForce(c, intervals, gamma);
                        if (!std::isfinite(best)) {
                            QVERIFY_THROWS_EXCEPTION(Failure, cheapestPath(c, intervals, gamma));
                            continue;
                        }
                        const LevelPath path = cheapestPath(c, intervals, gamma);
                        QCOMPARE(int(path.points.size()), intervals + 1);
                        QVERIFY(path.points.front() == 0 && path.points.back() == points - 1);
                        QVERIFY2(std::abs(path.cost - best) < 1e-12, qPrintable(QString::number(path.cost - best)));
                        QVERIFY(std::abs(costOf(c, path.points, gamma) - best) < 1e-12);
                        ++cases;
                    }
        qInfo("%d matrices agree with every subset", cases);
        QVERIFY_THROWS_EXCEPTION(Failure, cheapestPath(CostMatrix(4), 4));
        QVERIFY_THROWS_EXCEPTION(Failure, cheapestPath(CostMatrix(4), 0));
    }

    // One Euler step from level i to level j of one variance: e = y_j (√(…)-ratio of the slope − 1) in closed form.
    void costsOfAGaussian() {
        const List variances{0.3, 0.02};
        const ReferencePaths r = gaussianPaths(variances, karras(Process::varianceExploding(0.002, 80), 12), 3);
        const CostMatrix l1 = stepCosts(r, StepCost::L1), l2 = stepCosts(r, StepCost::L2),
                         squared = stepCosts(r, StepCost::Squared), deviation = stepCosts(r, StepCost::Deviation);
        for (int i = 0; i < r.intervals(); ++i)
            for (int j = i + 1; j <= r.intervals(); ++j) {
                const double a = r.levels[std::size_t(i)], b = r.levels[std::size_t(j)];
                double wantedL1 = 0, wantedL2 = 0, wantedSquared = 0, wantedDeviation = 0;
                for (const ReferencePath& p : r.paths) {
                    double e[2], chord[2], state[2], reached[2];
                    const State &from = p.states.front(), &to = p.states.back();
                    for (std::size_t k = 0; k < 2; ++k) {
                        const double factor = std::sqrt((variances[k] + b * b) / (variances[k] + a * a)),
                                     slope = a / (variances[k] + a * a);
                        e[k] = p.states[std::size_t(i)][k] * (1 + (b - a) * slope - factor);
                        chord[k] = to[k] - from[k];
                        state[k] = to[k] - p.states[std::size_t(j)][k];
                        reached[k] = state[k] - e[k];
                    }
                    wantedL1 += (std::abs(e[0]) + std::abs(e[1])) / 2 / 3;
                    wantedL2 += std::hypot(e[0], e[1]) / std::numbers::sqrt2 / 3;
                    wantedSquared += (e[0] * e[0] + e[1] * e[1]) / 2 / 3;
                    // In the plane the distance from a line is a cross product.
                    const auto offLine = [&](const double* v) {
                        return std::abs(v[0] * chord[1] - v[1] * chord[0]) / std::hypot(chord[0], chord[1]);
                    };
                    wantedDeviation += (offLine(reached) - offLine(state)) / std::numbers::sqrt2 / 3;
                }
                const double scale = 1e-10 * a;
                QVERIFY(std::abs(l1.at(i, j) - wantedL1) < scale && std::abs(l2.at(i, j) - wantedL2) < scale
                        && std::abs(squared.at(i, j) - wantedSquared) < scale * a);
                QVERIFY2(std::abs(deviation.at(i, j) - wantedDeviation) < 1e-6,
                         qPrintable(QString::number(deviation.at(i, j) - wantedDeviation)));
            }
    }

    // Where the estimate moves by one share in all directions the prediction is exact: a Gaussian of one variance. Its
    // errors are those of the sampler on the exact denoiser.
    void predictionOfAnIsotropicGaussian() {
        const Process p = Process::varianceExploding(0.002, 80);
        const ReferencePaths r = gaussianPaths(List(6, 0.25), karras(p, 120), 8);
        const RecordedModel model(r);
        for (int k = 0; k < r.intervals(); ++k)
            for (const double share : model.shares(k))
                QVERIFY(std::abs(share - 0.25 / (0.25 + std::pow(r.levels[std::size_t(k)], 2))) < 1e-9);
        const auto backend = kernels::createCpuBackend({1});
        for (const char* id : {"euler", "dpmpp_2m", "heun"})
            for (const char* schedule : {"karras", "uniform_t", "exponential"}) {
                const List levels = *makeSchedule(schedule, p, 9, {});
                const List predicted = predictedErrors(r, *findSampler(id), {}, levels);
                List measured;
                for (const ReferencePath& path : r.paths) {
                    const Tensor start = upload(*backend, HostTensor::fromDoubles({1, 6}, path.states.front()));
                    const List end =
                        solve(*findSampler(id), p, levels, start, {}, gaussianEstimator(p, Gaussian{0, 0.5})).values();
                    measured.push_back(std::pow(rmsDifference(end, path.states.back()), 2));
                }
                const double off = rmsOf(predicted) / rmsOf(measured) - 1;
                QVERIFY2(std::abs(off) < 0.02, qPrintable(QString("%1 %2 %3").arg(id, schedule).arg(off)));
            }
        // One path tells nothing of others.
        const ReferencePaths one = gaussianPaths({0.25, 0.1}, karras(p, 10), 1);
        QCOMPARE(RecordedModel(one).shares(4), List{1.0});
    }

    // A Gaussian with many variances: its axes are found from the ends, roughly, since the paths are few. The error is
    // predicted within a fifth, and the small ones within four thousandths, for one-step and multistep samplers.
    void predictionOfAnAnisotropicGaussian() {
        const Process p = Process::varianceExploding(0.002, 80);
        List variances;
        for (int i = 1; i <= 32; ++i) variances.push_back(2.0 / i / i);
        const ReferencePaths r = gaussianPaths(variances, karras(p, 80), 48);
        const auto backend = kernels::createCpuBackend({1});
        const Estimator exact = [&](const Tensor& y, double tau) {
            List values = download(y).toDoubles();
            for (std::size_t i = 0; i < values.size(); ++i)
                values[i] *= variances[i % 32] / (variances[i % 32] + tau * tau);
            return DenoiseResult{upload(*backend, HostTensor::fromDoubles(y.shape(), values)), {}, {}};
        };
        for (const char* id : {"euler", "dpmpp_2m", "heun"})
            for (const char* schedule : {"karras", "uniform_t", "exponential"}) {
                const List levels = *makeSchedule(schedule, p, 8, {});
                const double predicted = rmsOf(predictedErrors(r, *findSampler(id), {}, levels));
                List measured;
                for (const ReferencePath& path : r.paths) {
                    const Tensor start = upload(*backend, HostTensor::fromDoubles({1, 32}, path.states.front()));
                    measured.push_back(
                        std::pow(rmsDifference(solve(*findSampler(id), p, levels, start, {}, exact).values(),
                                               path.states.back()),
                                 2));
                }
                qInfo("%s, %s: predicted %.4f, measured %.4f", id, schedule, predicted, rmsOf(measured));
                QVERIFY(std::abs(predicted - rmsOf(measured)) < 0.2 * rmsOf(measured) + 0.004);
            }
    }

    // With c = 1 and one path Euler's predicted error is the sum of what its steps miss, as the costs have it.
    void predictionOfOnePath() {
        const Process p = Process::varianceExploding(0.002, 80);
        const ReferencePaths r = gaussianPaths({0.25}, karras(p, 30), 1);
        const std::vector<int> points{0, 9, 17, 24, 30};
        List levels;
        double sum = 0;
        for (const int k : points) levels.push_back(r.levels[std::size_t(k)]);
        for (std::size_t i = 0; i + 1 < points.size(); ++i)
            sum +=
                r.eulerStep(r.paths[0], points[i], points[i + 1])[0] - r.paths[0].states[std::size_t(points[i + 1])][0];
        const List squares = predictedErrors(r, *findSampler("euler"), {}, levels);
        QVERIFY2(std::abs(std::sqrt(squares[0]) / std::abs(sum) - 1) < 1e-9, qPrintable(QString::number(sum)));
    }

    // The Riemann sum of the bound is its definition, integrated.
    void boundIsItsDefinition() {
        const List sigmas{80, 6, 1.1, 0.4, 0.05}, variances{0.4, 0.03};
        double direct = 0;
        constexpr int cells = 20000;
        for (std::size_t i = 0; i + 1 < sigmas.size(); ++i)
            for (int k = 0; k < cells; ++k) {
                const double x = std::log(sigmas[i + 1]) + (k + 0.5) / cells * std::log(sigmas[i] / sigmas[i + 1]),
                             sigma = std::exp(x);
                for (const double l : variances)
                    direct += changeOfEstimate(l, sigma, sigmas[i]) / (sigma * sigma)
                              * std::log(sigmas[i] / sigmas[i + 1]) / cells;
            }
        double common = 0;  // ½ ∫ −v'/σ² dσ in closed form
        for (const double l : variances) {
            const auto primitive = [l](double s) { return (std::log(s * s / (l + s * s)) + l / (l + s * s)) / 2; };
            common += primitive(sigmas.front()) - primitive(sigmas.back());
        }
        const double bound = klubSum(sigmas, gaussianEnergy(variances)) - common;
        QVERIFY2(std::abs(bound / direct - 1) < 1e-5, qPrintable(QString("%1 %2").arg(bound).arg(direct)));
    }

    // Align Your Steps on a Gaussian, where its optimum is known (asked: within 5 %).
    void boundIsLeastAtTheStationaryLevels() {
        double worst = 0;
        for (const double variance : {0.25, 1.0, 0.01})
            for (const int intervals : {2, 4, 7, 10, 19}) {
                const List wanted = stationaryLevels(variance, 80, 0.002, intervals),
                           found = klubLevels(80, 0.002, intervals, gaussianEnergy({variance}));
                QCOMPARE(found.size(), wanted.size());
                for (std::size_t i = 0; i < wanted.size(); ++i)
                    worst = std::max(worst, std::abs(std::log(found[i] / wanted[i])));
            }
        qInfo("levels of least bound differ from the closed form by %.1e", worst);
        QVERIFY2(worst < 1e-4, qPrintable(QString::number(worst)));
        // Many variances: no closed form, but no change of a level makes the bound smaller.
        const auto v = gaussianEnergy({1, 0.3, 0.1, 0.03, 0.01});
        const List best = klubLevels(80, 0.002, 9, v);
        for (int k = 0; k < 300; ++k) {
            List other = best;
            for (std::size_t i = 1; i + 1 < other.size(); ++i) other[i] *= std::exp(uniform(-0.02, 0.02));
            QVERIFY(klubSum(other, v) >= klubSum(best, v) * (1 - 1e-12));
        }
        // A flow begins at pure noise, where σ is infinite.
        const List flow = klubLevels(INFINITY, 0.01, 6, v);
        QVERIFY(std::isinf(flow.front()) && flow.back() == 0.01 && std::is_sorted(flow.rbegin(), flow.rend()));
        QVERIFY_THROWS_EXCEPTION(Failure, klubLevels(80, 0, 4, v));
    }

    // The bound from recorded paths: its mean is the closed form within its interval, and its levels are nearly as
    // good.
    void boundFromRecords() {
        const List variances{0.5, 0.2, 0.08, 0.02};
        const Process p = Process::varianceExploding(0.002, 80);
        const ReferencePaths r = gaussianPaths(variances, karras(p, 80), 400);
        const auto v = gaussianEnergy(variances);
        const List levels = recordedKlubLevels(r, 8);
        QVERIFY(levels.size() == 9 && levels.front() == r.levels.front() && levels.back() == 0);
        const List sigmas(levels.begin(), levels.end() - 1), best = klubLevels(80, 0.002, 7, v);
        const List karrasSigmas = karras(p, 8);
        const double own = klubSum(sigmas, v), least = klubSum(best, v), usual = klubSum({karrasSigmas.data(), 8}, v);
        double common = 0;
        for (const double l : variances) {
            const auto primitive = [l](double s) { return (std::log(s * s / (l + s * s)) + l / (l + s * s)) / 2; };
            common += primitive(80) - primitive(0.002);
        }
        qInfo("KLUB: least %.4f, from records %.4f, Karras %.4f", least - common, own - common, usual - common);
        QVERIFY(own - common < 1.05 * (least - common) && own < usual);
        const MeanInterval estimate = recordedKlub(r, levels);
        QVERIFY2(estimate.low < own - common && own - common < estimate.high,
                 qPrintable(QString("%1 in %2 … %3").arg(own - common).arg(estimate.low).arg(estimate.high)));
        for (std::size_t k = 1; k < recordedEnergy(r).size(); ++k)
            QVERIFY(recordedEnergy(r)[k] >= recordedEnergy(r)[k - 1]);
    }

    // Every method gives N falling steps from the reference's first level to 0, and the equal-error one equal errors.
    void methods() {
        const Process p = Process::varianceExploding(0.002, 80);
        const ReferencePaths r = gaussianPaths({1, 0.3, 0.1, 0.03}, karras(p, 240), 20);
        for (const FitMethod& m : fitMethods()) {
            QCOMPARE(findFitMethod(m.id), &m);
            for (const int steps : {2, 5, 20}) {
                const List levels = m.levels({r, steps, 1.0});
                QVERIFY2(int(levels.size()) == steps + 1 && levels.front() == r.levels.front() && levels.back() == 0
                             && std::is_sorted(levels.rbegin(), levels.rend()),
                         m.id.c_str());
            }
        }
        QVERIFY(!findFitMethod("l3"));
        const auto spread = [&](const List& levels) {
            double least = INFINITY, most = 0;
            for (std::size_t i = 0; i + 2 < levels.size(); ++i) {  // the step to 0 is as long as it must be
                double e = 0;
                for (const double l : {1.0, 0.3, 0.1, 0.03}) {
                    const double a = levels[i], b = levels[i + 1];
                    e +=
                        (l + a * a) * std::pow(1 + (b - a) * a / (l + a * a) - std::sqrt((l + b * b) / (l + a * a)), 2);
                }
                least = std::min(least, e), most = std::max(most, e);
            }
            return std::sqrt(most / least);
        };
        const double equal = spread(findFitMethod("equal_error")->levels({r, 20, 1.0})), usual = spread(karras(p, 20));
        qInfo("largest over smallest step error: %.2f, Karras %.0f", equal, usual);
        QVERIFY(equal < 2 && usual > 10 * equal);
    }

    void errors() {
        // Mean 2, standard deviation 1 of four: t(0.975, 3) = 3.182446.
        const ErrorEstimate e = errorEstimate({1, 3, 1, 3});
        const double half = 3.182446305284263 * std::sqrt(4.0 / 3 / 4);
        QVERIFY(std::abs(e.rms - std::sqrt(2.0)) < 1e-12);
        QVERIFY(std::abs(e.high - std::sqrt(2 + half)) < 1e-9 && std::abs(e.low - std::sqrt(2 - half)) < 1e-9);
        QVERIFY(errorEstimate({0.25}).low == 0.5 && errorEstimate({0.25}).high == 0.5);
        // Paired: every seed is better by a little, though the seeds differ by much more.
        const ErrorEstimate good = errorEstimate({1, 4, 9, 16}), bad = errorEstimate({1.1, 4.1, 9.1, 16.2}),
                            mixed = errorEstimate({2, 3, 10, 15});
        QVERIFY(compared(good, bad).verdict == Verdict::Better && compared(good, bad).saved > 0);
        QVERIFY(compared(bad, good).verdict == Verdict::Worse && compared(bad, good).saved < 0);
        QVERIFY(compared(good, mixed).verdict == Verdict::NotTold);
        QVERIFY(compared(errorEstimate({1}), errorEstimate({9})).verdict == Verdict::NotTold);
        QVERIFY(agrees(0.2, 0.4) && agrees(0.4, 0.2) && agrees(0.01, -0.01) && agrees(-0.2, -0.3));
        QVERIFY(!agrees(0.2, 0.41) && !agrees(0.2, -0.2) && !agrees(0.5, 0.2));
    }
};

QTEST_GUILESS_MAIN(TestFitting)
#include "tst_fitting.moc"
