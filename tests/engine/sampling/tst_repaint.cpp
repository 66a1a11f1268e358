// RePaint against its algorithm written out in the paper's terms, its limits, and what it is for: the conditional
// distribution.
#include <QtTest>
#include <cmath>

#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// The authors' list of times, T − 1 … −1: a step down each, and after an arrival at 0, j, 2j … (below T − j) up again
// by j, r − 1 times.
std::vector<int> publishedTimes(int total, int jump, int resamples) {
    std::map<int, int> left;
    for (int t = 0; t < total - jump; t += jump) left[t] = resamples - 1;
    std::vector<int> times;
    for (int t = total; t >= 1;) {
        times.push_back(--t);
        if (left[t] > 0) {
            --left[t];
            for (int k = 0; k < jump; ++k) times.push_back(++t);
        }
    }
    times.push_back(-1);
    return times;
}

Params points(std::vector<double> known, int jump, int resamples, double eta = 1) {
    return {
        {"known", known}, {"jump_length", std::int64_t(jump)}, {"resamples", std::int64_t(resamples)}, {"eta", eta}};
}

// Not linear, and the elements of a row see each other.
DenoiseResult bent(const DenoiseRequest& q, double scale) {
    auto v = download(q.x).toDoubles();
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) {
        const double a = v[i] * scale, b = v[i + 1] * scale;
        v[i] = std::sin(a) + 0.2 * b;
        v[i + 1] = std::cos(b) - 0.4 * a;
    }
    return {tensorOf(q.x.shape(), v), {}, {}};
}

}  // namespace

class TestRepaint : public QObject {
    Q_OBJECT
private slots:
    void algorithm_data() {
        QTest::addColumn<int>("steps");
        QTest::addColumn<int>("jump");
        QTest::addColumn<int>("resamples");
        for (const auto& [t, j, r] : {std::tuple{12, 3, 3}, {10, 1, 2}, {9, 4, 5}, {5, 10, 3}, {7, 2, 1}})
            QTest::addRow("%d steps, %d x %d", t, j, r) << t << j << r;
    }
    // Lugmayr et al. 2022, algorithm 1, with α, β and the posterior of Ho et al. 2020, in native coordinates; the noise
    // is what the sampler drew, in its order.
    void algorithm() {
        QFETCH(int, steps);
        QFETCH(int, jump);
        QFETCH(int, resamples);
        const Process p = processNamed("vp");
        const auto levels = *makeSchedule("uniform_t", p, steps, {});
        const Tensor data = tensorOf({2, 2}, {0.3, 5, -0.7, 5}), start = combine({{levels[0], normals(2, 2, 4)}});
        std::vector<std::vector<double>> drawn;
        std::vector<double> asked;
        const NoiseFunction noise = [&, source = philox(9)](const NoiseRequest& q, const Tensor& like) {
            const Tensor z = source(q, like);
            drawn.push_back(download(z).toDoubles());
            return z;
        };
        const RequestEstimator network = [&](const DenoiseRequest& q) {
            asked.push_back(q.tau);
            return bent(q, p.nativeScale(q.tau));
        };
        const auto& info = *findSampler("repaint");
        const Params params = points({1, 0}, jump, resamples);
        const auto got = solve(info, p, levels, start, params, network, noise, 0, data);

        const auto alphaBar = [&](int time) {
            return time < 0 ? 1 : 1 / (1 + std::pow(levels[std::size_t(steps - 1 - time)], 2));
        };
        auto x = download(start).toDoubles();
        for (double& v : x) v *= std::sqrt(alphaBar(steps - 1));
        const auto x0 = download(data).toDoubles();
        const auto times = publishedTimes(steps, jump, resamples);
        std::size_t next = 0, calls = 0;
        for (std::size_t k = 0; k + 1 < times.size(); ++k) {
            const double here = alphaBar(times[k]);
            if (times[k + 1] > times[k]) {  // all steps up at once: x ← √(Π α) x + √(1 − Π α) z
                const std::size_t first = k;
                while (times[k + 2] > times[k + 1]) ++k;
                const double kept = alphaBar(times[k + 1]) / alphaBar(times[first]);
                for (std::size_t i = 0; i < x.size(); ++i)
                    x[i] = std::sqrt(kept) * x[i] + std::sqrt(1 - kept) * drawn[next][i];
                ++next;
                continue;
            }
            const double there = alphaBar(times[k + 1]), alpha = here / there, beta = 1 - alpha;
            QVERIFY(calls < asked.size() && asked[calls] == levels[std::size_t(steps - 1 - times[k])]);
            ++calls;
            const auto estimate = download(bent({tensorOf({2, 2}, x), 0, 0, 0, 0, {}}, 1).denoised).toDoubles();
            const bool isEnd = times[k + 1] < 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double mean = std::sqrt(there) * beta / (1 - here) * estimate[i]
                                    + std::sqrt(alpha) * (1 - there) / (1 - here) * x[i];
                const double sampled =
                    isEnd ? mean : mean + std::sqrt((1 - there) / (1 - here) * beta) * drawn[next][i];
                x[i] = i % 2 == 0
                           ? (isEnd ? x0[i] : std::sqrt(there) * x0[i] + std::sqrt(1 - there) * drawn[next + 1][i])
                           : sampled;
            }
            next += isEnd ? 0 : 2;
        }
        QCOMPARE(asked.size(), calls);
        QCOMPARE(drawn.size(), next);
        QVERIFY2(worstDifference(got.values(), x) < 1e-11,
                 qPrintable(QString::number(worstDifference(got.values(), x))));
        int planned = 0;
        for (int k = 0; k < steps; ++k) planned += info.requestsInStep(k, steps, filled(info, params));
        QCOMPARE(planned, int(calls));
    }
    // Nothing known and no way back is DDIM with η; everything known returns the data, every bit; a box of an image
    // leaves the rest as it was.
    void limits() {
        for (const auto& name : processNames) {
            const Process p = processNamed(name);
            const auto levels = *makeSchedule("cosine", p, 7, {});
            const Tensor data = tensorOf({3, 2}, {0.3, 1, -0.7, 2, 0.1, -1}),
                         start = combine({{levels[0], normals(3, 2, 4)}});
            const RequestEstimator network = [&](const DenoiseRequest& q) {
                return bent(q, 1 / (p.signal(q.tau) + q.tau));
            };
            for (double eta : {0.0, 0.6, 1.0}) {
                const auto one = solve(*findSampler("repaint"), p, levels, start, points({0, 0}, 3, 1, eta), network,
                                       philox(2), 0, data),
                           other = solve(*findSampler("ddim"), p, levels, start, {{"eta", eta}}, network, philox(2));
                QVERIFY2(worstDifference(one.values(), other.values()) < 1e-13,
                         qPrintable(QString::number(worstDifference(one.values(), other.values()))));
            }
            QCOMPARE(solve(*findSampler("repaint"), p, levels, start, points({1, 1}, 2, 3), network, philox(2), 0, data)
                         .values(),
                     download(data).toDoubles());
            const Tensor image = cosineStart(0.7, DType::F64, 0.37, {1, 8, 6, 2});
            const auto painted =
                solve(*findSampler("repaint"), p, levels, combine({{levels[0], philox(1)({0, 9, 0, 0}, image)}}),
                      {{"box", std::vector<double>{0.5, 0.25, 0.5, 0.25}}, {"jump_length", std::int64_t(2)}}, network,
                      philox(2), 0, image)
                    .values();
            const auto before = download(image).toDoubles();
            for (std::size_t i = 0; i < before.size(); ++i) {
                const std::size_t row = i / 12, column = i / 2 % 6;
                QCOMPARE(painted[i] != before[i], row >= 2 && row < 4 && column >= 3);
            }
            QVERIFY_THROWS_EXCEPTION(Failure, solve(*findSampler("repaint"), p, levels, start, {}, network, philox(2)));
        }
    }
    // Two modes on a diagonal, the first coordinate known. The second should fall to the modes by their posterior
    // weights; the algorithm only comes nearer to that by resampling, because its reverse steps see the known part with
    // noise drawn afresh and not the part itself.
    void conditional() {
        const double stddev = 0.3, known = 0.05;
        const Mixture modes(2, {-1, -1, 1, 1}, {stddev * stddev, stddev * stddev});
        const double posterior = 1 / (1 + std::exp(-2 * known / (stddev * stddev)));
        const Process p = processNamed("vp");
        const auto levels = *makeSchedule("karras", p, 40, {});
        const int n = 4000;
        std::vector<double> x0(2 * n, 0.0);
        for (int i = 0; i < n; ++i) x0[std::size_t(2 * i)] = known;
        const RequestEstimator exact = [&](const DenoiseRequest& q) {
            const auto y = download(q.x).toDoubles();
            std::vector<double> d(y.size());
            for (std::size_t i = 0; i < y.size(); i += 2)
                modes.denoise(std::span(y).subspan(i, 2), 1, q.tau, {}, std::span(d).subspan(i, 2));
            return DenoiseResult{tensorOf(q.x.shape(), d), {}, {}};
        };
        const auto share = [&](int resamples) {
            const auto x = solve(*findSampler("repaint"), p, levels, combine({{levels[0], normals(n, 2, 4)}}),
                                 points({1, 0}, 5, resamples), exact, philox(6), 0, tensorOf({n, 2}, x0))
                               .values();
            int right = 0;
            for (std::size_t i = 1; i < x.size(); i += 2) right += x[i] > 0;
            return double(right) / n;
        };
        const double straight = share(1), resampled = share(10);
        qInfo("at the mode of posterior weight %.4f: %.4f without resampling, %.4f with ten", posterior, straight,
              resampled);
        QVERIFY(std::abs(resampled - posterior) < std::abs(straight - posterior));
    }
};

QTEST_GUILESS_MAIN(TestRepaint)
#include "tst_repaint.moc"
