// `meander-run sample`: a row of golden numbers from the command line, in this process.
#include <QtTest>

#include "engine/sampling/noise/noise.h"
#include "tests/engine/cli/command_line.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using test::call;
using namespace meander::bench;

class TestSampleCommand : public QObject {
    Q_OBJECT
private slots:
    // Every golden row, as the help of the command says to ask for it. dpm_adaptive in the precision of its row
    // (tst_gaussian_oracle says why).
    void rows() {
        int checked = 0;
        for (const auto& row : gaussianRows()) {
            const std::string sampler = row.sampler.toStdString();
            std::vector<std::string> arguments = {"sample", "--sampler", sampler, "--json", "--values", "2"};
            const auto add = [&](std::vector<std::string> more) {
                arguments.insert(arguments.end(), more.begin(), more.end());
            };
            const bool brownian = row.sampler.startsWith("dpmpp_") && row.sampler.contains("sde");
            if (row.space == "flow")
                add({"--process", "flow", "--schedule", "flow_shift", "--schedule-param", "shift=3"});
            if (row.random) add({"--noise", brownian ? "brownian" : "torch_cpu"});
            if (row.space == "ve" && brownian) add({"--schedule-param", "dialect=single"});
            if (row.space == "ve" && row.sampler.startsWith("sa_solver"))
                add({"--process", "vp", "--schedule-param", "max=14.614642", "--schedule-param", "min=0.0291675"});
            if (findSampler(sampler)->unconditional) add({"--guidance", "1.5"});
            if (sampler == "dpm_adaptive") add({"--precision", "f32"});
            const test::Output o = call(arguments);
            QVERIFY2(o.status == 0, o.err.c_str());
            const Json j = Json::parse(o.out);
            const Summary got{j.at("sum_abs"), j.at("values")[0], j.at("values")[1], j.at("last")};
            const double difference = row.random ? worstBySize(got, row) : worst(got, row);
            QVERIFY2(difference < 1e-5, qPrintable(QString("%1 %2: %3").arg(row.space, row.sampler).arg(difference)));
            QCOMPARE(j.at("evaluations").get<int>(), row.evaluations);
            ++checked;
        }
        QCOMPARE(checked, 62);
    }
    // Any noise source, by the name that recipes have for it; the first noise too.
    void noises() {
        for (const auto& source : noiseSources()) {
            const test::Output o = call(
                {"sample", "--sampler", "euler_ancestral", "--noise", source.id, "--start", "noise", "--seed", "3"});
            if (source.make)
                QVERIFY2(o.status == 0 && o.out.find("evaluations 10") != std::string::npos, o.err.c_str());
            else QVERIFY2(o.err.find("needs the run that is branched from") != std::string::npos, o.err.c_str());
        }
        QVERIFY(call({"sample", "--sampler", "euler_ancestral", "--noise", "torch-cpu"})
                    .err.find("Did you mean \"torch_cpu\"?")
                != std::string::npos);
        const auto torch = [](const char* steps) {
            return call({"sample", "--sampler", "euler_ancestral", "--noise", "torch_cpu", "--start", "noise",
                         "--noise-param", std::string("step_noise=") + steps})
                .out;
        };
        QVERIFY(torch("continue") != torch("restart"));
    }
    void readable() {
        const test::Output o = call({"sample", "--sampler", "dpmpp_2m"});
        QCOMPARE(o.status, 0);
        QVERIFY2(o.out.find("n 256  evaluations 10\nsum|x| 95.610") != std::string::npos, o.out.c_str());
        QVERIFY(o.out.find("x[255] 0.76373") != std::string::npos);
    }
    void seedsDecide() {
        const auto with = [](const char* seed) {
            return call({"sample", "--sampler", "euler_ancestral", "--noise", "torch_cpu", "--seed", seed}).out;
        };
        QVERIFY(with("3") == with("3") && with("3") != with("4"));
    }
    void mistakes() {
        QVERIFY(call({"sample", "--sampler", "dpmpp2m"}).err.find("Did you mean \"dpmpp_2m\"?") != std::string::npos);
        QVERIFY(call({"sample", "--sampler", "lms", "--param", "ordr=3"}).err.find("Did you mean \"order\"?")
                != std::string::npos);
        QVERIFY(call({"sample", "--sampler", "lms", "--start", "sin:1"}).err.find("cos:RATE") != std::string::npos);
        QCOMPARE(call({"sample"}).status, 2);
        const std::pair<const char*, std::vector<const char*>> wrong[] = {
            {"--levels", {"nan,1", "0,0", "inf,1,0", "5,0,1", "1,2,3", "-1,0", "3"}},
            {"--deviation", {"nan", "-1"}},
            {"--mean", {"inf"}},
            {"--guidance", {"nan", "1e300"}},
            {"--start", {"cos:abc", "constant:xyz", "cos:", "cos:nan"}},
            {"--seed", {"-1", "99999999999999999999999"}},
            {"--steps", {"10001"}},
            {"--shape", {"4294967296,4294967296", "100000,100000", "1,1,1,1,1,1,2", "0"}},
            {"--sigma-min", {"20"}},
            {"--sampler", {"heum"}}};
        for (const auto& [option, values] : wrong)
            for (const char* value : values) {
                std::vector<std::string> arguments = {"sample", option, value};
                if (std::string(option) != "--sampler") arguments.insert(arguments.end(), {"--sampler", "euler"});
                const test::Output o = call(arguments);
                QVERIFY2(o.status == 2 && o.out.empty() && o.err.size() > 30,
                         qPrintable(QString("%1 %2: %3").arg(option, value, o.err.c_str())));
            }
    }
};

QTEST_GUILESS_MAIN(TestSampleCommand)
#include "tst_sample_command.moc"
