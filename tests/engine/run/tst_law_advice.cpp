// Whether settings that sample another law than the model's are told before the run: every sampler on the Gaussian
// under every process at 10 and 20 steps with its default settings, carried out by the engine and measured, against
// what its plan says. A variance off by more than half wants a warning; a warning about the law where the variance is
// right is a false alarm.
//
// The short form walks the cosine process and EDM at 10 steps; MEANDER_WALK_ALL=1 all five at 10 and 20.
#include <cmath>

#include "engine/sampling/gaussian_course.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;

namespace {

constexpr int samples = 4000;

Recipe recipeOf(const SamplerInfo& sampler, const std::string& process, int steps) {
    Recipe r;
    r.model = "analytic:gaussian?process=" + process;
    r.sampler = {sampler.id, {}};
    r.schedule = {process == "edm" ? "karras" : process == "flow" ? "uniform_t" : "model_steps", {}};
    r.steps = steps;
    r.images = samples;
    r.guidance.clear();
    r.attention = AttentionLevel::Off;
    r.recordStates = false;
    return r;
}

// Of the last state, about its own mean.
double varianceOf(const Run& run) {
    const auto x = run.trajectory->last().toDoubles();
    double mean = 0, square = 0;
    for (const double v : x) mean += v / double(x.size());
    for (const double v : x) square += (v - mean) * (v - mean) / double(x.size());
    return square;
}

bool isAboutTheLaw(const PlanNote& n) {
    return n.text.find("times its variance") != n.text.npos || n.text.find("beyond all bounds") != n.text.npos;
}

}  // namespace

class TestLawAdvice : public QObject {
    Q_OBJECT
private slots:
    void everySampler() {
        int runs = 0, off = 0, silent = 0, alarms = 0, falseAlarms = 0;
        QStringList missed, wrong;
        const bool isLong = qEnvironmentVariableIntValue("MEANDER_WALK_ALL") != 0;
        const std::vector<std::string> processes =
            isLong ? std::vector<std::string>{"sd15", "vp-linear", "vp-cosine", "edm", "flow"}
                   : std::vector<std::string>{"vp-cosine", "edm"};
        for (const std::string& process : processes)
            for (const int steps : isLong ? std::vector<int>{10, 20} : std::vector<int>{10}) {
                std::vector<Plan> plans;
                for (const SamplerInfo& sampler : samplers())
                    if (auto p = plan(recipeOf(sampler, process, steps))) plans.push_back(std::move(*p));
                // Left out: what inverts, changes data or lives on curved spaces.
                const auto ended = fixture::carryOut(plans);
                for (std::size_t i = 0; i < plans.size(); ++i) {
                    const double s = plans[i].model.sigmaData, ratio = ended[i]->status == RunStatus::Finished
                                                                           ? varianceOf(*ended[i]) / (s * s)
                                                                           : INFINITY;
                    // Beyond half by the error of measuring, two standard deviations of a variance of 4000 samples.
                    const bool isOff = !(ratio > 0.5 * 0.95 && ratio < 1.5 * 1.05);
                    bool isWarned = false, isLaw = false;
                    for (const PlanNote& n : plans[i].notes) {
                        isWarned |= n.kind == NoteKind::Warning;
                        isLaw |= isAboutTheLaw(n);
                    }
                    const QString name = QString("%1 %2 %3: %4")
                                             .arg(process.c_str())
                                             .arg(steps)
                                             .arg(plans[i].resolved.sampler.id.c_str())
                                             .arg(ratio);
                    ++runs;
                    off += isOff;
                    alarms += isLaw;
                    // A tenth for the error of measuring, and for the first state, which starts from noise alone.
                    const bool isNear = ratio > 0.6 && ratio < 1.4;
                    if (isOff && !isWarned) ++silent, missed.append(name);
                    if (isLaw && isNear) ++falseAlarms, wrong.append(name);
                }
            }
        qInfo("%d runs, %d off by more than half, %d of them without a warning; %d warned of the law, %d falsely", runs,
              off, silent, alarms, falseAlarms);
        QVERIFY2(missed.isEmpty(), qPrintable("Without a word:\n" + missed.join('\n')));
        qInfo("Falsely warned: %s", qPrintable(wrong.join(", ")));
        // Of the settings that are right less than one in twenty is warned of.
        QVERIFY2(falseAlarms * 20 < runs - off, qPrintable("False alarms:\n" + wrong.join('\n')));
        QVERIFY(runs > (isLong ? 800 : 150) && off > 10);
    }

    // The remedy that is named is one.
    void remediesHold() {
        const auto warned = plan(recipeOf(*findSampler("heun"), "vp-cosine", 10));
        QVERIFY(warned.ok());
        QString text;
        for (const PlanNote& n : warned->notes)
            if (isAboutTheLaw(n)) text = QString::fromStdString(n.text);
        QVERIFY2(text.contains("the step from level") && text.contains("What keeps it"), qPrintable(text));
        Recipe other = recipeOf(*findSampler("dpmpp_2m"), "vp-cosine", 10);
        const double s = plan(other)->model.sigmaData,
                     ratio = varianceOf(*fixture::carryOut(fixture::planned(other))) / (s * s);
        QVERIFY2(text.contains("DPM++ 2M") == (ratio > 0.5 && ratio < 1.5), qPrintable(text));
    }
};

QTEST_GUILESS_MAIN(TestLawAdvice)
#include "tst_law_advice.moc"
