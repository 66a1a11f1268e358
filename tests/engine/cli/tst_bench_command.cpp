// meander-run bench load: what is loaded, held, and told.
#include <QtTest>

#include "engine/core/json.h"
#include "engine/models/model.h"
#include "tests/engine/cli/command_line.h"

using namespace meander;
using namespace meander::test;

class TestBenchCommand : public QObject {
    Q_OBJECT
private slots:
    void loadedModelsAreHeld() {
        const Output o =
            call({"bench", "load", "--model", "builtin:sprites-unet", "--repeats", "2", "--device", "cpu", "--json"});
        QCOMPARE(o.status, 0);
        const Json j = Json::parse(o.out);
        // The parameters of network and text encoder as floats.
        const double held = j["held_bytes"].get<double>(),
                     weights = 4.0 * double(inspectModel("builtin:sprites-unet")->parameters);
        QVERIFY2(std::abs(held / weights - 1) < 0.05, o.out.c_str());
        QVERIFY(j["peak_bytes"].get<double>() >= held);
        QVERIFY(j["process_peak_bytes"].get<double>() > held);
        QVERIFY(j["seconds"].get<double>() > 0 && j["first_seconds"].get<double>() > 0);
    }
    void unknownModelsAreSaid() {
        const Output o = call({"bench", "load", "--model", "no such model", "--json"});
        QVERIFY(o.status != 0 && o.out.empty());
        QVERIFY2(o.err.find("no such model") != std::string::npos, o.err.c_str());
    }
};

QTEST_GUILESS_MAIN(TestBenchCommand)
#include "tst_bench_command.moc"
