// Memory that ends: at the k-th allocation, for every k of a batch of three runs; for every call above a size; for one
// run that is too large. The other runs finish, the engine goes on, and what finishes has the same bits.
#include <QtTest>

#include "kernels/cpu/cpu_backend.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using fixture::Listener, fixture::planned, fixture::sameRecord;

namespace {

// A CPU whose allocations a test decides on.
EngineOptions onFaultyCpu(std::function<void(std::size_t)> beforeAllocation) {
    EngineOptions o = fixture::onCpu();
    o.openBackend = [beforeAllocation] {
        auto backend = std::make_unique<kernels::CpuBackend>(kernels::CpuOptions{1});
        backend->pool().setBeforeAllocation(beforeAllocation);
        return backend;
    };
    return o;
}

[[noreturn]] void noMemory(std::size_t bytes) { throw kernels::OutOfMemory("Not enough memory.", bytes); }

// Three runs of one network with other samplers, guidance and noise.
std::vector<Plan> threeRuns() {
    std::vector<Plan> plans;
    for (const char* sampler : {"heun", "dpmpp_2m_sde", "euler_ancestral"}) {
        Recipe r;
        r.model = "builtin:flow2d-moons";
        r.sampler = {sampler, {}};
        r.schedule = {"uniform_t", {}};
        r.guidance.clear();
        r.steps = 2;
        r.images = 5;
        plans.push_back(planned(r));
    }
    return plans;
}

}  // namespace

class TestMemoryFaults : public QObject {
    Q_OBJECT
    std::vector<std::shared_ptr<const Run>> m_right;

private slots:
    void initTestCase() {
        m_right = fixture::carryOut(threeRuns());
        for (const auto& run : m_right) QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
    }

    // A fault that passes costs nothing, wherever it falls: in loading, in a shared call, in a sampler's own
    // arithmetic.
    void everyAllocationOnce() {
        const std::vector<Plan> plans = threeRuns();
        int faults = 0;
        for (int k = 0;; ++k) {
            int count = 0;
            bool isReached = false;
            Listener l;
            {
                Engine engine(onFaultyCpu([&](std::size_t bytes) {
                                  if (count++ != k) return;
                                  isReached = true;
                                  noMemory(bytes);
                              }),
                              l.sink());
                const auto ids = engine.submit(plans);
                engine.waitIdle();
                for (std::size_t i = 0; i < ids.size(); ++i) {
                    const auto run = l.result(ids[i]);
                    QVERIFY2(run, qPrintable(QString("allocation %1, run %2").arg(k).arg(i)));
                    QVERIFY2(run->status == RunStatus::Finished,
                             qPrintable(QString("allocation %1, run %2: %3").arg(k).arg(i).arg(run->problem.c_str())));
                    QVERIFY2(sameRecord(*run, *m_right[i]), qPrintable(QString("allocation %1, run %2").arg(k).arg(i)));
                    QCOMPARE(run->evaluations, m_right[i]->evaluations);
                    // Nothing is told twice.
                    QCOMPARE(l.count(ids[i], RunEventKind::Evaluated), int(run->trajectory->evaluations.size()));
                    QCOMPARE(l.count(ids[i], RunEventKind::Stepped), int(run->trajectory->steps.size()));
                }
                // And the engine goes on.
                const auto again = engine.submit(plans.front());
                engine.waitIdle();
                QCOMPARE(l.result(again)->status, RunStatus::Finished);
            }
            if (!isReached) break;
            ++faults;
        }
        qInfo("%d allocations, each failed once", faults);
        QVERIFY(faults > 50);
    }

    // From the k-th allocation on there is no memory: every run ends, with its record so far and a sentence. Later ones
    // may live on what others gave back.
    void noMemoryFromSomeAllocationOn() {
        const std::vector<Plan> plans = threeRuns();
        for (const int k : {0, 1, 5, 10, 20, 40, 60}) {
            int count = 0;
            Listener l;
            Engine engine(onFaultyCpu([&](std::size_t bytes) {
                              if (count++ >= k) noMemory(bytes);
                          }),
                          l.sink());
            const auto ids = engine.submit(plans);
            engine.waitIdle();
            for (const auto& id : ids) {
                const auto run = l.result(id);
                QVERIFY(run);
                const bool hasFailed = run->status == RunStatus::Failed && run->problem.size() > 10;
                QVERIFY(hasFailed || (k > 10 && run->status == RunStatus::Finished));
                if (run->trajectory)
                    QCOMPARE(l.count(id, RunEventKind::Evaluated), int(run->trajectory->evaluations.size()));
            }
        }
    }

    // A run that needs more than there is fails alone.
    void theLargeRunFailsAlone() {
        std::vector<Plan> plans = threeRuns();
        Recipe large = plans.front().resolved;
        large.images = 20'000;
        plans.insert(plans.begin() + 1, planned(large));
        Listener l;
        Engine engine(onFaultyCpu([&](std::size_t bytes) {
                          if (bytes >= 20'000 * 2 * sizeof(float)) noMemory(bytes);
                      }),
                      l.sink());
        const auto ids = engine.submit(plans);
        engine.waitIdle();
        QCOMPARE(l.result(ids[1])->status, RunStatus::Failed);
        for (const std::size_t i : {std::size_t(0), std::size_t(2), std::size_t(3)}) {
            QCOMPARE(l.result(ids[i])->status, RunStatus::Finished);
            QVERIFY(sameRecord(*l.result(ids[i]), *m_right[i == 0 ? 0 : i - 1]));
        }
    }

    // Activations above a size do not fit: calls are halved until they do, and the bits stay.
    void largeCallsAreHalved() {
        Recipe r = threeRuns().front().resolved;
        r.images = 20'000;  // activations larger than the weights
        const Plan p = planned(r);
        const auto right = fixture::carryOut(p);
        std::size_t largest = 0;
        {
            Listener l;
            Engine engine(onFaultyCpu([&](std::size_t bytes) { largest = std::max(largest, bytes); }), l.sink());
            engine.submit(p);
            engine.waitIdle();
        }
        int refused = 0;
        Listener l;
        Engine engine(onFaultyCpu([&](std::size_t bytes) {
                          if (bytes <= largest / 8) return;
                          ++refused;
                          noMemory(bytes);
                      }),
                      l.sink());
        const auto id = engine.submit(p);
        engine.waitIdle();
        QVERIFY2(l.result(id)->status == RunStatus::Finished, l.result(id)->problem.c_str());
        QVERIFY(sameRecord(*l.result(id), *right));
        QVERIFY(refused > 0);
        QVERIFY(l.result(id)->trajectory->evaluations.back()->rowsInCall <= r.images / 4);
        QVERIFY2(refused < 20, qPrintable(QString("the size that fits is not learned: %1 refusals").arg(refused)));
    }

    // What may be used of the device bounds a call before anything fails.
    void callsStayWithinTheBudget() {
        Recipe r = threeRuns().front().resolved;
        r.images = 4'000;
        r.steps = 6;
        const Plan p = planned(r);
        const auto right = fixture::carryOut(p);
        const int before = right->trajectory->evaluations.back()->rowsInCall;
        QCOMPARE(before, r.images);
        EngineOptions o = fixture::onCpu();
        o.deviceMemory = right->peakBytes / 2;
        Listener l;
        Engine engine(o, l.sink());
        const auto id = engine.submit(p);
        engine.waitIdle();
        const auto run = l.result(id);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QVERIFY(sameRecord(*run, *right));
        QVERIFY(run->trajectory->evaluations.back()->rowsInCall < before);
        QVERIFY2(run->networkCalls > right->networkCalls, "the budget changed nothing");
    }
};

QTEST_GUILESS_MAIN(TestMemoryFaults)
#include "tst_memory_faults.moc"
