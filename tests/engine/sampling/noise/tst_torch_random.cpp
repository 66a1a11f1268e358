// Random streams of other programs against their own numbers (tests/golden/rng_vectors.txt), and what must hold between
// any of their numbers.
#include <QtTest>
#include <cmath>
#include <numeric>

#include "engine/core/result.h"
#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/torch_random.h"

using namespace meander;
using namespace meander::noise;

namespace {

struct Row {
    QString stream, check;
    QStringList arguments, values;
    double tolerance = 0;
};

std::vector<Row> rows() {
    QFile file(QStringLiteral(MEANDER_SOURCE_DIR "/tests/golden/rng_vectors.txt"));
    if (!file.open(QIODevice::ReadOnly)) qFatal("no vectors");
    std::vector<Row> list;
    for (const QString& line : QString::fromUtf8(file.readAll()).split('\n', Qt::SkipEmptyParts)) {
        if (line.startsWith('#')) continue;
        const auto parts = line.split('\t');
        list.push_back(
            {parts[0], parts[2], parts[1].split(' ', Qt::SkipEmptyParts), parts[4].split(' '), parts[3].toDouble()});
    }
    return list;
}

// The numbers of all calls, joined. `first`: index of the first size among the arguments.
template <class T> QList<double> joined(const QStringList& arguments, int first, auto fill) {
    QList<double> list;
    for (int i = first; i < arguments.size(); ++i) {
        std::vector<T> values(arguments[i].toULongLong());
        fill(std::span<T>(values));
        for (const T v : values) list << double(v);
    }
    return list;
}

QList<double> numbersOf(const Row& r) {
    const auto& a = r.arguments;
    const std::uint64_t seed = a[0].toULongLong();
    TorchCpuRandom cpu(seed);
    if (r.stream == "torch_randn") return joined<float>(a, 1, [&](auto out) { cpu.normals(out); });
    if (r.stream == "torch_randn64") return joined<double>(a, 1, [&](auto out) { cpu.normals(out); });
    if (r.stream == "torch_rand") return joined<float>(a, 1, [&](auto out) { cpu.uniforms(out); });
    if (r.stream == "torch_rand64") return joined<double>(a, 1, [&](auto out) { cpu.uniforms(out); });
    TorchCudaRandom gpu(seed, r.stream == "cuda" ? a[1].toLongLong() : TorchCudaRandom::unlimited);
    if (r.stream == "nv") return joined<float>(a, 1, [&](auto out) { gpu.normals(out); });
    if (r.stream == "cuda") return joined<float>(a, 2, [&](auto out) { gpu.normals(out); });
    if (r.stream == "brownian") {
        BrownianNoise path(a[1].toFloat(), a[2].toFloat(), a[3].toULongLong(), seed);
        const auto w = path.between(a[4].toFloat(), a[5].toFloat());
        return QList<double>(w.begin(), w.end());
    }
    qFatal("unknown stream");
}

// Streams of whole numbers as text, so that 64 bits are compared.
QStringList wholeNumbersOf(const Row& r) {
    const auto& a = r.arguments;
    QStringList list;
    TorchCpuRandom cpu(a[0].toULongLong());
    if (r.stream == "torch_randint")
        for (int i = 0; i < a[3].toInt(); ++i)
            list << QString::number(cpu.integer(a[1].toLongLong(), a[2].toLongLong()));
    if (r.stream == "torch_randperm")
        for (const auto v : cpu.permutation(a[1].toLongLong())) list << QString::number(v);
    if (r.stream == "seed_sequence") {
        std::vector<std::uint64_t> key;
        for (int i = 2; i < a.size(); ++i) key.push_back(a[i].toULongLong());
        for (const auto v : seedSequence(a[0].toULongLong(), key, a[1].toInt(), int(r.values.size())))
            list << QString::number(v);
    }
    return list;
}

bool isWhole(const QString& stream) {
    return stream == "torch_randint" || stream == "torch_randperm" || stream == "seed_sequence";
}

}  // namespace

class TestTorchRandom : public QObject {
    Q_OBJECT
private:
    std::map<QString, double> m_worst;

private slots:
    void vectors_data() {
        QTest::addColumn<int>("index");
        const auto all = rows();
        for (std::size_t i = 0; i < all.size(); ++i)
            QTest::addRow("%s %s, %s", qPrintable(all[i].stream), qPrintable(all[i].arguments.join(' ')),
                          qPrintable(all[i].check))
                << int(i);
    }
    void vectors() {
        QFETCH(int, index);
        const Row row = rows()[std::size_t(index)];
        if (isWhole(row.stream)) {
            QCOMPARE(wholeNumbersOf(row), row.values);
            return;
        }
        const QList<double> got = numbersOf(row);
        if (row.check == "sum") {
            QVERIFY(std::abs(std::accumulate(got.begin(), got.end(), 0.0) - row.values[0].toDouble()) <= row.tolerance);
            return;
        }
        const qsizetype first = row.check.mid(3).toLongLong();
        QVERIFY(first + row.values.size() <= got.size());
        for (qsizetype i = 0; i < row.values.size(); ++i) {
            const double error = std::abs(got[first + i] - row.values[i].toDouble());
            m_worst[row.stream] = std::max(m_worst[row.stream], error);
            QVERIFY2(
                error <= row.tolerance,
                qPrintable(
                    QString("number %1: %2, not %3").arg(first + i).arg(got[first + i], 0, 'g', 9).arg(row.values[i])));
        }
    }
    void worst() {
        for (const auto& [stream, error] : m_worst) qInfo("%s: largest error %.3g", qPrintable(stream), error);
        QVERIFY(m_worst.size() == 7);
    }
    // While a call is not larger than the GPU's threads, its numbers are those of the unlimited stream, call after
    // call.
    void gpuEqualsUnlimitedBelowItsThreads() {
        for (const Gpu& gpu : gpus()) {
            const auto threads = drawingThreads(gpu.multiprocessors, gpu.threadsPerMultiprocessor);
            TorchCudaRandom limited(77, threads), unlimited(77);
            for (const std::int64_t n : {std::int64_t(5), std::int64_t(300), threads}) {
                std::vector<float> a(std::size_t(n), 0), b = a;
                limited.normals(a);
                unlimited.normals(b);
                QVERIFY2(a == b, gpu.id.c_str());
            }
            std::vector<float> a(std::size_t(threads) + 1, 0), b = a;
            limited.normals(a);
            unlimited.normals(b);
            QVERIFY2(std::equal(a.begin(), a.end() - 1, b.begin()) && a.back() != b.back(), gpu.id.c_str());
        }
    }
    void threadsOfNamedGpus() {
        const std::map<std::string, std::int64_t> known = {
            {"t4", 40960}, {"l4", 89088}, {"a10g", 122880}, {"h200", 270336}};
        for (const auto& [id, threads] : known) {
            const auto it = std::find_if(gpus().begin(), gpus().end(), [&id = id](const Gpu& g) { return g.id == id; });
            QVERIFY(it != gpus().end());
            QCOMPARE(drawingThreads(it->multiprocessors, it->threadsPerMultiprocessor), threads);
        }
    }
    // The path is one: it does not matter what was asked before, parts add up, and there and back cancel.
    void brownianPathIsOne() {
        const std::size_t n = 40;
        BrownianTree asked(0.02, 14.6, n, 5);
        for (double t : {3.0, 9.0, 0.4, 14.0, 1.0}) asked.increment(t * 0.5, t);
        BrownianTree fresh(0.02, 14.6, n, 5);
        QVERIFY(asked.increment(0.7, 6.3) == fresh.increment(0.7, 6.3));
        const auto a = fresh.increment(0.7, 2), b = fresh.increment(2, 6.3), whole = fresh.increment(0.7, 6.3);
        for (std::size_t i = 0; i < n; ++i) QVERIFY(std::abs(a[i] + b[i] - whole[i]) < 3e-6f);
        BrownianNoise noise(0.02, 14.6, n, 5);
        const auto down = noise.between(6.3, 0.7), up = noise.between(0.7, 6.3);
        for (std::size_t i = 0; i < n; ++i) QCOMPARE(down[i], -up[i]);
        for (const float v : noise.between(3, 3)) QCOMPARE(v, 0.0f);
        // outside the range the ends count
        QVERIFY(fresh.increment(-5, 20) == fresh.increment(0.02, 14.6));
    }
    // Increments over disjoint intervals are independent unit normals.
    void brownianMoments() {
        const std::size_t n = 20000;
        BrownianNoise noise(0.1, 10, n, 31);
        const auto a = noise.between(10, 4.7), b = noise.between(4.7, 0.3);
        double mean = 0, square = 0, cross = 0;
        for (std::size_t i = 0; i < n; ++i) {
            mean += a[i];
            square += a[i] * a[i];
            cross += a[i] * b[i];
        }
        QVERIFY(std::abs(mean / double(n)) < 0.03 && std::abs(square / double(n) - 1) < 0.04
                && std::abs(cross / double(n)) < 0.03);
    }
    void refusals() {
        QVERIFY_EXCEPTION_THROWN(BrownianTree(1, 1, 4, 0), Failure);
        QVERIFY_EXCEPTION_THROWN(BrownianTree(0, 1, 4, 0).increment(0.5, 0.4), Failure);
        QVERIFY_EXCEPTION_THROWN(TorchCpuRandom(0).integer(3, 3), Failure);
        QVERIFY_EXCEPTION_THROWN(TorchCpuRandom(0).permutation(-1), Failure);
    }
};

QTEST_GUILESS_MAIN(TestTorchRandom)
#include "tst_torch_random.moc"
