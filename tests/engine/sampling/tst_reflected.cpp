// The reflected sampler in a box: inside at every step, with the exact law of its chain, which tends to the data.
#include <QtTest>
#include <cmath>

#include "tests/engine/sampling/mixture_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// Data on [0, 1] with density 1 + 0.7 cos πx + 0.25 cos 2πx, noised by reflected Brownian motion, whose density is the
// cosine series with decayed coefficients.
double boxScore(double y, double tau) {
    const double d1 = 0.7 * std::exp(-0.5 * M_PI * M_PI * tau * tau),
                 d2 = 0.25 * std::exp(-2 * M_PI * M_PI * tau * tau);
    return -(d1 * M_PI * std::sin(M_PI * y) + 2 * d2 * M_PI * std::sin(2 * M_PI * y))
           / (1 + d1 * std::cos(M_PI * y) + d2 * std::cos(2 * M_PI * y));
}
struct BoxLaw {
    double mean, variance, fourth;  // central
};
// The exact law of the reflected chain from the uniform start. Folding u + ρz at 0 and 1 leaves cos kπ(·) as it is, so
// E cos kπy' = E[cos kπm(y)] e^{−k²π²ρ²/2} for a step to the mean m(y) = y + (τ² − τ'²) score with variance ρ² = τ² −
// τ'²; the density is their cosine series, on a grid that holds every mode that is left.
BoxLaw reflectedLaw(const std::vector<double>& levels) {
    constexpr int points = 1000;
    std::vector<double> density(points, 1.0), y(points);
    for (int i = 0; i < points; ++i) y[std::size_t(i)] = (i + 0.5) / points;
    for (std::size_t k = 0; k + 2 < levels.size(); ++k) {
        const double spread = std::sqrt(levels[k] * levels[k] - levels[k + 1] * levels[k + 1]);
        const std::size_t modes = std::min<std::size_t>(points, std::size_t(9 / (M_PI * spread)) + 2);
        std::vector<double> coefficients(modes, 0.0);
        // cos (j + 1)θ = 2 cos θ cos jθ − cos (j − 1)θ
        for (std::size_t i = 0; i < points; ++i) {
            const double c = std::cos(M_PI * (y[i] + spread * spread * boxScore(y[i], levels[k])));
            double now = 1, before = c;
            for (std::size_t j = 0; j < modes; ++j) {
                coefficients[j] += density[i] * now / points;
                before = std::exchange(now, 2 * c * now - before);
            }
        }
        for (std::size_t j = 0; j < modes; ++j)
            coefficients[j] *= (j == 0 ? 1 : 2) * std::exp(-0.5 * std::pow(double(j) * M_PI * spread, 2));
        for (std::size_t i = 0; i < points; ++i) {
            const double c = std::cos(M_PI * y[i]);
            double now = 1, before = c;
            density[i] = 0;
            for (std::size_t j = 0; j < modes; ++j) {
                density[i] += coefficients[j] * now;
                before = std::exchange(now, 2 * c * now - before);
            }
        }
    }
    // The last step takes the estimate, folded.
    const double tau = levels[levels.size() - 2];
    std::vector<double> end;
    for (double v : y) {
        const double d = std::abs(v + tau * tau * boxScore(v, tau));
        end.push_back(d > 1 ? 2 - d : d);
    }
    BoxLaw law{0, 0, 0};
    for (std::size_t i = 0; i < points; ++i) law.mean += density[i] * end[i] / points;
    for (std::size_t i = 0; i < points; ++i) {
        const double square = (end[i] - law.mean) * (end[i] - law.mean);
        law.variance += density[i] * square / points;
        law.fourth += density[i] * square * square / points;
    }
    return law;
}

}  // namespace

class TestReflected : public QObject {
    Q_OBJECT
private slots:
    void reflectedStaysInside_data() {
        QTest::addColumn<QString>("boundary");
        for (const char* b : {"reflect", "clip", "none"}) QTest::newRow(b) << b;
    }
    // Reflection keeps every state inside, and 200 000 states have the moments of the chain's exact law, its
    // discretisation error included (ten standard errors in 40 steps); clipping piles up at the walls; without either
    // states leave.
    void reflectedStaysInside() {
        QFETCH(QString, boundary);
        const Process p = Process::varianceExploding(0.01, 2);
        const auto levels = karrasLevels(40, 2, 0.01);
        const std::size_t n = 200000;
        std::mt19937 g(2);
        std::uniform_real_distribution<double> u;
        std::vector<double> start;
        for (std::size_t i = 0; i < n; ++i) start.push_back(u(g));
        std::size_t outside = 0;
        const auto estimate = elementwise([&](double y, double tau) {
            outside += y < 0 || y > 1;
            return y + tau * tau * boxScore(y, tau);
        });
        const auto got =
            solve(*findSampler("reflected"), p, levels, row(start),
                  {{"low", 0.0}, {"high", 1.0}, {"boundary", boundary.toStdString()}}, estimate, addressedNoise(4))
                .values();
        for (double v : got) outside += v < 0 || v > 1;
        const BoxLaw law = reflectedLaw(levels);
        const double dMean = (mean(got) - law.mean) / std::sqrt(law.variance / n),
                     dVariance =
                         (variance(got) - law.variance) / std::sqrt((law.fourth - law.variance * law.variance) / n);
        qInfo("%s: %zu outside, mean %.2f, variance %.2f standard errors off", qPrintable(boundary), outside, dMean,
              dVariance);
        if (boundary == "reflect") {
            QCOMPARE(outside, std::size_t(0));
            QVERIFY(std::abs(dMean) < 3 && std::abs(dVariance) < 3);
        } else if (boundary == "clip") {
            QCOMPARE(outside, std::size_t(0));
            QVERIFY(std::abs(dMean) + std::abs(dVariance) > 10);
        } else {
            QVERIFY(outside > n / 10);
        }
    }
    // That law tends to the data's with order 1 in mean and variance: ∫x = 1/2 − 2·0.7/π², ∫x² = 1/3 + 2(−0.7/π² +
    // 0.25/4π²).
    void reflectedConverges() {
        const double pi2 = M_PI * M_PI, wantMean = 0.5 - 1.4 / pi2,
                     wantVariance = 1.0 / 3 + 2 * (-0.7 / pi2 + 0.0625 / pi2) - wantMean * wantMean;
        std::vector<double> means, variances;
        for (int steps : {20, 40, 80}) {
            const BoxLaw law = reflectedLaw(karrasLevels(steps, 2, 0.01));
            means.push_back(law.mean - wantMean);
            variances.push_back(law.variance - wantVariance);
        }
        for (const auto& e : {means, variances}) {
            const double first = std::log2(e[0] / e[1]), second = std::log2(e[1] / e[2]);
            qInfo("%.3e %.3e %.3e, order %.3f %.3f", e[0], e[1], e[2], first, second);
            QVERIFY(second > first && std::abs(second - 1) < 0.1);
        }
    }
};

QTEST_GUILESS_MAIN(TestReflected)
#include "tst_reflected.moc"
