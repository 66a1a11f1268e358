// A branch with nothing changed is its parent, bit by bit, for every sampler at steps 1, N/2 and N − 1: history, noise
// and the steps that a sampler chose itself come from the record.
#include <QtTest>

#include "engine/sampling/sampling.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using fixture::carryOut, fixture::planned, fixture::sameRecord;

class TestReplay : public QObject {
    Q_OBJECT
    std::map<std::string, std::shared_ptr<const Run>> m_parents;

    static Recipe recipeFor(const SamplerInfo& s, const char* model) {
        Recipe r;
        r.model = model;
        r.images = 3;
        r.steps = 8;
        r.sampler = {s.id, {}};
        r.schedule = {std::string(model).find("flow") == std::string::npos ? "karras" : "uniform_t", {}};
        r.guidance.clear();
        if (s.needsData || s.inverts) r.start = {"data", {}};
        return r;
    }

private slots:
    void unchangedBranch_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("model");
        for (const auto& s : samplers())
            for (const char* model : {"analytic:ring8", "analytic:two-classes?process=flow"})
                QTest::addRow("%s %s", s.id.c_str(), model) << QString::fromStdString(s.id) << model;
    }
    void unchangedBranch() {
        QFETCH(QString, sampler);
        QFETCH(QString, model);
        const SamplerInfo& info = *findSampler(sampler.toStdString());
        Recipe r = recipeFor(info, model.toUtf8().constData());
        const auto p = plan(r);
        if (!p) QSKIP(p.error().text.c_str());
        const auto parent = carryOut(*p);
        QVERIFY2(parent->status == RunStatus::Finished, parent->problem.c_str());
        const int steps = int(parent->trajectory->steps.size());
        for (const int step : {1, steps / 2, steps - 1}) {
            if (step < 1 || step >= steps) continue;
            r.branch = BranchPoint{parent->id, step};
            const auto branch = carryOut(planned(r, parent.get()), parent);
            QVERIFY2(branch->status == RunStatus::Finished, branch->problem.c_str());
            QVERIFY2(sameRecord(*parent, *branch), qPrintable(QString("step %1 of %2").arg(step).arg(steps)));
            // A round trip climbs without an evaluation, so there may be none to take over yet.
            QVERIFY(branch->evaluations < parent->evaluations || info.roundTrip);
            if (step != steps / 2) continue;
            // And a branch of that branch.
            r.branch = BranchPoint{branch->id, steps - 1};
            const auto second = carryOut(planned(r, branch.get()), branch);
            QVERIFY2(second->status == RunStatus::Finished && sameRecord(*parent, *second),
                     qPrintable(QString("again, after step %1 of %2").arg(step).arg(steps)));
        }
    }
};

QTEST_GUILESS_MAIN(TestReplay)
#include "tst_replay.moc"
