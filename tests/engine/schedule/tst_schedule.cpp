// Schedules against values computed by k-diffusion, ComfyUI and diffusers, and invariants of all of them under all processes.
#include <QtTest>
#include <cmath>

#include "engine/schedule/schedule.h"

using namespace meander;

namespace {
void compare(const std::vector<double>& got, const std::vector<double>& want, double relative = 2e-6) {
    QCOMPARE(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        QVERIFY2(std::abs(got[i] - want[i]) <= relative * std::abs(want[i]), qPrintable(QString("%1: %2 instead of %3").arg(i).arg(got[i], 0, 'g', 9).arg(want[i], 0, 'g', 9)));
}
Process sd15() { return Process::vpScaledLinear(1000, 0.00085, 0.012); }
}  // namespace

class TestSchedule : public QObject {
    Q_OBJECT
private slots:
    void karrasOfStableDiffusion() {
        compare(*makeSchedule("karras", sd15(), 8, {}), {14.61464, 7.902934, 4.027739, 1.910356, 0.828868, 0.3211196, 0.1071984, 0.02916718, 0});
    }
    void karrasOfEdm() {
        compare(*makeSchedule("karras", Process::varianceExploding(0.002, 80), 8, {}), {79.99998, 34.99219, 13.69857, 4.637074, 1.286615, 0.2674752, 0.03518663, 0.002, 0});
    }
    void exponentialOfStableDiffusion() {
        compare(*makeSchedule("exponential", sd15(), 8, {}), {14.61464, 6.012969, 2.473944, 1.017866, 0.4187855, 0.1723028, 0.07089137, 0.02916716, 0});
    }
    void uniformStepsOfStableDiffusion() {  // "normal" of ComfyUI
        compare(*makeSchedule("uniform_t", sd15(), 8, {}), {14.61464, 6.677999, 3.522056, 2.060642, 1.276832, 0.7912598, 0.4396657, 0.02916716, 0});
    }
    void leadingStepsOfStableDiffusion() {  // DDIM with offset 1
        compare(*makeSchedule("model_steps", sd15(), 8, {{"spacing", std::string("leading")}}), {7.371844, 4.116696, 2.510921, 1.623692, 1.076031, 0.6983981, 0.4022177, 0.04131441, 0});
    }
    void trailingStepsAreThePublishedOnes() {
        const auto p = sd15();
        const auto levels = *makeSchedule("model_steps", p, 5, {});
        const double steps[] = {999, 799, 599, 399, 199};
        for (int i = 0; i < 5; ++i) QCOMPARE(p.networkTime(levels[std::size_t(i)]), steps[i]);
    }
    void lcmStepsAreThePublishedOnes() {  // diffusers LCMScheduler, 4 of 50
        const auto p = sd15();
        const auto levels = *makeSchedule("model_steps", p, 4, {{"spacing", std::string("lcm")}});
        const double steps[] = {999, 759, 499, 259};
        for (int i = 0; i < 4; ++i) QCOMPARE(p.networkTime(levels[std::size_t(i)]), steps[i]);
    }
    void flowShiftOfThree() {  // t' = 3t/(1 + 2t)
        const auto levels = *makeSchedule("flow_shift", Process::rectifiedFlow(), 8, {{"shift", 3.0}});
        compare(levels, {1, 0.9545454545, 0.9, 0.8333333333, 0.75, 0.6428571429, 0.5, 0.3, 0}, 1e-9);
    }
    void flowUniform() { compare(*makeSchedule("uniform_t", Process::rectifiedFlow(), 4, {}), {1, 0.75, 0.5, 0.25, 0}, 1e-12); }
    void customIsTakenAsItIs() {
        const auto p = sd15();
        compare(*makeSchedule("custom", p, 3, {{"values", std::vector<double>{10, 3, 0.5}}}), {10, 3, 0.5, 0}, 0);
        QVERIFY(!makeSchedule("custom", p, 3, {{"values", std::vector<double>{10, 11, 0.5}}}));
        QVERIFY(!makeSchedule("custom", p, 3, {{"values", std::vector<double>{10, 0.5}}}));
        QVERIFY(!makeSchedule("custom", p, 3, {}));
    }
    void allFallAndEndClean() {
        const std::vector<Process> processes = {Process::varianceExploding(0.002, 80), Process::vpLinear(1000, 1e-4, 0.02), sd15(), Process::vpCosine(1000), Process::rectifiedFlow()};
        for (const auto& info : schedules())
            for (const auto& p : processes)
                for (int n : {1, 2, 3, 20, 50}) {
                    if (info.id == "custom" || (info.id == "model_steps" && p.trainingSteps() == 0)) continue;
                    const auto levels = makeSchedule(info.id, p, n, {});
                    QVERIFY2(levels.ok(), qPrintable(QString::fromStdString(info.id + " " + p.name() + (levels ? "" : ": " + levels.error().text))));
                    QCOMPARE(int(levels->size()), n + 1);
                    QCOMPARE(levels->back(), 0.0);
                    QVERIFY(levels->front() <= p.maximum() * (1 + 1e-9));
                    QVERIFY(levels->front() >= p.maximum() * 0.4 || info.id == "model_steps");
                }
    }
    void rangeIsRespected() {
        const auto levels = *makeSchedule("karras", sd15(), 10, {{"max", 8.0}, {"min", 0.1}});
        QCOMPARE(levels.front(), 8.0);
        QVERIFY(std::abs(levels[9] - 0.1) < 1e-9);
        QVERIFY(!makeSchedule("karras", sd15(), 10, {{"max", 0.1}, {"min", 8.0}}));
    }
    void impossibleSettingsGetASentence() {
        for (const auto& r : {makeSchedule("nothing", sd15(), 8, {}), makeSchedule("karras", sd15(), 0, {}), makeSchedule("karras", sd15(), 8, {{"rho", -3.0}}),
                              makeSchedule("model_steps", Process::rectifiedFlow(), 8, {}), makeSchedule("model_steps", sd15(), 2000, {})}) {
            QVERIFY(!r.ok());
            QVERIFY(r.error().text.size() > 20);
        }
    }
};

QTEST_GUILESS_MAIN(TestSchedule)
#include "tst_schedule.moc"
