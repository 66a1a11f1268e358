// Every operation case on the CPU, and on the GPU where there is one; then what only the backends themselves promise.
#include <QTest>
#include <cmath>
#include <limits>
#include <memory>

#include "kernels/verify/verify.h"

using namespace meander::kernels;

class OperationsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        m_cases = operationCases();
        m_cpu = createCpuBackend();
        m_cuda = createCudaBackend(0);
    }

    void cpu_data() { listCases(); }
    void cpu() { check(*m_cpu); }

    void cuda_data() {
        QTest::addColumn<int>("index");
        if (m_cuda.backend) addRows();
        else QTest::newRow("no device") << -1;
    }
    void cuda() {
        if (!m_cuda.backend) QSKIP(m_cuda.why.c_str());
        check(*m_cuda.backend);
    }

    void oneThreadGivesTheSameBits() {
        const auto one = createCpuBackend({.threads = 1}), two = createCpuBackend({.threads = 2});
        QCOMPARE(attend(*one), attend(*two));
    }

    void memoryIsCountedAndReused() {
        const auto b = createCpuBackend();
        QCOMPARE(b->memoryUse().current, std::size_t(0));
        void* p = b->allocate(1000);
        QVERIFY(reinterpret_cast<std::uintptr_t>(p) % 64 == 0);
        QVERIFY(b->memoryUse().current >= 1000);
        b->release(p);
        QCOMPARE(b->memoryUse().current, std::size_t(0));
        QVERIFY(b->memoryUse().peak >= 1000);
        void* again = b->allocate(1000);
        QCOMPARE(again, p);
        b->release(again);
        b->resetPeak();
        QCOMPARE(b->memoryUse().peak, std::size_t(0));
        b->trim();
    }

    void tooMuchMemoryIsASentence() {
        try {
            m_cpu->allocate(std::size_t(1) << 50);
            QFAIL("a petabyte was allocated");
        } catch (const OutOfMemory& e) {
            QCOMPARE(e.bytes, std::size_t(1) << 50);
            QVERIFY(QString::fromUtf8(e.what()).endsWith('.'));
        }
    }

    void absentCudaModuleIsASentence() {
        const CudaProbe probe = createCudaBackend(0, "/nonexistent");
        QVERIFY(!probe.backend);
        QVERIFY(QString::fromStdString(probe.why).startsWith("No CUDA module is installed"));
    }

    void everyInstructionSetAgrees_data() {
        QTest::addColumn<QByteArray>("isa");
        QTest::newRow("base") << QByteArray("base");
        QTest::newRow("avx2") << QByteArray("avx2");
    }
    void everyInstructionSetAgrees() {
        QFETCH(QByteArray, isa);
        qputenv("MEANDER_CPU_ISA", isa);
        const auto backend = createCpuBackend();
        qunsetenv("MEANDER_CPU_ISA");
        for (const CaseResult& r : verifyBackend(*backend)) QVERIFY2(r.passed, qPrintable(text(r)));
    }

    // What processors with AVX-512 use by themselves, on any processor and in F32.
    void oneDnnAgrees() {
        qputenv("MEANDER_CPU_DNNL", "1");
        const auto backend = createCpuBackend();
        qunsetenv("MEANDER_CPU_DNNL");
        for (const char* filter : {"linear/f32", "conv2d/f32"})
            for (const CaseResult& r : verifyBackend(*backend, filter)) QVERIFY2(r.passed, qPrintable(text(r)));
    }

    void nanIsNotHidden() {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        std::vector<float> values(40, 1.0f), out(40);
        values[7] = nan;
        const Shape shape{1, 40};
        View x{m_cpu->allocate(160), DType::F32, shape}, y{m_cpu->allocate(160), DType::F32, shape};
        for (Unary op : {Unary::Copy, Unary::Silu, Unary::GeluErf, Unary::GeluTanh, Unary::QuickGelu, Unary::Relu,
                         Unary::Exp, Unary::Sqrt, Unary::Tanh, Unary::Sin, Unary::Cos, Unary::Abs, Unary::Clamp1}) {
            m_cpu->upload(values.data(), x);
            m_cpu->unary(op, x, y);
            m_cpu->download(y, out.data());
            QVERIFY2(std::isnan(out[7]), qPrintable(QString::number(int(op))));
            QVERIFY(!std::isnan(out[8]));
        }
        m_cpu->softmax(x, y);
        m_cpu->download(y, out.data());
        QVERIFY(std::isnan(out[0]));
        for (Reduction r : {Reduction::Sum, Reduction::Min, Reduction::Max})
            QVERIFY(std::isnan(m_cpu->reduceRows(r, x)[0]));
        m_cpu->release(x.data);
        m_cpu->release(y.data);
    }

private:
    void listCases() {
        QTest::addColumn<int>("index");
        addRows();
    }
    void addRows() {
        for (std::size_t i = 0; i < m_cases.size(); ++i) QTest::newRow(m_cases[i].name.c_str()) << int(i);
    }

    static QString text(const CaseResult& r) {
        return QString("%1: error %2, tolerance %3 %4")
            .arg(QString::fromStdString(r.name))
            .arg(r.error)
            .arg(r.tolerance)
            .arg(QString::fromStdString(r.message));
    }

    void check(Backend& backend) {
        QFETCH(int, index);
        const OperationCase& c = m_cases[std::size_t(index)];
        if (!applies(c, backend)) return;
        const CaseResult r = runCase(backend, c);
        QVERIFY2(r.passed, qPrintable(text(r)));
    }

    static std::vector<float> attend(Backend& b) {
        const Shape shape{1, 200, 96};
        const View x{b.allocate(std::size_t(shape.count()) * 4), DType::F32, shape},
            y{b.allocate(std::size_t(shape.count()) * 4), DType::F32, shape};
        const NoiseAddress address[] = {{5, 0, 0, 0}};
        b.normal(address, x);
        AttentionArgs a;
        a.q = a.k = a.v = x;
        a.heads = 3;
        b.attention(a, y);
        std::vector<float> out(std::size_t(shape.count()));
        b.download(y, out.data());
        b.release(x.data);
        b.release(y.data);
        return out;
    }

    std::vector<OperationCase> m_cases;
    std::unique_ptr<Backend> m_cpu;
    CudaProbe m_cuda;
};

QTEST_GUILESS_MAIN(OperationsTest)
#include "tst_operations.moc"
