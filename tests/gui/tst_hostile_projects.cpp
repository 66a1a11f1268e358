// Projects whose records contradict themselves, or whose bytes were changed, are opened in the real window: it tells
// what is wrong or shows what there is, and goes on. MEANDER_LONG_WALKS=1 opens 10,000.
#include <limits>

#include "engine/project/project_store.h"
#include "tests/gui/panels/hand_made_run.h"
#include "tests/gui/walk_views.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

namespace {

using Random = std::mt19937_64;

template <class T> const T& oneOf(Random& random, const std::vector<T>& list) { return list[random() % list.size()]; }

double anyNumber(Random& random) {
    return oneOf<double>(random,
                         {0, -1, 1, 1e-300, 1e300, std::numeric_limits<double>::quiet_NaN(),
                          std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 0.37, 80});
}
int anyInteger(Random& random) { return oneOf<int>(random, {0, 1, 2, 3, 5, 40, 1 << 20}); }

HostTensor anyTensor(Random& random) {
    const Shape shape = oneOf<Shape>(
        random,
        {{1}, {3, 1}, {4, 2}, {240, 3}, {1, 8, 8, 3}, {2, 5, 4, 3}, {1, 4, 4, 12}, {1, 6, 6, 4}, {0, 2}, {4, 0}});
    std::vector<double> values(std::size_t(shape.count()));
    for (double& v : values) v = double(random() % 1000) / 250 - 2;
    if (!values.empty() && random() % 4 == 0) values[random() % values.size()] = anyNumber(random);
    return HostTensor::fromDoubles(shape, values);
}

// One thing of a run becomes another that its type allows.
void mutate(Run& run, Random& random) {
    auto t = std::make_shared<Trajectory>(*run.trajectory);
    const auto evaluation = [&](auto change) {
        if (t->evaluations.empty()) return;
        auto& at = t->evaluations[random() % t->evaluations.size()];
        auto copy = std::make_shared<Evaluation>(*at);
        change(*copy);
        at = copy;
    };
    switch (random() % 26) {
    case 0: t->levels.clear(); break;
    case 1: t->levels.resize(random() % 20, 0.5); break;
    case 2:
        if (!t->levels.empty()) t->levels[random() % t->levels.size()] = anyNumber(random);
        break;
    case 3: evaluation([&](Evaluation& e) { e.step = anyInteger(random); }); break;
    case 4: evaluation([&](Evaluation& e) { e.tau = anyNumber(random); }); break;
    case 5: evaluation([&](Evaluation& e) { e.sigma = e.logSnr = anyNumber(random); }); break;
    case 6: evaluation([&](Evaluation& e) { e.denoised = anyTensor(random); }); break;
    case 7: evaluation([&](Evaluation& e) { e.state = random() % 2 ? HostTensor() : anyTensor(random); }); break;
    case 8: evaluation([&](Evaluation& e) { e.branches.clear(); }); break;
    case 9:
        evaluation([&](Evaluation& e) {
            e.metrics.push_back({"residual", std::vector<double>(random() % 5, anyNumber(random))});
        });
        break;
    case 10:
        evaluation([&](Evaluation& e) {
            for (auto& image : e.attention)
                for (auto& map : image) map.heads = anyInteger(random), map.site = anyInteger(random) % 8;
        });
        break;
    case 11:
        evaluation([&](Evaluation& e) {
            for (auto& image : e.attention)
                for (auto& map : image) map.probabilities = anyTensor(random), map.entropy.resize(random() % 7);
        });
        break;
    case 12: evaluation([&](Evaluation& e) { e.attention.resize(random() % 4); }); break;
    case 13: t->steps.resize(random() % (t->steps.size() + 1)); break;
    case 14: t->evaluations.resize(random() % (t->evaluations.size() + 1)); break;
    case 15: t->sites.resize(random() % 4); break;
    case 16:
        if (!t->tokens.empty()) t->tokens[random() % t->tokens.size()].word = anyInteger(random) - 2;
        break;
    case 17: t->tokens.resize(random() % 9); break;
    case 18: t->initial = anyTensor(random); break;
    case 19: run.images = random() % 2 ? HostTensor() : anyTensor(random); break;
    case 20: run.model.state.shape = oneOf<Shape>(random, {{1}, {2}, {3}, {8, 8, 3}, {4, 4, 12}, {0}}); break;
    case 21: run.model.state.image = oneOf<Shape>(random, {{}, {8, 8, 3}, {32, 32, 3}, {1}}); break;
    case 22:
        run.model.state.kind = run.model.state.kind == StateKind::Points ? StateKind::Image : StateKind::Points;
        break;
    case 23: run.recipe.steps = anyInteger(random), run.recipe.images = anyInteger(random); break;
    case 24: run.recipe.branch = BranchPoint{oneOf<std::string>(random, {"a", "p", "none"}), anyInteger(random)}; break;
    case 25:
        run.status = oneOf<RunStatus>(random, {RunStatus::Cancelled, RunStatus::Failed, RunStatus::Interrupted,
                                               RunStatus::Running, RunStatus::Queued});
        break;
    }
    run.trajectory = t;
}

std::vector<Run> soundRuns() {
    using namespace meander::test;
    std::vector<Run> runs{*discRun("a", 1, 4, 8), *discRun("b", 2, 3, 8), *ringRun("p", 3, 5, 12),
                          *ringRun("l", 4, 4, 12, 1)};
    runs.push_back(*withCorrectors(runs[0], "c"));
    runs.back().number = 5;
    return runs;
}

bool write(const QString& path, const std::vector<Run>& runs) {
    auto store = ProjectStore::create(path.toStdString(), true);
    if (!store) return false;
    for (const Run& r : runs) (*store)->finishRun(r);
    return (*store)->close().ok();
}

}  // namespace

class TestHostileProjects : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;
    QTemporaryDir folder;
    std::size_t m_first = 0;  // which run of a project is walked first
    static int cases() { return qEnvironmentVariableIsSet("MEANDER_LONG_WALKS") ? 5000 : 100; }

    // Two runs of the project, others each time, are shown and walked; false when the project was refused.
    bool walk(const QString& path) {
        if (!window->openProject(path)) return false;
        QStringList ids;
        for (const RunPtr& r : window->document().runs()) ids.append(qstr(r->id));
        for (int i = 0; i < std::min<qsizetype>(2, ids.size()); ++i) {
            const int at = int((m_first + std::size_t(i)) % std::size_t(ids.size()));
            showRun(*window, ids[at], i % 2 ? ids[(at + 1) % ids.size()] : QString());
            walkViews(*window, 1);
        }
        ++m_first;
        return true;
    }

private slots:
    void initTestCase() {
        prepareApplication(QStringLiteral("hostile-%1").arg(QCoreApplication::applicationPid()));
        window = openWindow({1280, 720});
        WAIT_FOR_PLAN(window->document());
    }
    void cleanupTestCase() {
        window.reset();
        forgetEverything();
    }

    void recordsThatContradictThemselves() {
        Random random(20261129);
        const auto sound = soundRuns();
        int shown = 0;
        for (int k = 0; k < cases(); ++k) {
            std::vector<Run> runs{sound[random() % sound.size()], sound[random() % sound.size()]};
            runs[1].id = "other";
            for (Run& r : runs)
                for (std::size_t n = 1 + random() % 3; n > 0; --n) mutate(r, random);
            const QString path = folder.filePath("record-%1.meander").arg(k % 2);
            QFile::remove(path);
            if (!write(path, runs)) continue;  // nothing that could have been written
            shown += walk(path);
        }
        qInfo("%d of %d projects opened", shown, cases());
        QVERIFY(shown > cases() / 2);
    }

    void bytesThatChanged() {
        const QString sound = folder.filePath("sound.meander");
        QVERIFY(write(sound, soundRuns()));
        QFile file(sound);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray whole = file.readAll();
        Random random(7);
        int shown = 0;
        for (int k = 0; k < cases(); ++k) {
            QByteArray bytes = whole;
            for (std::size_t n = 1 + random() % 12; n > 0; --n)
                bytes[qsizetype(100 + random() % std::uint64_t(whole.size() - 100))] = char(random());
            const QString path = folder.filePath("bytes-%1.meander").arg(k % 2);
            QFile::remove(path);
            QFile changed(path);
            QVERIFY(changed.open(QIODevice::WriteOnly));
            changed.write(bytes);
            changed.close();
            shown += walk(path);
            for (const QFileInfo& copy : QDir(folder.path()).entryInfoList({"*recovered*"}))
                QFile::remove(copy.filePath());
        }
        qInfo("%d of %d projects opened", shown, cases());
        QVERIFY(shown > cases() / 3);
    }
};

QTEST_MAIN(TestHostileProjects)
#include "tst_hostile_projects.moc"
