// Tensors share, copy, slice and combine as their header says.
#include <QtTest>
#include <cmath>

#include "engine/tensor/tensor.h"

using namespace meander;

class TestTensor : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({2});

    Tensor make(Shape s, std::vector<double> v) { return upload(*m_backend, HostTensor::fromDoubles(s, v)); }

private slots:
    void hostTensors() {
        const HostTensor t = HostTensor::fromFloats({2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5.5f});
        QCOMPARE(t.at(5), 5.5);
        QVERIFY(t.doubles().empty() && t.floats().size() == 6);
        QCOMPARE(t.rows(1, 1).toFloats(), (std::vector<float>{3, 4, 5.5f}));
        QVERIFY(t.sameBits(HostTensor::fromFloats({2, 3}, t.floats())));
        QVERIFY(!t.sameBits(HostTensor::fromFloats({3, 2}, t.floats())));
        QVERIFY(!t.sameBits(t.toF16()) && t.toF16().type() == DType::F16 && t.toF16().at(5) == 5.5);
        QVERIFY(!HostTensor() && HostTensor().toFloats().empty());
        QVERIFY_THROWS_EXCEPTION(std::out_of_range, t.at(6));
        QVERIFY_THROWS_EXCEPTION(std::out_of_range, t.rows(1, 2));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, HostTensor({2}, DType::F32, std::vector<std::byte>(7)));
        const float nan = NAN;
        QVERIFY(
            HostTensor::fromFloats({1}, std::span(&nan, 1)).sameBits(HostTensor::fromFloats({1}, std::span(&nan, 1))));
    }
    void sharingAndCopies() {
        const Tensor a = make({2, 2}, {1, 2, 3, 4});
        const Tensor same = a, row = a.slice(1, 1), flat = a.reshaped({4}), copy = a.clone();
        m_backend->fill(row, 9);
        QCOMPARE(download(same).toDoubles(), (std::vector<double>{1, 2, 9, 9}));
        QCOMPARE(download(flat).toDoubles(), (std::vector<double>{1, 2, 9, 9}));
        QCOMPARE(download(copy).toDoubles(), (std::vector<double>{1, 2, 3, 4}));
        QVERIFY(a.converted(DType::F64).view().data == a.view().data);
        QCOMPARE(download(a.converted(DType::F32)).toDoubles(), (std::vector<double>{1, 2, 9, 9}));
        QVERIFY(download(a.converted(DType::BF16)).type() == DType::F32);
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, a.reshaped({3}));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, a.slice(1, 2));
        QVERIFY(!Tensor());
    }
    void memoryComesBack() {
        const auto before = m_backend->memoryUse().current;
        {
            const Tensor a(*m_backend, {1000, 1000});
            const Tensor row = a.slice(3, 1);
            QVERIFY(m_backend->memoryUse().current >= before + 4'000'000);
        }
        QCOMPARE(m_backend->memoryUse().current, before);
    }
    void combinations() {
        const Tensor a = make({2, 2}, {1, 2, 3, 4}), b = make({2, 2}, {10, 20, 30, 40});
        QCOMPARE(download(combine({{2, a}, {-0.5, b}})).toDoubles(), (std::vector<double>{-3, -6, -9, -12}));
        const Tensor both[] = {a, b};
        const std::vector<double> factors[] = {{1, 0}, {0, 2}};
        QCOMPARE(download(combineRows(both, factors)).toDoubles(), (std::vector<double>{1, 2, 60, 80}));
        QCOMPARE(download(stackRows(both)).toDoubles(), (std::vector<double>{1, 2, 3, 4, 10, 20, 30, 40}));
        QCOMPARE(stackRows(both).shape(), Shape({4, 2}));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, combine({{1, a}, {1, make({4}, {1, 2, 3, 4})}}));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, stackRows(std::span<const Tensor>()));
        const auto rms = rmsRows(make({2, 2}, {3, 4, 0, 0}));
        QVERIFY(std::abs(rms[0] - std::sqrt(12.5)) < 1e-12 && rms[1] == 0);
    }
};

QTEST_GUILESS_MAIN(TestTensor)
#include "tst_tensor.moc"
