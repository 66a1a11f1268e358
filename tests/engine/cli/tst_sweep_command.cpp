// meander-run sweep: what it tells before and after, killed at any moment and gone on with, and as a job array of Slurm
// (a small stand-in always, the real one where it is installed).
#include <signal.h>
#include <unistd.h>

#include <QtTest>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "engine/core/json.h"
#include "engine/imaging/png.h"
#include "engine/project/project_store.h"
#include "tests/engine/cli/child_command.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

// With what it says to a person.
struct Command : test::Command {
    explicit Command(Words arguments) : test::Command(std::move(arguments), 0, true) {}
};

struct Told {
    int status = 0;
    std::string text;
    std::vector<Json> lines;

    std::vector<Json> events(const std::string& name) const {
        std::vector<Json> some;
        for (const Json& j : lines)
            if (j.value("event", "") == name) some.push_back(j);
        return some;
    }
};

Told readTold(const Command& c) {
    Told t;
    t.text = c.read();
    t.status = c.wait();
    std::istringstream in(t.text);
    for (std::string line; std::getline(in, line);)
        if (const Json j = Json::parse(line, nullptr, false); j.is_object()) t.lines.push_back(j);
    return t;
}
Told call(Words arguments) { return readTold(Command(std::move(arguments))); }

// What every cell of a sweep drew.
std::vector<HostTensor> imagesOf(const std::string& path) {
    auto store = std::move(*ProjectStore::open(path));
    std::vector<HostTensor> images;
    const Sweep sweep = store->sweeps().back();
    for (const SweepCell& c : sweep.cells) {
        auto run = store->loadRun(c.run);
        images.push_back(run && run->status == RunStatus::Finished ? run->images : HostTensor());
    }
    return images;
}

}  // namespace

class TestSweepCommand : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::vector<HostTensor> m_right;

    std::string at(const std::string& name) { return m_folder.filePath(QString::fromStdString(name)).toStdString(); }
    Words sweep(const std::string& project, std::initializer_list<const char*> more = {}) {
        Words words{"sweep",  "--sample",           "--set",    "attention=off",
                    "--set",  "images=1",           "--axis",   "sampler=euler,heun,dpmpp_2m",
                    "--axis", "guidance.scale=1,3", "--axis",   "steps=2,4",
                    "--json", "--project",          at(project)};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    void compareWithRight(const std::string& project) {
        const auto images = imagesOf(at(project));
        QCOMPARE(images.size(), m_right.size());
        for (std::size_t i = 0; i < images.size(); ++i)
            QVERIFY2(images[i] && images[i].sameBits(m_right[i]), qPrintable(QString::number(i)));
    }

private slots:
    void toldBefore() {
        const Told dry =
            call({"sweep", "--sample", "--axis", "steps=0:4:2", "--axis", "seed=1,1,2", "--dry-run", "--json"});
        QCOMPARE(dry.status, 0);
        const Json p = dry.events("plan").front();
        QCOMPARE(p["cells"].get<int>(), 9);
        QCOMPARE(p["runs"].get<int>(), 4);
        QCOMPARE(p["repeated"].get<int>(), 2);
        QCOMPARE(int(p["refused"].size()), 3);
        QVERIFY(!p["refused"][0]["problem"].get<std::string>().empty());
        QVERIFY(p["evaluations"].get<int>() > 0 && p["record_bytes"].get<double>() > 0);
        const Told people = call({"sweep", "--sample", "--axis", "steps=0:4:2", "--dry-run"});
        QVERIFY(people.text.find("3 cells, 2 runs") != std::string::npos);
        QVERIFY(people.text.find("Refused: 0.") != std::string::npos);
    }

    void wrongArguments() {
        QCOMPARE(call({"sweep", "--sample"}).status, 2);
        QCOMPARE(call({"sweep", "--sample", "--axis", "stepz=1,2", "--dry-run"}).status, 2);
        QCOMPARE(call({"sweep", "--sample", "--axis", "steps=1,2"}).status, 2);  // no project
        QCOMPARE(call({"sweep", "--sample", "--zip", "steps=1,2", "--dry-run"}).status, 2);
        QCOMPARE(call({"sweep", at("none.meander"), "--retry"}).status, 2);
        QCOMPARE(call({"sweep", "--sample", "--axis", "steps=0", "--project", at("no.meander")}).status, 1);
    }

    void carriedOut() {
        const Told told = call(sweep("whole.meander"));
        QVERIFY2(told.status == 0, told.text.c_str());
        const auto cells = told.events("cell");
        QCOMPARE(cells.size(), 12u);
        for (const Json& c : cells) {
            QCOMPARE(c["status"].get<std::string>(), "finished");
            QVERIFY(c.contains("fidelity") && c["values"].contains("guidance.scale"));
        }
        QVERIFY(told.events("done").front()["shared_evaluations"].get<int>() > 0);
        m_right = imagesOf(at("whole.meander"));
        QCOMPARE(m_right.size(), 12u);
        // Each is the image of the same recipe run alone.
        auto store = std::move(*ProjectStore::open(at("whole.meander")));
        const Sweep s = store->sweeps().front();
        QVERIFY(store->close().ok());
        for (const std::size_t i : {0, 5, 11}) {
            Words alone{"run",   "--sample", "--set",     "attention=off",
                        "--set", "images=1", "--project", at("alone.meander")};
            const auto place = s.place(i);
            for (std::size_t a = 0; a < place.size(); ++a)
                alone.insert(alone.end(),
                             {"--set", s.axes[a].keys[0] + "=" + s.axes[a].values[std::size_t(place[a])][0]});
            QCOMPARE(call(alone).status, 0);
            auto one = std::move(*ProjectStore::open(at("alone.meander")));
            const HostTensor image = *one->loadImages(one->runs()->back().id);
            double most = 0;
            for (std::int64_t k = 0; k < image.count(); ++k)
                most = std::max(most, std::abs(image.at(k) - m_right[i].at(k)));
            QVERIFY2(image.sameBits(m_right[i]), qPrintable(QStringLiteral("cell %1 differs by %2").arg(i).arg(most)));
        }
    }

    void resultsAsFiles() {
        // Nothing is left to do: files are written of what is there.
        const Told told = call({"sweep", at("whole.meander"), "--resume", "--csv", at("cells.csv"), "--seed-csv",
                                at("seeds.csv"), "--sheet", at("sheet.png"), "--json"});
        QVERIFY2(told.status == 0, told.text.c_str());
        QCOMPARE(told.events("cell").size(), 0u);
        QFile csv(QString::fromStdString(at("cells.csv")));
        QVERIFY(csv.open(QIODevice::ReadOnly));
        const auto lines = csv.readAll().split('\n');
        QCOMPARE(lines.size(), 14);
        QVERIFY(lines[0].startsWith("sampler,guidance.scale,steps,run,status,evaluations"));
        const auto sheet = readPng(at("sheet.png"));
        QVERIFY(sheet.ok());
        QCOMPARE(sheet->image.width, 2 + 2 * 34);
    }

    // Killed at random moments until it is whole. MEANDER_KILLS: how often at least, over as many sweeps as that takes.
    void killedAndGoneOnWith() {
        const int wanted = qEnvironmentVariable("MEANDER_KILLS", "12").toInt();
        std::mt19937 random(11);
        int kills = 0, sweeps = 0, safe = 0, waited = 0;
        while (kills < wanted) {
            const std::string name = "kill" + std::to_string(sweeps++) + ".meander", path = at(name);
            bool isWhole = false;
            std::set<std::string> announced;
            for (int round = 0; !isWhole && round < 60; ++round) {
                const bool isFirst = !fs::exists(path) || ProjectStore::open(path).value()->sweeps().empty();
                if (isFirst) fs::remove(path);
                const Command c(isFirst ? sweep(name) : Words{"sweep", path, "--resume", "--json"});
                ::usleep(useconds_t(50'000 + random() % (300'000 * (1 + unsigned(round) / 4))));
                if (::kill(c.pid, 0) == 0) ::kill(c.pid, SIGKILL);
                const Told told = readTold(c);
                isWhole = told.status == 0;
                if (!isWhole) ++kills;
                for (const Json& j : told.events("cell"))
                    if (j["status"] == "finished") announced.insert(j["run"].get<std::string>());
                if (!fs::exists(path)) continue;
                auto store = std::move(*ProjectStore::open(path));
                QVERIFY(store->note().empty());
                std::map<std::string, RunStatus> states;
                for (const Run& r : std::vector<Run>(*store->runs())) {
                    states[r.id] = r.status;
                    QVERIFY(store->damage(r.id)->empty());
                    QVERIFY(r.status != RunStatus::Running);  // nothing goes on by itself
                    waited += r.status == RunStatus::Queued || r.status == RunStatus::Interrupted;
                }
                for (const auto& id : announced) QCOMPARE(states[id], RunStatus::Finished);
            }
            QVERIFY(isWhole);
            safe += int(announced.size());
            compareWithRight(name);
            fs::remove(path);
        }
        qInfo("%d kills in %d sweeps; %d cells announced, all there; %d times a run waited or was interrupted", kills,
              sweeps, safe, waited);
        QVERIFY(waited > 0);
    }

    // sbatch and squeue of two lines each: the first try of part 1 is killed.
    void aJobArray() {
        const fs::path bin = at("bin");
        fs::create_directories(bin / "jobs");
        const auto script = [&](const std::string& name, const std::string& text) {
            std::ofstream(bin / name) << "#!/bin/sh\n" << text;
            fs::permissions(bin / name, fs::perms::owner_all);
        };
        script("sbatch", R"sh(cd "$(dirname "$0")"/jobs
for w in "$@"; do case "$w" in --array=*) list=${w#--array=};; --output=*) out=${w#--output=};; esac; job=$w; done
id=$(ls | wc -l); id=$((id + 100)); : > count-$id
for t in $(echo $list | tr , ' '); do
  : > $id-$t
  log=$(echo $out | sed "s/%a/$t/")
  (if [ $t = 1 ] && [ ! -e ../killed ]; then : > ../killed; SLURM_ARRAY_TASK_ID=$t timeout -s KILL 0.15 sh $job
   else SLURM_ARRAY_TASK_ID=$t sh $job; fi; rm $id-$t) >> $log 2>&1 < /dev/null &
done
echo $id
)sh");
        script("squeue", R"sh(cd "$(dirname "$0")"/jobs
for w in "$@"; do [ "$last" = -j ] && id=$w; last=$w; done
for f in $id-*; do [ -e "$f" ] && echo ${f#$id-}; done; true
)sh");
        const QByteArray path = qgetenv("PATH");
        qputenv("PATH", QByteArray::fromStdString(bin.string()) + ":" + path);
        const std::string own = QCoreApplication::applicationFilePath().toStdString();
        const Told told = call(sweep(
            "array.meander", {"--slurm", "--slurm-parts", "3", "--slurm-poll", "0.1", "--slurm-program", own.c_str()}));
        qputenv("PATH", path);
        QVERIFY2(told.status == 0, told.text.c_str());
        QCOMPARE(told.events("cell").size(), 12u);
        QVERIFY2(told.events("lost").size() == 1 && told.events("lost")[0]["part"] == 1, told.text.c_str());
        QCOMPARE(told.events("submitted").size(), 2u);
        compareWithRight("array.meander");
        const auto images = imagesOf(at("array.meander"));
        auto store = std::move(*ProjectStore::open(at("array.meander")));
        QVERIFY(store->waitingRuns()->empty());
        std::set<int> numbers;
        for (const Run& r : std::vector<Run>(*store->runs())) numbers.insert(r.number);
        QCOMPARE(numbers.size(), 12u);
    }

    void aJobArrayOfTheRealSlurm() {
        if (QStandardPaths::findExecutable("sbatch").isEmpty()
            || QProcess::execute("sh", {"-c", "sinfo -h -t idle,mix,alloc | grep -q ."}) != 0)
            QSKIP("No Slurm that takes jobs is installed (sbatch, sinfo).");
        const std::string own = QCoreApplication::applicationFilePath().toStdString();
        const Command c(sweep(
            "slurm.meander", {"--slurm", "--slurm-parts", "3", "--slurm-poll", "0.5", "--slurm-program", own.c_str()}));
        // The first task that is in progress is killed.
        bool isKilled = false;
        for (int i = 0; i < 200 && !isKilled; ++i) {
            QTest::qSleep(50);
            QProcess squeue;
            squeue.start("squeue", {"-h", "-r", "-t", "R", "-n", "meander-sweep", "-o", "%i"});
            squeue.waitForFinished();
            const QString task = QString::fromUtf8(squeue.readAll()).section('\n', 0, 0).trimmed();
            if (!task.isEmpty()) isKilled = QProcess::execute("scancel", {"--signal=KILL", "--full", task}) == 0;
        }
        const Told told = readTold(c);
        QVERIFY2(told.status == 0, told.text.c_str());
        QVERIFY(isKilled);
        qInfo("%d parts were lost and submitted again", int(told.events("lost").size()));
        QCOMPARE(told.events("cell").size(), 12u);
        compareWithRight("slurm.meander");
    }
};

int main(int argc, char** argv) {
    // A task of a job array starts this program in the place of meander-run.
    if (argc > 1 && std::string(argv[1]) == "sweep") return cli::run(argc, argv);
    QCoreApplication app(argc, argv);
    TestSweepCommand test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_sweep_command.moc"
