// A record larger than its budget lies in a file, and readers see no difference.
#include <QtTest>
#include <random>

#include "engine/tensor/spilling_store.h"

using namespace meander;

namespace {

HostTensor noise(std::int64_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> v(static_cast<std::size_t>(count));
    for (float& x : v) x = float(random()) / 7;
    return HostTensor::fromFloats({1, count}, v);
}

}  // namespace

class TestSpillingStore : public QObject {
    Q_OBJECT
private slots:
    void beyondTheBudgetInTheFile() {
        std::vector<HostTensor> kept;
        {
            SpillingStore store(100'000);
            for (unsigned i = 0; i < 40; ++i) kept.push_back(store.keep(noise(5'000, i)));
            QVERIFY(store.bytesInMemory() <= 100'000);
            QVERIFY(store.bytesInFile() >= 35 * 20'000);
        }
        // Tensors outlive the store.
        for (unsigned i = 0; i < 40; ++i) {
            const HostTensor right = noise(5'000, i), &t = kept[i];
            QVERIFY(t.sameBits(right) && right.sameBits(t));
            QCOMPARE(t.shape(), right.shape());
            QCOMPARE(t.toFloats(), right.toFloats());
            QVERIFY(t.rows(0, 1).sameBits(right));
            QCOMPARE(t.at(4'999), right.at(4'999));
        }
    }
    void largeTensorsAndSmallOnes() {
        SpillingStore store(1);
        const HostTensor large = noise(20'000'000, 1);  // more than a segment
        const HostTensor spilled = store.keep(large);
        QVERIFY(spilled.sameBits(large));
        QVERIFY(spilled.bytes().data() != large.bytes().data());  // it lies elsewhere, and `large` may go
        QCOMPARE(store.bytesInFile(), large.bytes().size());
        const HostTensor small = noise(10, 2);
        QVERIFY(store.keep(small).sameBits(small));
        QCOMPARE(store.bytesInFile(), large.bytes().size());
        QVERIFY(!store.keep({}));
    }
    void aBudgetOfItsOwn() {
        SpillingStore store;
        const HostTensor t = noise(5'000, 1);
        QVERIFY(store.keep(t).sameBits(t));
        QCOMPARE(store.bytesInFile(), std::size_t(0));
    }
};

QTEST_GUILESS_MAIN(TestSpillingStore)
#include "tst_spilling_store.moc"
