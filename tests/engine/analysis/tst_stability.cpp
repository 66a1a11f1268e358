// Stability through the samplers' own code, against closed forms.
#include <QtTest>
#include <cmath>

#include "engine/analysis/stability.h"

using namespace meander;

namespace {

using Complex = std::complex<double>;

const std::vector<Complex> places = {{-0.1, 0}, {-0.5, 0.3},  {-1, 0},    {-1.2, -0.7}, {-1.9, 0.05},
                                     {-2.5, 1}, {-0.02, 1.5}, {0.4, 0.2}, {-3, -2},     {0, 0.8}};

double largest(std::initializer_list<Complex> recurrence) {
    double size = 0;
    const std::vector<Complex> c(recurrence);
    for (const Complex& root : recurrenceRoots(c)) size = std::max(size, std::abs(root));
    return size;
}

Params given(const char* json) { return *paramsFromJson(Json::parse(json)); }

}  // namespace

class TestStability : public QObject {
    Q_OBJECT
private slots:
    void roots() {
        // (x − 2)(x + i)(x − 0.5): x³ = (2.5 − i) x² + (−1 + 2.5 i) x − i
        const std::vector<Complex> c = {{0, -1}, {-1, 2.5}, {2.5, -1}};
        auto x = recurrenceRoots(c);
        for (const Complex& want : {Complex(2), Complex(0, -1), Complex(0.5)})
            QVERIFY(std::any_of(x.begin(), x.end(), [&](const Complex& r) { return std::abs(r - want) < 1e-12; }));
        QCOMPARE(largest({Complex(-0.3, 0.4)}), 0.5);
    }

    void closedForms_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("params");
        QTest::addColumn<QString>("form");
        const auto add = [](const char* id, const char* params, const char* form) {
            QTest::addRow("%s %s", id, params) << id << params << form;
        };
        add("euler", "{}", "1");
        add("ddim", "{}", "1");
        add("ddim_inversion", "{}", "1");
        add("flow_inversion", "{}", "1");
        add("flow_inversion", R"({"solver": "midpoint"})", "2");
        add("heun", "{}", "2");
        add("dpm_2", "{}", "2");
        add("riemannian_flow", R"({"solver": "rk4"})", "4");
        add("rk4", "{}", "4");
        add("lms", R"({"order": 2})", "AB2");
        add("lms", R"({"order": 3})", "AB3");
        add("lms", R"({"order": 4})", "AB4");
        add("dpmpp_2m", "{}", "AB2");  // far from 0, extrapolating D is extrapolating the slope
        add("dpm_inversion", "{}", "AB2");
        add("fixed_point_inversion", R"({"iterations": 150, "depth": 0})", "implicit");
    }
    void closedForms() {
        QFETCH(QString, sampler);
        QFETCH(QString, params);
        QFETCH(QString, form);
        const auto* info = findSampler(sampler.toStdString());
        QVERIFY(info);
        std::vector<Complex> where = places;
        if (form == "implicit")
            where = {{0.1, 0}, {0.4, 0.2}, {0.3, -0.5}, {0.7, 0.1}};  // where its iteration contracts
        const auto got = amplification(*info, given(params.toLatin1()), where);
        for (std::size_t i = 0; i < where.size(); ++i) {
            const Complex z = where[i];
            double want = 0;
            if (form == "1") want = std::abs(1.0 + z);
            if (form == "2") want = std::abs(1.0 + z + z * z / 2.0);
            if (form == "4") want = std::abs(1.0 + z + z * z / 2.0 + z * z * z / 6.0 + z * z * z * z / 24.0);
            if (form == "AB2") want = largest({-0.5 * z, 1.0 + 1.5 * z});
            if (form == "AB3") want = largest({5.0 / 12 * z, -16.0 / 12 * z, 1.0 + 23.0 / 12 * z});
            if (form == "AB4") want = largest({-9.0 / 24 * z, 37.0 / 24 * z, -59.0 / 24 * z, 1.0 + 55.0 / 24 * z});
            if (form == "implicit") want = 1 / std::abs(1.0 - z);
            QVERIFY2(std::abs(got[i] - want) < 2e-4 * (1 + want), qPrintable(QString("z = %1 + %2 i: %3, not %4")
                                                                                 .arg(z.real())
                                                                                 .arg(z.imag())
                                                                                 .arg(got[i], 0, 'g', 10)
                                                                                 .arg(want, 0, 'g', 10)));
        }
    }

    // In log τ the exponential integrator of DPM++ 2M decays y towards D exactly: y' = e^{−h} y + g (1.5 D − 0.5 D₋), D
    // = (1 + z/h) y, g = 1 − e^{−h}.
    void exponentialIntegrator() {
        for (double h : {0.1, 0.5, 1.5}) {
            const StabilityOptions log{StabilityClock::LogNoise, h};
            const auto first = amplification(*findSampler("euler"), {}, places, log),
                       second = amplification(*findSampler("dpmpp_2m"), {}, places, log);
            for (std::size_t i = 0; i < places.size(); ++i) {
                const Complex g = (1 - std::exp(-h)) * (1.0 + places[i] / h);
                QVERIFY(std::abs(first[i] - std::abs(std::exp(-h) + g)) < 1e-9 * (1 + first[i]));
                const double want = largest({-0.5 * g, std::exp(-h) + 1.5 * g});
                QVERIFY2(std::abs(second[i] - want) < 1e-6 * (1 + want),
                         qPrintable(QString("%1 %2").arg(second[i]).arg(want)));
            }
        }
    }

    // The stable part of the negative real axis. Momentum (Wizadwongsa et al. 2023): 2 − β for GHVB of order 1 + β, 2
    // (2 − β)/β for Euler with HB.
    void intervals_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("params");
        QTest::addColumn<double>("wanted");
        const auto add = [](const char* id, const char* params, double wanted) {
            QTest::addRow("%s %s", id, params) << id << params << wanted;
        };
        add("euler", "{}", 2);
        add("heun", "{}", 2);
        add("rk4", "{}", 2.785293563);
        add("lms", R"({"order": 2})", 1);
        add("lms", R"({"order": 3})", 6.0 / 11);
        add("lms", R"({"order": 4})", 0.3);
        add("dpmpp_2m", "{}", 1);
        add("ghvb", R"({"momentum_number": 1.8})", 1.2);
        add("ghvb", R"({"momentum_number": 1.5})", 1.5);
        add("ghvb", R"({"momentum_number": 0.8, "kind": "hb"})", 3);
        add("ghvb", R"({"momentum_number": 0.5, "kind": "hb"})", 6);
    }
    void intervals() {
        QFETCH(QString, sampler);
        QFETCH(QString, params);
        QFETCH(double, wanted);
        const double got = stabilityInterval(*findSampler(sampler.toStdString()), given(params.toLatin1()));
        QVERIFY2(std::abs(got - wanted) < 2e-3 * wanted, qPrintable(QString::number(got, 'g', 8)));
    }
    // The whole plane at once is what its points are one by one; Euler's region is the disc around −1.
    void region() {
        StabilityRegion bounds;
        bounds.columns = 40;
        bounds.rows = 30;
        const auto r = stabilityRegion(*findSampler("euler"), {}, bounds);
        QCOMPARE(r.growth.size(), std::size_t(1200));
        double area = 0;
        for (double g : r.growth) area += (g <= 1) * (5.0 / 40) * (6.0 / 30);
        QVERIFY2(std::abs(area - M_PI) < 0.15, qPrintable(QString::number(area)));
        const auto heun = stabilityRegion(*findSampler("heun"), {}, bounds);
        const std::vector<Complex> one = {{-4 + 17.5 / 40 * 5, -3 + 12.5 / 30 * 6}};
        QVERIFY(std::abs(heun.growth[12 * 40 + 17] - amplification(*findSampler("heun"), {}, one)[0]) < 1e-9);
    }
    // Every deterministic sampler of the table gives numbers at a harmless place, near e^z; what cannot be judged says
    // so.
    void wholeTable() {
        const std::vector<Complex> z = {{-0.05, 0.02}};
        for (const auto& s : samplers()) {
            const double g = amplification(s, {}, z)[0];
            if (s.freeSteps || s.needsData) {
                QVERIFY(std::isnan(g));
                continue;
            }
            if (s.stochastic || s.order == 0) continue;
            if (s.id == "dopri5" || s.id == "dpm_adaptive" || s.id == "parallel" || s.id == "time_shift"
                || s.id == "addim")
                continue;  // not linear, or not step by step
            QVERIFY2(std::abs(g - std::exp(-0.05)) < 0.02,
                     qPrintable(QString("%1 %2").arg(QString::fromStdString(s.id)).arg(g)));
        }
    }
};

QTEST_GUILESS_MAIN(TestStability)
#include "tst_stability.moc"
