// `meander-run sample`: a row of golden numbers from the command line, in this process.
#include <QtTest>
#include <iostream>
#include <sstream>

#include "engine/cli/cli.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

struct Output {
    int status;
    std::string out, err;
};

Output call(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "meander-run");
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    std::ostringstream out, err;
    auto* oldOut = std::cout.rdbuf(out.rdbuf());
    auto* oldErr = std::cerr.rdbuf(err.rdbuf());
    const int status = cli::run(int(argv.size()), argv.data());
    std::cout.rdbuf(oldOut);
    std::cerr.rdbuf(oldErr);
    return {status, out.str(), err.str()};
}

}  // namespace

class TestSampleCommand : public QObject {
    Q_OBJECT
private slots:
    // Every golden row of a deterministic sampler (dpm_adaptive: see tst_gaussian_oracle).
    void rows() {
        int checked = 0;
        for (const auto& row : gaussianRows()) {
            if (row.random) continue;
            std::vector<std::string> arguments = {"sample", "--sampler", row.sampler.toStdString(), "--process", row.space.toStdString(), "--json", "--values", "2"};
            if (row.space == "flow") {
                std::string levels;
                for (double l : flowLevels(10)) levels += (levels.empty() ? "" : ",") + QString::number(l, 'g', 17).toStdString();
                arguments.insert(arguments.end(), {"--levels", levels});
            }
            if (findSampler(row.sampler.toStdString())->unconditional) arguments.insert(arguments.end(), {"--guidance", "1.5"});
            const Output o = call(arguments);
            QVERIFY2(o.status == 0, o.err.c_str());
            const Json j = Json::parse(o.out);
            QVERIFY2(worst({j.at("sum_abs"), j.at("values")[0], j.at("values")[1], j.at("last")}, row) < (row.sampler == "dpm_adaptive" ? 5e-4 : 1e-5), qPrintable(row.space + " " + row.sampler));
            QCOMPARE(j.at("evaluations").get<int>(), row.evaluations);
            ++checked;
        }
        QCOMPARE(checked, 32);
    }
    void readable() {
        const Output o = call({"sample", "--sampler", "dpmpp_2m"});
        QCOMPARE(o.status, 0);
        QVERIFY2(o.out.find("n 256  evaluations 10\nsum|x| 95.610") != std::string::npos, o.out.c_str());
        QVERIFY(o.out.find("x[255] 0.76373") != std::string::npos);
    }
    void seedsDecide() {
        const auto with = [](const char* seed) { return call({"sample", "--sampler", "euler_ancestral", "--noise", "torch_cpu", "--seed", seed}).out; };
        QVERIFY(with("3") == with("3") && with("3") != with("4"));
    }
    void mistakes() {
        QVERIFY(call({"sample", "--sampler", "dpmpp2m"}).err.find("Did you mean \"dpmpp_2m\"?") != std::string::npos);
        QVERIFY(call({"sample", "--sampler", "lms", "--param", "ordr=3"}).err.find("Did you mean \"order\"?") != std::string::npos);
        QVERIFY(call({"sample", "--sampler", "lms", "--start", "sin:1"}).err.find("cos:RATE") != std::string::npos);
        QCOMPARE(call({"sample"}).status, 2);
    }
};

QTEST_GUILESS_MAIN(TestSampleCommand)
#include "tst_sample_command.moc"
