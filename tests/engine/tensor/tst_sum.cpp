// Formulas written with tensors have the bits of the fused combination that one would solve by hand.
#include <QtTest>
#include <cmath>

#include "engine/tensor/sum.h"

using namespace meander;

class TestSum : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({2});

    Tensor wave(double rate, DType type = DType::F32) {
        std::vector<double> v;
        for (int i = 0; i < 256; ++i) v.push_back(3 * std::sin(rate * i + 0.3) + 0.1 * std::cos(7 * rate * i));
        return upload(*m_backend, HostTensor::fromDoubles({4, 64}, v)).converted(type);
    }
    static double worst(const Tensor& a, const Tensor& b) {
        const auto x = download(a).toDoubles(), y = download(b).toDoubles();
        double w = 0;
        for (std::size_t i = 0; i < x.size(); ++i) w = std::max(w, std::abs(x[i] - y[i]) / (1 + std::abs(y[i])));
        return w;
    }
    static int different(const Tensor& a, const Tensor& b) {
        const auto x = download(a).toDoubles(), y = download(b).toDoubles();
        int n = 0;
        for (std::size_t i = 0; i < x.size(); ++i) n += x[i] != y[i];
        return n;
    }

private slots:
    // Heun's step over a range of levels, and DDIM's. The factors differ by a rounding of double precision. Where the
    // level halves they are dyadic by hand, so that some sums are ties between two single-precision values (12 of 256
    // here), which the rounding decides; elsewhere it moves at most two values by one unit in the last place.
    void formulasAreOneKernel_data() {
        QTest::addColumn<double>("from");
        QTest::addColumn<double>("to");
        for (const double from : {80.0, 14.6, 1.0, 0.73, 0.03})
            for (const double ratio : {0.9, 0.5, 0.1})
                QTest::addRow("%g to %g", from, ratio * from) << from << ratio * from;
    }
    void formulasAreOneKernel() {
        QFETCH(double, from);
        QFETCH(double, to);
        for (const DType type : {DType::F32, DType::F64}) {
            const Tensor x = wave(0.37, type), d = wave(0.11, type), p = wave(0.23, type), d2 = wave(0.05, type);
            const double half = (to - from) / 2, bound = type == DType::F32 ? 1.2e-7 : 1e-14;
            const Sum slope = (x - d) / from, slopeAtEnd = (p - d2) / to;
            const Tensor heun = x + (to - from) / 2 * (slope + slopeAtEnd),
                         heunByHand =
                             combine({{1 + half / from, x}, {-half / from, d}, {half / to, p}, {-half / to, d2}});
            const Tensor ddim = d + to * slope, ddimByHand = combine({{to / from, x}, {1 - to / from, d}});
            QVERIFY2(worst(heun, heunByHand) <= bound, qPrintable(QString::number(worst(heun, heunByHand))));
            QVERIFY2(worst(ddim, ddimByHand) <= bound, qPrintable(QString::number(worst(ddim, ddimByHand))));
            if (type != DType::F32) continue;
            const int ties = std::abs(to / from - 0.5) < 1e-12 ? 12 : 2;
            QVERIFY(different(heun, heunByHand) <= ties && different(ddim, ddimByHand) <= ties);
        }
    }
    void sameTensorsAreOneTerm() {
        const Tensor x = wave(0.37), y = wave(0.11);
        QCOMPARE(worst(x - x + 2 * y, combine({{2, y}})), 0.0);
        QCOMPARE(worst(x + x - 3 * x, combine({{-1, x}})), 0.0);
        QCOMPARE(worst(-(x - y), combine({{-1, x}, {1, y}})), 0.0);
        const Tensor same = (1.0 * x);
        QVERIFY(same.view().data == x.view().data);  // nothing to compute: the tensor itself
    }
    // A term of factor 0 does not count, whatever it holds; nothing but such terms is 0.
    void zeros() {
        const Tensor x = wave(0.37);
        Tensor nan(*m_backend, x.shape(), x.type());
        m_backend->fill(nan, NAN);
        QCOMPARE(worst(x + 0 * nan, x), 0.0);
        QCOMPARE(worst(0 * x, combine({{0, x}})), 0.0);
        const Sum nothing;
        QCOMPARE(worst(x + nothing, x), 0.0);
        QCOMPARE(worst(x + 2 * nothing - nothing / 3, x), 0.0);
        const auto made = [](const Sum& s) -> Tensor { return s; };
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, made(nothing));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, made(x + Sum(Tensor())));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, made(x + Sum(wave(0.37, DType::F64))));
    }
    // A sum may be kept and used again; assignments accumulate.
    void sumsAreValues() {
        const Tensor x = wave(0.37), y = wave(0.11);
        const Sum slope = (x - y) / 4;
        const Tensor once = x + 2 * slope, twice = x + 3 * slope;
        QCOMPARE(worst(once, combine({{1.5, x}, {-0.5, y}})), 0.0);
        QCOMPARE(worst(twice, combine({{1.75, x}, {-0.75, y}})), 0.0);
        Sum sum;
        for (int k = 1; k <= 3; ++k) sum += k * y;
        sum -= x;
        sum *= 2;
        sum /= 4;
        QCOMPARE(worst(sum, combine({{3, y}, {-0.5, x}})), 0.0);
    }
};

QTEST_GUILESS_MAIN(TestSum)
#include "tst_sum.moc"
