// Names of samplers and schedules that are none of ours: those of other programs are said to be what they are here, by
// the plan of a recipe and so by every way to a run.
#include <QtTest>

#include "engine/recipe/unknown_name.h"
#include "engine/run/plan.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

using namespace meander;

class TestUnknownName : public QObject {
    Q_OBJECT
    static std::string refusal(const std::string& field, const std::string& name) {
        Recipe r;
        r.model = "analytic:ring8";
        (field == "sampler" ? r.sampler : r.schedule) = {name, {}};
        const auto p = plan(r);
        return p.ok() ? std::string() : p.error().text;
    }

private slots:
    void everyProgram_data() {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("says");
        const auto sampler = [](const char* name, const char* says) {
            QTest::addRow("sampler %s", name) << "sampler" << name << says;
        };
        const auto schedule = [](const char* name, const char* says) {
            QTest::addRow("schedule %s", name) << "schedule" << name << says;
        };
        sampler("euler_a", "'euler_a' is called euler_ancestral here.");
        sampler("Euler a", "'Euler a' is called euler_ancestral here.");
        sampler("k_euler_a", "is called euler_ancestral here.");
        sampler("sample_dpmpp_sde", "is called dpmpp_sde here.");
        sampler("DPM++ 2M", "is called dpmpp_2m here.");
        sampler("DPM++ 2M Karras", "is called dpmpp_2m and the schedule karras here.");
        sampler("dpmpp_2m_karras", "is called dpmpp_2m and the schedule karras here.");
        sampler("dpmpp_3m_k", "is called dpm_multistep with order=3 and the schedule karras here.");
        sampler("DPM++ 3M SDE Exponential", "is called dpmpp_3m_sde and the schedule exponential here.");
        sampler("dpmpp_2m_sde_gpu", "is called dpmpp_2m_sde here.");
        sampler("dpm++2mv2", "is called dpmpp_2m_v2 here.");
        sampler("EulerDiscreteScheduler", "is called euler here.");
        sampler("EulerAncestralDiscreteScheduler", "is called euler_ancestral here.");
        sampler("DPMSolverMultistepScheduler", "is called dpm_multistep here.");
        sampler("UniPCMultistepScheduler", "is called uni_pc_bh2 with");
        sampler("FlowMatchEulerDiscreteScheduler", "is called euler here.");
        sampler("simple", "'simple' is a schedule: simple.");
        sampler("sgm_uniform", "'sgm_uniform' is a schedule: sgm_uniform.");
        sampler("Karras", "'Karras' is a schedule: karras.");
        sampler("eulr", "Did you mean \"euler\"?");
        schedule("SGM Uniform", "is called sgm_uniform here.");
        schedule("Align Your Steps GITS", "is called gits with dialect=a1111 here.");
        schedule("align_your_steps", "is called ays here.");
        schedule("DDIM", "is called ddim_uniform with dialect=a1111 here.");
        schedule("Karras", "is called karras here.");
        schedule("discrete", "is called normal with dialect=sdcpp here.");
        schedule("euler_a", "'euler_a' is a sampler: euler_ancestral.");
        schedule("karas", "Did you mean \"karras\"?");
    }
    void everyProgram() {
        QFETCH(QString, field);
        QFETCH(QString, name);
        QFETCH(QString, says);
        const std::string text = refusal(field.toStdString(), name.toStdString());
        QVERIFY2(text.starts_with("There is no " + field.toStdString() + " named \"" + name.toStdString() + "\"."),
                 text.c_str());
        QVERIFY2(text.find(says.toStdString()) != std::string::npos, text.c_str());
    }
    // Our own names are never called otherwise, and what is near to nothing gets no guess.
    void ownNames() {
        for (const auto& s : samplers())
            QVERIFY2(refusal("sampler", s.id).find("is called") == std::string::npos, s.id.c_str());
        for (const auto& s : schedules())
            QVERIFY2(refusal("schedule", s.id).find("is called") == std::string::npos, s.id.c_str());
        QCOMPARE(remedyForUnknownName("guidance rule", "euler_a", {"cfg", "apg"}), std::string());
        QCOMPARE(remedyForUnknownName("guidance rule", "cgf", {"cfg", "apg"}), std::string(" Did you mean \"cfg\"?"));
    }
};

QTEST_GUILESS_MAIN(TestUnknownName)
#include "tst_unknown_name.moc"
