// Where runs start: noise, data, another run. Inverting runs on rising levels, the round trip through two runs, and
// what records and views make of them.
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include "engine/analysis/diagnostics.h"
#include "engine/imaging/png.h"
#include "engine/run/engine.h"
#include "engine/run/recipe_differences.h"

using namespace meander;

namespace {

std::shared_ptr<const Run> carryOut(const Plan& plan, std::shared_ptr<const Run> parent = nullptr) {
    std::mutex mutex;
    std::shared_ptr<const Run> result;
    Engine engine({"cpu"}, [&](const RunEvent& e) {
        const std::lock_guard lock(mutex);
        if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed || e.kind == RunEventKind::Cancelled)
            result = e.run;
    });
    engine.submit(plan, parent);
    engine.waitIdle();
    const std::lock_guard lock(mutex);
    return result;
}

Plan planned(const Recipe& r, const Run* parent = nullptr, const Run* start = nullptr) {
    auto p = plan(r, parent, start);
    if (!p) throw Failure(p.error().text);
    return *p;
}

Recipe gaussian(const char* process = "flow") {
    Recipe r;
    r.model = std::string("analytic:gaussian2?process=") + process;
    r.images = 8;
    r.steps = 12;
    r.sampler = {"euler", {}};
    r.schedule = {"uniform_t", {}};
    r.guidance.clear();
    return r;
}

Choice fromData(double strength = 1, const std::string& file = {}) {
    return {"data", {{"strength", strength}, {"file", file}}};
}
Choice fromRun(const std::string& id, double strength = 1) { return {"run", {{"strength", strength}, {"run", id}}}; }

double worst(const HostTensor& a, const HostTensor& b) {
    double d = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) d = std::max(d, std::abs(a.at(i) - b.at(i)) / (1 + std::abs(b.at(i))));
    return a.count() == b.count() ? d : INFINITY;
}

// Up by DDIM inversion on rising levels and down again by Euler, on one coordinate of N(mean, variance): scalar
// arithmetic of both rules.
double roundTrip(const Process& p, const std::vector<double>& levels, double mean, double variance, double y) {
    const auto estimate = [&](double state, double tau) {
        const double a = p.signal(tau);
        return mean + a * variance / (a * a * variance + tau * tau) * (state - a * mean);
    };
    for (std::size_t k = 1; k < levels.size(); ++k) {
        const double from = levels[k - 1], to = levels[k], asked = from > 0 ? from : std::min(p.minimum(), to),
                     state = p.signal(asked) / p.signal(from) * y;
        const double noise = (state - p.signal(asked) * estimate(state, asked)) / asked,
                     ratio = p.signal(to) / p.signal(from);
        y = ratio * y + (to - from * ratio) * noise;
    }
    for (std::size_t k = levels.size() - 1; k > 0; --k) {
        const double kept = levels[k - 1] / levels[k];
        y = kept * y + (1 - kept) * estimate(y, levels[k]);
    }
    return y;
}

QString notes(const Plan& p) {
    QString text;
    for (const auto& n : p.notes) text += QString::fromStdString(n.key + ": " + n.text + "\n");
    return text;
}

}  // namespace

class TestStart : public QObject {
    Q_OBJECT
private slots:
    void recipesKeepIt() {
        Recipe r = gaussian();
        QVERIFY(!toJson(r).contains("start"));  // noise is what absence means, so that older recipes read the same
        QCOMPARE(recipeFromJson(toJson(r))->start.id, std::string("noise"));
        r.start = fromData(0.4, "a.png");
        const auto back = recipeFromJson(Json::parse(toJson(r).dump()));
        QVERIFY(back.ok() && *back == r);
        const auto list = differences(gaussian(), r);
        QCOMPARE(list.front().key, std::string("start"));
        QCOMPARE(list.front().right, std::string("Data"));
        QVERIFY(std::any_of(list.begin(), list.end(),
                            [](const auto& d) { return d.label == "Start Strength" && d.right == "0.4"; }));
        QVERIFY(recipeFromJson(Json::parse(R"({"start": "data"})")).ok());
        QVERIFY(!recipeFromJson(Json::parse(R"({"start": 3})")).ok());
        for (const auto& s : starts()) QVERIFY(!s.label.empty() && !s.summary.empty() && findStart(s.id) == &s);
    }
    void plansSayWhatIsWrong_data() {
        QTest::addColumn<QString>("json");
        QTest::addColumn<QString>("says");
        QTest::newRow("unknown") << R"({"model": "analytic:ring8", "start": "dat"})"
                                 << "start named \"dat\".*Did you mean \"data\"";
        QTest::newRow("inversion from noise") << R"({"model": "analytic:ring8", "sampler": "ddim_inversion"})"
                                              << "DDIM inversion goes from data to noise.*Start it from data";
        QTest::newRow("edit from noise") << R"({"model": "analytic:ring8", "sampler": "ddcm"})"
                                         << "DDCM edit changes given data";
        QTest::newRow("no data") << R"({"model": "builtin:sprites-unet", "start": "data"})"
                                 << "does not know its data.*start.file";
        QTest::newRow("no file")
            << R"({"model": "builtin:sprites-unet", "start": {"id": "data", "params": {"file": "/nowhere.png"}}})"
            << "nowhere.png";
        QTest::newRow("no run named") << R"({"model": "analytic:ring8", "start": "run"})"
                                      << "names none";
        QTest::newRow("run missing")
            << R"({"model": "analytic:ring8", "start": {"id": "run", "params": {"run": "0123"}}})"
            << "not in this project";
        QTest::newRow("strength")
            << R"({"model": "analytic:ring8", "start": {"id": "data", "params": {"strength": 2.0}}})"
            << "[Ss]trength";
        QTest::newRow("reversed")
            << R"({"model": "analytic:ring8", "sampler": "euler", "schedule_operators": [{"id": "reverse"}]})"
            << "levels of the schedule rise";
    }
    void plansSayWhatIsWrong() {
        QFETCH(QString, json);
        QFETCH(QString, says);
        const auto recipe = recipeFromJson(Json::parse(json.toStdString()));
        QVERIFY2(recipe.ok(), recipe ? "" : recipe.error().text.c_str());
        const auto p = plan(*recipe);
        QVERIFY(!p.ok());
        QVERIFY2(QRegularExpression(says).match(QString::fromStdString(p.error().text)).hasMatch(),
                 p.error().text.c_str());
    }
    void levels() {
        using List = std::vector<double>;
        const List falling = {1, 0.75, 0.5, 0.25, 0};
        QCOMPARE(startLevels(falling, {}, 1, false), falling);
        QCOMPARE(startLevels(falling, {}, 0.5, false), (List{0.5, 0.25, 0}));
        QCOMPARE(startLevels(falling, {}, 0.74, false), (List{0.5, 0.25, 0}));  // rounded down
        QCOMPARE(startLevels(falling, {}, 0.01, false), (List{0.25, 0}));
        QCOMPARE(startLevels(falling, {}, 1, true), (List{0, 0.25, 0.5, 0.75, 1}));
        QCOMPARE(startLevels({0, 0.25, 0.5, 0.75, 1}, {}, 0.5, true), (List{0, 0.25, 0.5}));
        StartPoint between;
        between.tau = 0.6;
        QCOMPARE(startLevels(falling, between, 1, false), (List{0.6, 0.5, 0.25, 0}));
        QCOMPARE(startLevels(falling, between, 1, true), (List{0.6, 0.75, 1}));
        between.tau = 1;
        QCOMPARE(startLevels(falling, between, 0.5, false), falling);
        QVERIFY_THROWS_EXCEPTION(Failure, startLevels(falling, between, 1, true));
    }

    // Data noised to the first level: y = a x0 + τ ε with the model's own draw and the run's own noise.
    void dataIsNoised_data() {
        QTest::addColumn<QString>("process");
        for (const char* p : {"edm", "vp-scaled-linear", "flow"}) QTest::newRow(p) << p;
    }
    void dataIsNoised() {
        QFETCH(QString, process);
        Recipe r = gaussian(process.toLatin1());
        r.start = fromData(0.5);
        const Plan p = planned(r);
        QCOMPARE(p.intervals(), 6);
        QCOMPARE(p.resolved.steps, 12);  // planned again, it is the same
        QCOMPARE(planned(p.resolved).levels, p.levels);
        QVERIFY2(notes(p).contains("the 6 next to the data"), qPrintable(notes(p)));
        const auto run = carryOut(p);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        const auto backend = kernels::createCpuBackend();
        const auto model = *loadModel(r.model, *backend);
        const HostTensor x0 = model->drawData(r.images, r.seed, {});
        Recipe pure = gaussian(process.toLatin1());
        const auto plain = carryOut(planned(pure));
        const double tau = p.levels.front(), a = p.model.process.signal(tau), top = plain->trajectory->levels.front();
        for (std::int64_t i = 0; i < x0.count(); ++i) {
            const double wanted = a * x0.at(i) + tau * plain->trajectory->initial.at(i) / top;
            QVERIFY(std::abs(run->trajectory->initial.at(i) - wanted) < 1e-12 * (1 + std::abs(wanted)));
        }
    }
    // Up from data in one run and down in another, which starts where the first ended: the data again. Rising levels,
    // never τ = 0 asked, and the views stand.
    void roundTripThroughTwoRuns_data() { dataIsNoised_data(); }
    void roundTripThroughTwoRuns() {
        QFETCH(QString, process);
        Recipe up = gaussian(process.toLatin1());
        up.start = fromData();
        up.sampler = {"fixed_point_inversion", {{"iterations", std::int64_t(120)}, {"depth", std::int64_t(2)}}};
        const Plan p = planned(up);
        QCOMPARE(p.levels.front(), 0.0);
        QCOMPARE(p.levels.back(), p.model.process.maximum());
        const auto inverted = carryOut(p);
        QVERIFY2(inverted->status == RunStatus::Finished, inverted->problem.c_str());
        const Trajectory& t = *inverted->trajectory;
        QCOMPARE(int(t.steps.size()), p.intervals());
        QCOMPARE(int(t.evaluations.size()), p.requests);
        for (std::size_t k = 1; k < t.levels.size(); ++k) QVERIFY(t.levels[k] > t.levels[k - 1]);
        for (const auto& e : t.evaluations) QVERIFY(e->tau > 0 && std::isfinite(e->networkTime));
        const Path path = pathOf(t, 0);
        QCOMPARE(path.frames.size(), t.levels.size());
        QVERIFY(std::isfinite(straightness(path)) && std::isfinite(arcOverChord(path.frames)));
        const auto all = diagnose(t);
        QVERIFY(!all.empty());
        for (const auto& d : all)
            QVERIFY2(std::any_of(d.values.begin(), d.values.end(), [](double v) { return std::isfinite(v); }),
                     d.id.c_str());

        Recipe down = gaussian(process.toLatin1());
        down.start = fromRun(inverted->id);
        const auto back = carryOut(planned(down, nullptr, inverted.get()));
        QVERIFY2(back->status == RunStatus::Finished, back->problem.c_str());
        QVERIFY(back->trajectory->initial.sameBits(t.last()));
        QVERIFY2(worst(back->trajectory->last(), t.initial) < 1e-8,
                 qPrintable(QString::number(worst(back->trajectory->last(), t.initial))));
        // DDIM inversion closes it only roughly, and better with more steps: first order on Karras' levels, which are
        // dense at the data. (Levels uniform in σ up to 80 leave the first step from the data 0.8 long at 96 steps, far
        // beyond the data's deviation.) What each coordinate comes to is known: every step is affine.
        if (process == "edm") up.schedule = down.schedule = {"karras", {}};
        double before = INFINITY;
        for (int steps : {12, 96}) {
            up.sampler = {"ddim_inversion", {}};
            up.steps = down.steps = steps;
            const Plan rising = planned(up);
            const auto noise = carryOut(rising);
            down.start = fromRun(noise->id);
            const HostTensor back = carryOut(planned(down, nullptr, noise.get()))->trajectory->last(),
                             &data = noise->trajectory->initial;
            for (std::int64_t i = 0; i < data.count(); ++i) {
                const double wanted =
                    roundTrip(rising.model.process, rising.levels, i % 2 ? -0.25 : 0.5, i % 2 ? 0.09 : 1.0, data.at(i));
                QVERIFY2(std::abs(back.at(i) - wanted) < 1e-9 * (1 + std::abs(wanted)),
                         qPrintable(QString("%1 %2").arg(back.at(i), 0, 'g', 12).arg(wanted, 0, 'g', 12)));
            }
            const double miss = worst(back, data);
            qInfo("%d steps: DDIM inversion misses by %.3g", steps, miss);
            QVERIFY(miss < 0.2 * before);
            before = miss;
        }
    }
    // A run that ended between data and noise goes on from there; one that ended at the data is noised again.
    void goesOnFromAnotherRun() {
        Recipe up = gaussian();
        up.start = fromData(0.5);
        up.sampler = {"ddim_inversion", {}};
        const auto half = carryOut(planned(up));
        QCOMPARE(half->trajectory->levels.back(), 0.5);
        Recipe on = gaussian();
        on.start = fromRun(half->id);
        const Plan p = planned(on, nullptr, half.get());
        QCOMPARE(p.levels.front(), 0.5);
        QVERIFY(notes(p).contains("goes on from level 0.5"));
        const auto whole = planned(gaussian()).levels;
        const std::vector<double> upper(whole.rbegin() + 6, whole.rend());
        up.start = fromRun(half->id);
        QCOMPARE(planned(up, nullptr, half.get()).levels, upper);
        Recipe other = on;
        other.model = "analytic:gaussian2?process=flow&eigenvalues=1,2";
        QVERIFY(!plan(other, nullptr, half.get()).ok());  // another model cannot go on in between
        const auto clean = carryOut(planned(gaussian()));
        other.start = fromRun(clean->id, 0.25);
        const auto again = carryOut(planned(other, nullptr, clean.get()));  // but may start from another's data
        QCOMPARE(again->status, RunStatus::Finished);
        QCOMPARE(again->trajectory->levels.size(), std::size_t(4));
        Recipe many = other;
        many.images = 5;
        QVERIFY(!plan(many, nullptr, clean.get()).ok());
    }
    void branchesOfInvertingRuns() {
        Recipe up = gaussian();
        up.start = fromData();
        up.sampler = {"ddim_inversion", {}};
        const auto parent = carryOut(planned(up));
        Recipe child = up;
        child.branch = BranchPoint{parent->id, 5};
        const auto same = carryOut(planned(child, parent.get()), parent);
        QVERIFY2(same->status == RunStatus::Finished, same->problem.c_str());
        QVERIFY(same->trajectory->last().sameBits(parent->trajectory->last()));
        QVERIFY(same->trajectory->evaluations.front()->replayed);
        child.steps = 30;  // another tail above
        const auto finer = carryOut(planned(child, parent.get()), parent);
        QVERIFY(finer->trajectory->levels.size() > parent->trajectory->levels.size());
        for (int k = 0; k < 5; ++k)
            QVERIFY(finer->trajectory->steps[std::size_t(k)]->state.sameBits(
                parent->trajectory->steps[std::size_t(k)]->state));
        for (std::size_t k = 1; k < finer->trajectory->levels.size(); ++k)
            QVERIFY(finer->trajectory->levels[k] > finer->trajectory->levels[k - 1]);
        child.start = fromData(0.9);  // another start has no history to restore
        QVERIFY(notes(planned(child, parent.get())).contains("without history"));
    }
    // Equal prompts (a class and none here are the same without classes) return the data, through the engine.
    void inversionFreeEditReturnsTheData() {
        Recipe r = gaussian();
        r.start = fromData();
        r.sampler = {"ddcm", {}};
        const auto run = carryOut(planned(r));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        const auto backend = kernels::createCpuBackend();
        QVERIFY(worst(run->trajectory->last(), (*loadModel(r.model, *backend))->drawData(r.images, r.seed, {}))
                < 1e-13);
        // Towards a class: the points move to its arc.
        r.model = "analytic:two-classes?process=flow";
        r.classIndex = 0;
        r.images = 200;
        const auto moved = carryOut(planned(r));
        QVERIFY2(moved->status == RunStatus::Finished, moved->problem.c_str());
        const auto model = *loadModel(r.model, *backend);
        const auto likelihood = [&](const HostTensor& x) {
            double sum = 0;
            for (double l : model->logDensity(x, 1e-3, {.text = {}, .classIndex = 0})) sum += std::max(l, -50.0);
            return sum / double(x.shape()[0]);
        };
        const HostTensor source = model->drawData(200, r.seed, {.text = {}, .classIndex = 0});
        qInfo("log density under the target class: source %.2f, edited %.2f",
              likelihood(model->drawData(200, r.seed, {})), likelihood(moved->trajectory->last()));
        QVERIFY(likelihood(moved->trajectory->last()) > likelihood(source) - 5);
    }
    // An image file: at a low strength the result stays near it, at full strength it does not.
    void imagesFromFiles() {
        QTemporaryDir folder;
        Recipe r = recommendedRecipe(*inspectModel("builtin:sprites-unet"));
        r.prompt = "a red circle above a blue square on a white background";
        r.guidance.clear();
        r.images = 1;
        r.steps = 8;
        r.attention = AttentionLevel::Off;
        const auto first = carryOut(planned(r));
        QVERIFY2(first->status == RunStatus::Finished, first->problem.c_str());
        const std::string path = folder.filePath("start.png").toStdString();
        QVERIFY(writePng(path, imageOf(first->images)).ok());
        r.seed = 977;
        const auto distance = [&](double strength) {
            r.start = fromData(strength, path);
            const auto run = carryOut(planned(r));
            if (run->status != RunStatus::Finished) throw Failure(run->problem);
            double sum = 0;
            for (std::int64_t i = 0; i < run->images.count(); ++i)
                sum += std::pow(std::clamp(run->images.at(i), 0.0, 1.0) - std::clamp(first->images.at(i), 0.0, 1.0), 2);
            return std::sqrt(sum / double(run->images.count()));
        };
        const double low = distance(0.2), high = distance(1);
        qInfo("difference to the image: %.4f at strength 0.2, %.4f at 1", low, high);
        QVERIFY(low < 0.5 * high);
        r.images = 2;  // one image, two noises
        QVERIFY(plan(r).ok());
        // An image of another size is cut and scaled, and the plan says so.
        QVERIFY(writePng(path, Image(7, 5)).ok());
        const auto scaled = plan(r);
        QVERIFY2(scaled.ok(), scaled ? "" : scaled.error().text.c_str());
        QVERIFY(std::any_of(scaled->notes.begin(), scaled->notes.end(), [](const PlanNote& n) {
            return n.key == "start" && n.text.find("7 × 5") != std::string::npos;
        }));
        QCOMPARE(scaled->start.images.shape(), Shape({1, 32, 32, 3}));
    }
    void pointsFromFiles() {
        QTemporaryDir folder;
        QFile file(folder.filePath("points.csv"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("x,y\n0.5,-0.25\n1.5,0\n");
        file.close();
        Recipe r = gaussian();
        r.images = 2;
        r.start = fromData(1, file.fileName().toStdString());
        r.sampler = {"ddim_inversion", {}};
        const auto run = carryOut(planned(r));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QCOMPARE(run->trajectory->initial.toDoubles(), (std::vector<double>{0.5, -0.25, 1.5, 0}));
        r.images = 3;
        QVERIFY(!plan(r).ok());
    }
    // On a curved space data and noise meet on their geodesic.
    void curvedSpaces() {
        for (const char* id : {"analytic:sphere", "analytic:torus", "analytic:hyperboloid"}) {
            Recipe r = recommendedRecipe(*inspectModel(id));
            r.images = 40;
            r.steps = 10;
            const auto plain = carryOut(planned(r));
            QVERIFY2(plain->status == RunStatus::Finished, plain->problem.c_str());
            r.start = fromData(0.3);
            const auto run = carryOut(planned(r));
            QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
            const Manifold m = run->model.process.manifold();
            const auto x = run->trajectory->initial.toDoubles(), end = run->trajectory->last().toDoubles(),
                       prior = plain->trajectory->initial.toDoubles();
            const auto backend = kernels::createCpuBackend();
            const auto data = (*loadModel(r.model, *backend))->drawData(40, r.seed, {}).toDoubles();
            const std::size_t n = x.size() / 40;
            for (std::size_t at = 0; at < x.size(); at += n) {
                const auto point = [&](const std::vector<double>& v) { return std::span(v).subspan(at, n); };
                QVERIFY(m.violation(point(x)) < 1e-14 && m.violation(point(end)) < 1e-14);
                const double whole = m.distance(point(data), point(prior));
                QVERIFY(std::abs(m.distance(point(data), point(x)) - 0.3 * whole) < 1e-10 * (1 + whole));
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestStart)
#include "tst_start.moc"
