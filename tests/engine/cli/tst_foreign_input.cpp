// Recipes of other programs and from a pipe on the command line, and their names for samplers and schedules.
#include <sys/stat.h>

#include <QtTest>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "engine/cli/cli.h"
#include "engine/cli/recipe_input.h"
#include "engine/exchange/recipe_exchange.h"

using namespace meander;

namespace {

struct Ended {
    int status;
    std::string out, err;
};

Ended call(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), "meander-run");
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    std::ostringstream out, err;
    std::istringstream in(input);
    auto* oldOut = std::cout.rdbuf(out.rdbuf());
    auto* oldErr = std::cerr.rdbuf(err.rdbuf());
    auto* oldIn = std::cin.rdbuf(in.rdbuf());
    std::cin.clear();
    const int status = cli::run(int(argv.size()), argv.data());
    std::cout.rdbuf(oldOut);
    std::cerr.rdbuf(oldErr);
    std::cin.rdbuf(oldIn);
    return {status, out.str(), err.str()};
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

const char* const ring =
    R"({"model": "analytic:ring8", "sampler": "heun", "schedule": "karras", "steps": 4, "images": 8, "guidance": []})";

}  // namespace

class TestForeignInput : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

    std::string written(const char* name, const QByteArray& bytes) {
        QFile f(m_folder.filePath(name));
        if (f.open(QIODevice::WriteOnly)) f.write(bytes);
        return m_folder.filePath(name).toStdString();
    }

private slots:
    void fromAPipe() {
        const Ended plan = call({"plan", "-"}, ring);
        QVERIFY2(plan.status == 0, plan.err.c_str());
        const Ended empty = call({"plan", "-"}, "");
        QVERIFY2(empty.status == 1 && contains(empty.err, "empty"), empty.err.c_str());
        const Ended text = call({"plan", "-", "--set", "model=builtin:sprites-unet"},
                                "a red circle\nSteps: 5, Sampler: Euler, Schedule type: Karras, CFG scale: 2, Seed: 3");
        QVERIFY2(text.status == 0 && contains(text.err, "assumed: Noise"), text.err.c_str());
    }

    // What comes through a pipe is told by its first bytes, as a file is.
    void imagesFromAPipe() {
        const std::string image = m_folder.filePath("piped.png").toStdString();
        QVERIFY(writePng(image, Image(4, 4),
                         {{"parameters", "a red circle\nSteps: 7, Sampler: Euler, CFG scale: 2, Seed: 3"}})
                    .ok());
        QFile file(QString::fromStdString(image));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const std::string bytes = file.readAll().toStdString();
        const auto promptOf = [](const Ended& e) { return Json::parse(e.out)["recipe"]["prompt"].get<std::string>(); };
        const std::vector<std::string> plan{"plan", "-", "--json", "--set", "model=builtin:sprites-unet"};
        const Ended piped = call(plan, bytes);
        QVERIFY2(piped.status == 0 && promptOf(piped) == "a red circle", piped.err.c_str());
        const Ended told = call({"inspect", "-"}, bytes);
        QVERIFY2(told.status == 0 && contains(told.out, "Read: Steps: 7"), told.err.c_str());
        // A FIFO can be read once; nothing may be tried on it before.
        const std::string fifo = m_folder.filePath("fifo").toStdString();
        QCOMPARE(::mkfifo(fifo.c_str(), 0600), 0);
        for (const std::vector<std::string>& arguments :
             {std::vector<std::string>{"plan", fifo, "--json", "--set", "model=builtin:sprites-unet"},
              {"inspect", fifo, "--json"}}) {
            std::thread writer([&] {
                std::ofstream out(fifo, std::ios::binary);
                out << bytes;
            });
            const Ended e = call(arguments);
            writer.join();
            QVERIFY2(e.status == 0 && promptOf(e) == "a red circle", e.err.c_str());
        }
        for (const auto& [other, word] : {std::pair(std::string("SQLite format 3\0", 16), "database"),
                                          std::pair(std::string("GGUF and so on"), "GGUF")}) {
            const Ended e = call({"plan", "-"}, other);
            QVERIFY2(e.status == 1 && contains(e.err, word), e.err.c_str());
        }
    }

    void marksOfEncodings() {
        const std::string settings = "a red circle\nSteps: 7, Sampler: Euler, CFG scale: 2, Seed: 3";
        for (const std::string& text : {std::string(ring), settings}) {
            const QByteArray marked = QByteArray("\xef\xbb\xbf") + QByteArray::fromStdString(text);
            for (const char* name : {"marked.json", "marked.txt"}) {
                const Ended e =
                    call({"plan", written(name, marked), "--set", "model=analytic:ring8", "--set", "guidance=none"});
                QVERIFY2(e.status == 0, e.err.c_str());
            }
            const auto wide = QString::fromStdString(text).toStdU16String();
            const QByteArray plain(reinterpret_cast<const char*>(wide.data()), qsizetype(wide.size() * 2));
            for (const QByteArray& utf16 : {QByteArray("\xff\xfe") + plain, plain}) {
                const std::string path = written("wide.json", utf16);
                for (const Ended& e :
                     {call({"plan", path}), call({"inspect", path}), call({"plan", "-"}, utf16.toStdString())})
                    QVERIFY2(e.status == 1 && contains(e.err, "UTF-16"), e.err.c_str());
            }
        }
    }

    // The file of a scheduler as a recipe: what belongs to its model is said not to be applied.
    void schedulersOfModels() {
        const Json config = {{"_class_name", "EulerDiscreteScheduler"},
                             {"prediction_type", "v_prediction"},
                             {"rescale_betas_zero_snr", true},
                             {"beta_schedule", "sigmoid"}};
        const std::string path = written("scheduler_config.json", QByteArray::fromStdString(config.dump()));
        for (const char* command : {"plan", "run"}) {
            const Ended e =
                call({command, path, "--set", "model=analytic:ring8?process=sd15", "--set", "guidance=none"});
            QVERIFY2(e.status == 0 && contains(e.err, "not understood") && contains(e.err, "v_prediction")
                         && contains(e.err, "rescale_betas_zero_snr") && contains(e.err, "sigmoid")
                         && contains(e.err, "not applied"),
                     e.err.c_str());
        }
    }

    void inspectTellsEverything() {
        const std::string image = m_folder.filePath("a.png").toStdString();
        QVERIFY(writePng(image, Image(4, 4),
                         {{"parameters",
                           "a \x1b[31mball\nSteps: 20, Sampler: Euler Max, CFG scale: 7, Seed: 5, Size: 512x512"}})
                    .ok());
        const Ended people = call({"inspect", image});
        QVERIFY2(
            people.status == 0 && contains(people.out, "Read: Steps: 20") && contains(people.out, "Assumed: Sampler")
                && contains(people.out, "Not understood: Sampler: Euler Max") && contains(people.out, "AUTOMATIC1111"),
            people.out.c_str());
        QVERIFY(people.out.find('\x1b') == std::string::npos);
        const Ended json = call({"inspect", image, "--json"});
        QVERIFY2(json.status == 0 && contains(json.out, "\"assumed\"") && contains(json.out, "\"not_understood\""),
                 json.out.c_str());
        const std::string text = written("settings.txt", "a ball\nSteps: 20, Sampler: Heun, Seed: 1");
        QVERIFY(contains(call({"inspect", text}).out, "Read: Sampler: Heun"));
    }

    void namesOfOthers() {
        const std::pair<const char*, const char*> wrong[] = {
            {"sampler=DPM++ 2M Karras", "'DPM++ 2M Karras' is called dpmpp_2m and the schedule karras here."},
            {"sampler=euler_a", "'euler_a' is called euler_ancestral here."},
            {"sampler=dpmpp_2m_sde_gpu", "called dpmpp_2m_sde here"},
            {"sampler=EulerDiscreteScheduler", "called euler here"},
            {"schedule=SGM Uniform", "called sgm_uniform here"},
            {"schedule=align_your_steps", "called ays here"},
            {"schedule=discrete", "called normal with dialect=sdcpp here"},
            {"sampler=eular", "Did you mean \"euler\""}};
        for (const auto& [assignment, hint] : wrong) {
            const Ended e = call({"plan", "-", "--set", assignment}, ring);
            QVERIFY2(e.status == 2 && contains(e.err, hint), e.err.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestForeignInput)
#include "tst_foreign_input.moc"
