// Exact models: density, denoiser, score and flow agree with each other under every process.
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>
#include <fstream>

#include "engine/models/analytic/analytic_model.h"
#include "engine/models/analytic/point_file.h"

using namespace meander;

namespace {

const char* const processes[] = {"edm", "vp-linear", "vp-scaled-linear", "vp-cosine", "flow"};

std::unique_ptr<AnalyticModel> make(const std::string& id) { return makeAnalyticModel(*ModelId::parse(id)); }

std::vector<double> clockValues(const Process& p) {
    std::vector<double> values;
    for (double u : {0.15, 0.4, 0.6, 0.8, 0.97})
        values.push_back(std::exp(std::log(p.minimum()) + u * (std::log(p.maximum()) - std::log(p.minimum()))));
    return values;
}

HostTensor point(const std::vector<double>& x) { return HostTensor::fromDoubles({1, std::int64_t(x.size())}, x); }

}  // namespace

class TestAnalytic : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    std::vector<double> denoise(AnalyticModel& m, const std::vector<double>& x, double tau, const Prompt& prompt = {}) {
        NetworkBatch batch;
        batch.x = upload(*m_backend, point(x));
        batch.times = {m.info().process.networkTime(tau)};
        batch.taus = {tau};
        batch.targets = {0};
        batch.conditioning = {m.condition(prompt)};
        return download(m.predict(batch)).toDoubles();
    }

private slots:
    void scoreIsTheGradientOfTheLogDensity() {
        for (const char* process : processes) {
            for (const char* name : {"two-deltas", "gaussian?d=3&mean=0.3,-1,2&eigenvalues=0.5,2,0.1", "gaussian2",
                                     "ring8", "two-classes"}) {
                const std::string id = std::string("analytic:") + name
                                       + (std::string(name).find('?') == std::string::npos ? "?" : "&")
                                       + "process=" + process;
                const auto m = make(id);
                const Process& p = m->info().process;
                for (double tau : clockValues(p)) {
                    const double s = p.nativeSignal(tau), n = p.nativeNoise(tau);
                    std::vector<double> x;
                    for (std::int64_t i = 0; i < m->info().state.shape.count(); ++i)
                        x.push_back(s * 0.4 + n * (0.7 - 0.9 * double(i)));
                    const auto score = scoreOf(x, denoise(*m, x, tau), s, n);
                    for (std::size_t i = 0; i < x.size(); ++i) {
                        const double h = 1e-4 * n;
                        auto up = x, down = x;
                        up[i] += h;
                        down[i] -= h;
                        const double slope =
                            (m->logDensity(point(up), tau, {})[0] - m->logDensity(point(down), tau, {})[0]) / (2 * h);
                        QVERIFY2(
                            std::abs(score[i] - slope) < 1e-5 * (std::abs(slope) + 1 / n),
                            qPrintable(
                                QString("%1 tau %2: %3 and %4").arg(id.c_str()).arg(tau).arg(score[i]).arg(slope)));
                    }
                }
            }
        }
    }
    void classesRestrict() {
        const auto m = make("analytic:two-classes");
        const Prompt upper{.text = {}, .classIndex = 0}, lower{.text = {}, .classIndex = 1},
            none{.text = {}, .classIndex = {}, .unconditional = true};
        const std::vector<double> x{0.2, 0.1};
        const double tau = 0.5, both = std::exp(m->logDensity(point(x), tau, none)[0]);
        const double a = std::exp(m->logDensity(point(x), tau, upper)[0]),
                     b = std::exp(m->logDensity(point(x), tau, lower)[0]);
        QVERIFY(std::abs(both - 0.5 * (a + b)) < 1e-12 * both);
        const auto d = denoise(*m, x, tau, none), da = denoise(*m, x, tau, upper), db = denoise(*m, x, tau, lower);
        for (std::size_t i = 0; i < 2; ++i) QVERIFY(std::abs(d[i] - (a * da[i] + b * db[i]) / (a + b)) < 1e-12);
        QVERIFY_THROWS_EXCEPTION(Failure, m->condition({.text = {}, .classIndex = 2}));
        QVERIFY_THROWS_EXCEPTION(Failure, make("analytic:ring8")->condition({.text = {}, .classIndex = 0}));
    }
    // Integrating the probability flow finely (Heun in log τ) reproduces the closed form.
    void flowMapOfAGaussian() {
        for (const char* process : processes) {
            const auto m =
                make(std::string("analytic:gaussian?d=3&mean=0.3,-1,2&eigenvalues=0.5,2,0.1&process=") + process);
            const Process& p = m->info().process;
            const double from = 0.9 * p.maximum(), to = 0.05;
            std::vector<double> y{0.5 * from + 0.2, -0.3 * from, 0.8 * from};
            const auto exact = exactFlowMap(m->mixture(), p, from, to, y);
            const auto slope = [&](const std::vector<double>& state, double tau) {
                std::vector<double> native = state, x0(3);
                for (double& v : native) v *= p.nativeScale(tau);
                m->mixture().denoise(native, p.nativeSignal(tau), p.nativeNoise(tau), {}, x0);
                return velocityOf(state, x0, tau);
            };
            const int steps = 3000;
            for (int k = 0; k < steps; ++k) {
                const double a = from * std::pow(to / from, double(k) / steps),
                             b = from * std::pow(to / from, double(k + 1) / steps);
                const auto first = slope(y, a);
                auto trial = y;
                for (std::size_t i = 0; i < 3; ++i) trial[i] += (b - a) * first[i];
                const auto second = slope(trial, b);
                for (std::size_t i = 0; i < 3; ++i) y[i] += (b - a) * 0.5 * (first[i] + second[i]);
            }
            for (std::size_t i = 0; i < 3; ++i)
                QVERIFY2(std::abs(y[i] - exact[i]) < 2e-5 * (1 + std::abs(exact[i])),
                         qPrintable(QString("%1: %2 and %3").arg(process).arg(y[i]).arg(exact[i])));
        }
    }
    void drawsHaveTheRightMoments() {
        const auto m = make("analytic:gaussian2");
        const auto draws = m->drawData(20000, 7, {}).toDoubles();
        double mean[2] = {}, square[2] = {};
        for (std::size_t i = 0; i < draws.size(); ++i) {
            mean[i % 2] += draws[i] / 20000;
            square[i % 2] += draws[i] * draws[i] / 20000;
        }
        QVERIFY(std::abs(mean[0] - 0.5) < 0.03 && std::abs(mean[1] + 0.25) < 0.01);
        QVERIFY(std::abs(square[0] - mean[0] * mean[0] - 1) < 0.05
                && std::abs(square[1] - mean[1] * mean[1] - 0.09) < 0.005);
        QVERIFY(make("analytic:ring8")->drawData(100, 3, {}).sameBits(make("analytic:ring8")->drawData(100, 3, {})));
        const auto one = make("analytic:two-classes")->drawData(200, 3, {.text = {}, .classIndex = 1});
        QVERIFY(one.shape() == Shape({200, 2}));
    }
    void extremesStayFinite() {
        for (const char* process : processes) {
            for (const char* name : {"two-deltas", "ring8", "gaussian2"}) {
                const auto m = make(std::string("analytic:") + name + "?process=" + process);
                const Process& p = m->info().process;
                const std::size_t d = std::size_t(m->info().state.shape.count());
                for (double tau : {0.0, p.minimum(), p.maximum()})
                    for (double v : {0.0, 1.0, -1e3})
                        for (double x0 : denoise(*m, std::vector<double>(d, v), tau)) QVERIFY(std::isfinite(x0));
            }
        }
    }
    void identifiers() {
        for (const char* bad :
             {"analytic:nothing", "analytic:ring8?modes=0", "analytic:ring8?modes=x", "analytic:ring8?colour=1",
              "analytic:ring8?process=ve2", "analytic:gaussian?d=2&mean=1,2,3", "analytic:gaussian?d=2&eigenvalues=-1",
              "analytic:points", "analytic:points?file=/nowhere.csv"})
            QVERIFY_THROWS_EXCEPTION(Failure, make(bad));
        QVERIFY(!ModelId::parse("analytic:ring8?modes").ok());
        QVERIFY(!ModelId::parse("analytic:ring8?a=1&a=2").ok());
        const auto m = make("analytic:gaussian?d=3072&eigenvalues=powerlaw&exponent=1");
        QCOMPARE(m->info().state.shape, Shape({3072}));
        QVERIFY(std::abs(m->info().sigmaData - 0.5) < 1e-9);
        QVERIFY(m->info().state.type == DType::F64 && m->info().hasDensity);
    }
    void pointFiles() {
        QTemporaryDir folder;
        const auto write = [&](const char* name, const std::string& text) {
            const std::string path = folder.filePath(name).toStdString();
            std::ofstream(path, std::ios::binary) << text;
            return path;
        };
        const std::string csv = write("a.csv", "x,y\n# remark\n1, 2\n-3.5,4e-1\n"),
                          json = write("a.json", R"({"points":[[1,2],[3,4],[5,6]],"labels":[0,1,1]})");
        const auto a = readPoints(csv);
        QVERIFY2(a.ok(), a.ok() ? "" : a.error().text.c_str());
        QCOMPARE(a->values, (std::vector<double>{1, 2, -3.5, 0.4}));
        const auto b = readPoints(json);
        QVERIFY(b.ok() && b->points() == 3 && b->labels.size() == 3);
        std::string npy = std::string("\x93NUMPY\x01\x00", 8);
        const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";
        npy += char(header.size());
        npy += '\0';
        npy += header;
        const float values[] = {1, 2, 3, 4};
        npy.append(reinterpret_cast<const char*>(values), sizeof values);
        const auto c = readPoints(write("a.npy", npy));
        QVERIFY2(c.ok(), c.ok() ? "" : c.error().text.c_str());
        QCOMPARE(c->values, (std::vector<double>{1, 2, 3, 4}));
        for (std::size_t n = 0; n < npy.size(); ++n) QVERIFY(!readPoints(write("cut.npy", npy.substr(0, n))).ok());
        QVERIFY(!readPoints(write("b.csv", "1,2\n3\n")).ok());
        QVERIFY(!readPoints(write("c.csv", "1,2\n3,x\n")).ok());
        QVERIFY(!readPoints(write("d.csv", "")).ok());
        QVERIFY(!readPoints(write("e.json", "[[1],[\"a\"]]")).ok());
        const auto m = make("analytic:points?file=" + json);
        QCOMPARE(int(m->info().classes.size()), 2);
        // Far from all noise the empirical denoiser answers with the nearest point.
        const auto nearest = denoise(*m, {3.1, 3.9}, m->info().process.minimum());
        QVERIFY(std::abs(nearest[0] - 3) < 1e-9 && std::abs(nearest[1] - 4) < 1e-9);
    }
};

QTEST_GUILESS_MAIN(TestAnalytic)
#include "tst_analytic.moc"
