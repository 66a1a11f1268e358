// The contract of the operations, which stands once for all devices: what every operation answers to every mistake in
// every argument, word for word, on the CPU and on a device that does nothing.
#include <QFile>
#include <QTest>
#include <cmath>
#include <cstdlib>
#include <set>

#include "kernels/verify/refusals.h"
#include "kernels/verify/sample_call.h"

using namespace meander::kernels;
using namespace meander::kernels::verify;

namespace {

template <class T> struct Answer {
    static T of() { return {}; }
};
template <> struct Answer<void> {
    static void of() {}
};
// The weights of the sample calls.
template <> struct Answer<std::unique_ptr<LinearWeights>> {
    static std::unique_ptr<LinearWeights> of() {
        auto w = std::make_unique<LinearWeights>();
        w->in = 18, w->out = 21;
        return w;
    }
};
template <> struct Answer<std::unique_ptr<ConvWeights>> {
    static std::unique_ptr<ConvWeights> of() {
        auto w = std::make_unique<ConvWeights>();
        w->in = 6, w->out = 8, w->kernel = 3, w->padding = 1;
        return w;
    }
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
// A device without arithmetic; it counts what comes through the contract.
class IdleBackend final : public Backend {
public:
    std::string id() const override { return "idle"; }
    std::string description() const override { return "Idle"; }
    std::vector<DType> fastTypes() const override { return {DType::F32}; }
    void* allocate(std::size_t bytes) override { return std::calloc(bytes + 1, 1); }
    void release(void* p) noexcept override { std::free(p); }
    MemoryUse memoryUse() const override { return {}; }
    void resetPeak() override {}
    void trim() override {}
    void synchronize() override {}
    std::set<Operation> reached;

protected:
#define OPERATION(Name, name, Result, ...)                                                                             \
    Result do##Name(__VA_ARGS__) override {                                                                            \
        reached.insert(Operation::Name);                                                                               \
        return Answer<Result>::of();                                                                                   \
    }
#include "kernels/api/operations.inl"
#undef OPERATION
};
#pragma GCC diagnostic pop

QStringList sentences(Backend& backend) {
    QStringList lines;
    for (const OperationRow& row : operationRows())
        for (const Refusal& r : refusalsOf(backend, row.operation))
            lines += QString("%1, %2: %3")
                         .arg(QString::fromUtf8(nameOf(row.operation)), QString::fromStdString(r.mistake),
                              r.sentence.empty() ? "accepted" : QString::fromStdString(r.sentence));
    return lines;
}

}  // namespace

class ContractTest : public QObject {
    Q_OBJECT

private slots:
    // MEANDER_WRITE_GOLDEN=1 in the environment writes the file anew; its changes are then read in the commit.
    void everyMistakeHasItsSentence() {
        const QStringList now = sentences(*createCpuBackend());
        QFile golden(QStringLiteral(MEANDER_SOURCE_DIR "/tests/golden/operation_refusals.txt"));
        if (qEnvironmentVariableIsSet("MEANDER_WRITE_GOLDEN")) {
            QVERIFY(golden.open(QIODevice::WriteOnly));
            golden.write((now.join('\n') + '\n').toUtf8());
            golden.close();
        }
        QVERIFY(golden.open(QIODevice::ReadOnly));
        const QStringList before = QString::fromUtf8(golden.readAll()).split('\n', Qt::SkipEmptyParts);
        for (qsizetype i = 0; i < std::min(now.size(), before.size()); ++i) QCOMPARE(now[i], before[i]);
        QCOMPARE(now.size(), before.size());
    }

    void anotherDeviceSaysTheSame() {
        IdleBackend idle;
        const QStringList mine = sentences(*createCpuBackend()), theirs = sentences(idle);
        QCOMPARE(theirs.size(), mine.size());
        for (qsizetype i = 0; i < mine.size(); ++i) QCOMPARE(theirs[i], mine[i]);
    }

    // A sample call that is refused would make both walks empty.
    void everySampleCallReachesTheDevice() {
        for (const OperationRow& row : operationRows()) {
            IdleBackend idle;
            Fixture t(idle);
            const SampleCall call = row.sample(DType::F32);
            std::vector<View> views;
            for (const SampleArgument& a : call.arguments) views.push_back(t.room(a.shape, a.type));
            call.run(idle, views);
            QVERIFY2(idle.reached.count(row.operation), nameOf(row.operation));
        }
    }

    void everyOperationHasCasesOfItsOwn() {
        for (const OperationRow& row : operationRows()) {
            Cases cases;
            row.addCases(cases);
            const bool isNamed = std::any_of(cases.begin(), cases.end(), [&](const OperationCase& c) {
                return c.name.rfind(std::string(nameOf(row.operation)) + "/", 0) == 0;
            });
            QVERIFY2(isNamed, nameOf(row.operation));
        }
    }

    void weightsStayWithTheirBackend() {
        const auto one = createCpuBackend(), two = createCpuBackend();
        const HostWeights w(random({5, 3}, DType::F32, 1), DType::F32);
        const auto packed = one->packLinear(w.view, {}, DType::F32);
        Fixture t(*two);
        const View x = t.put(random({2, 3}, DType::F32, 2), DType::F32), y = t.room({2, 5}, DType::F32);
        try {
            two->linear(x, *packed, y);
            QFAIL("the weights of another backend were used");
        } catch (const std::invalid_argument& e) {
            QCOMPARE(e.what(), "linear: the weights were packed by another backend");
        }
    }

    // The right answer, rounded to the type and nothing else, passes for a single number of any size.
    void tolerancesKnowTheSmallestStep() {
        for (DType type : {DType::F32, DType::BF16, DType::F16})
            for (Activation a : {Activation::Silu, Activation::GeluErf, Activation::GeluTanh, Activation::QuickGelu})
                for (double x = -12; x < 3; x += 0.037) {
                    Host want({1}), got({1});
                    want[0] = activated(a, roundedTo(type, x));
                    got[0] = roundedTo(type, want[0]);
                    got.type = type;
                    QVERIFY2(
                        difference(got, want) <= tolerance(type),
                        qPrintable(
                            QString("%1 %2 at %3").arg(meander::kernels::nameOf(type)).arg(verify::nameOf(a)).arg(x)));
                }
    }

    void tracesNameOperationsAndCountTheirWork() {
        const auto b = createCpuBackend();
        Fixture t(*b);
        Trace trace;
        b->setTrace(&trace);
        for (Operation o : {Operation::Linear, Operation::Conv2d, Operation::Attention, Operation::GroupNorm,
                            Operation::LayerNorm, Operation::RmsNorm, Operation::Softmax}) {
            const SampleCall call = operationRows()[std::size_t(o)].sample(DType::F32);
            std::vector<View> views;
            for (const SampleArgument& a : call.arguments) views.push_back(t.put(random(a.shape, a.type, 1), a.type));
            call.run(*b, views);
        }
        b->setTrace(nullptr);
        QCOMPARE(trace.size(), std::size_t(6));
        QCOMPARE(trace[0].kind, Operation::Linear);
        QCOMPARE(trace[0].flops, 2.0 * 4 * 18 * 21);
        QCOMPARE(trace[1].flops, 2.0 * 2 * 5 * 4 * 8 * 6 * 9);
        QCOMPARE(trace[2].flops, 2.0 * 2 * 2 * 5 * 7 * (6 + 5));
        for (std::size_t i = 3; i < trace.size(); ++i) QCOMPARE(trace[i].flops, 0.0);
    }
};

QTEST_GUILESS_MAIN(ContractTest)
#include "tst_contract.moc"
