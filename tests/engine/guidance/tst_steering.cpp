// Steering on exact models: rewards (SVDD) against the tilted distribution, concepts with their monitor, sums of
// sources, and data consistency.
#include "engine_run.h"
#include "rule_bench.h"

#include <filesystem>

#include "engine/imaging/png.h"
#include "engine/models/analytic/analytic_model.h"
#include "engine/sprites/fidelity.h"
#include "kernels/api/philox.h"

using namespace meander;
using namespace meander::bench;

class TestSteering : public QObject {
    Q_OBJECT
private:
    // --- rewards: eight modes on a ring of radius 3, r = x₁ rounded ---
    static constexpr const char* ring = "analytic:ring8?radius=3&width=0.25";
    static Recipe steered(double alpha, int particles, int images) {
        Recipe r;
        r.model = ring;
        r.images = particles * images;
        r.steps = 60;
        r.sampler = {"euler_ancestral", {{"eta", 1.0}}};
        r.schedule = {"karras", {}};
        r.guidance = {{"reward_steering",
                       {{"particles", std::int64_t(particles)}, {"alpha", alpha}, {"reward", std::string("level")}}}};
        return r;
    }
    struct Reached {
        double reward = 0;
        int modes = 0;
    };
    static Reached reached(const Run& run, int particles) {
        const auto x = run.trajectory->last().toDoubles();
        std::vector<int> count(8);
        Reached r;
        const std::size_t images = x.size() / 2 / std::size_t(particles);
        for (std::size_t p = 0; p < images; ++p) {
            const double a = x[2 * p * std::size_t(particles)], b = x[2 * p * std::size_t(particles) + 1];
            r.reward += std::round(a) / double(images);
            ++count[std::size_t((int(std::lround(std::atan2(b, a) / (2 * 3.14159265358979323846) * 8)) + 8) % 8)];
        }
        for (int c : count) r.modes += c > 0.02 * double(images);
        return r;
    }
    // E[r] under p·exp(r/α), from exact draws.
    static double tilted(double alpha) {
        const auto model = makeAnalyticModel(*ModelId::parse(ring));
        const auto x = model->drawData(200000, 3, {}).toDoubles();
        double sum = 0, weight = 0;
        for (std::size_t i = 0; i < x.size(); i += 2) {
            const double w = std::exp((std::round(x[i]) - 3) / alpha);
            sum += w * std::round(x[i]);
            weight += w;
        }
        return sum / weight;
    }

private slots:
    void rewardFollowsTheTilt_data() {
        QTest::addColumn<double>("alpha");
        QTest::addColumn<double>("oracle");  // a reference implementation with 20 particles
        QTest::newRow("alpha 2") << 2.0 << 1.82;
        QTest::newRow("alpha 1") << 1.0 << 2.56;
        QTest::newRow("alpha 0.5") << 0.5 << 2.87;
    }
    void rewardFollowsTheTilt() {
        QFETCH(double, alpha);
        QFETCH(double, oracle);
        const auto run = runOne(steered(alpha, 20, 600));
        const Reached r = reached(*run, 20);
        const double exact = tilted(alpha);
        qInfo("E[r] %.3f, reference %.2f, exact tilt %.3f", r.reward, oracle, exact);
        QVERIFY2(std::abs(r.reward - oracle) < 0.15, qPrintable(QString::number(r.reward)));
        QVERIFY(std::abs(exact - r.reward) < 0.25);
    }
    void noTemperatureLosesModes() {
        const Reached greedy = reached(*runOne(steered(0, 20, 300)), 20),
                      plain = reached(*runOne(steered(1e6, 1, 2000)), 1);
        qInfo("α 0: E[r] %.2f in %d modes; base %.3f in %d", greedy.reward, greedy.modes, plain.reward, plain.modes);
        QVERIFY(greedy.reward > 2.85 && greedy.modes <= 4);
        QVERIFY(std::abs(plain.reward - 0.03) < 0.2 && plain.modes == 8);
    }
    void particlesOfAGroupBecomeOne() {
        const auto run = runOne(steered(1, 4, 5));
        for (const auto& e : run->trajectory->evaluations) {
            QCOMPARE(e->ancestors.size(), std::size_t(20));
            QCOMPARE(e->metrics.size(), std::size_t(2));
            for (std::size_t r = 0; r < 20; ++r) {
                QVERIFY(e->ancestors[r] / 4 == std::int64_t(r / 4) && e->ancestors[r] == e->ancestors[r - r % 4]);
                QVERIFY(e->metrics[1].values[r] >= 1 - 1e-12 && e->metrics[1].values[r] <= 4 + 1e-12);
                QVERIFY(e->denoised.rows(std::int64_t(r), 1).sameBits(e->denoised.rows(std::int64_t(r - r % 4), 1)));
            }
        }
        const HostTensor last = run->trajectory->last();
        for (std::int64_t r = 0; r < 20; ++r) QVERIFY(last.rows(r, 1).sameBits(last.rows(r - r % 4, 1)));
    }
    void imagesMustBeAMultiple() {
        Recipe r = steered(1, 8, 2);
        r.images = 15;
        const auto p = plan(r);
        QVERIFY(!p && p.error().text.find("multiple") != std::string::npos);
    }
    void unsuitableRewards_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("reward");
        QTest::newRow("images' reward on points") << ring << "brightness";
        QTest::newRow("points' reward on images") << "builtin:sprites-unet"
                                                  << "level";
        QTest::newRow("no point") << ring << "distance";
        QTest::newRow("a prompt that is none of the sprites'") << "builtin:sprites-unet"
                                                               << "fidelity";
    }
    void unsuitableRewards() {
        QFETCH(QString, model);
        QFETCH(QString, reward);
        Recipe r;
        r.model = model.toStdString();
        r.prompt = "a dog";
        r.images = 8;
        r.guidance = {{"reward_steering", {{"reward", reward.toStdString()}}}};
        QVERIFY(!plan(r));
    }

    // --- concepts: the upper arc with little of the lower one; the monitor's line falls and steering lifts it ---
    void conceptMonitor() {
        Recipe r;
        r.model = "analytic:two-classes";
        r.classIndex = 0;
        r.images = 200;
        r.steps = 40;
        r.sampler = {"euler", {}};
        r.schedule = {"karras", {}};
        const auto cosines = [&](double strength) {
            r.guidance = {
                {"concepts", {{"concepts", std::string("lower arc")}, {"strength", strength}, {"threshold", 0.2}}}};
            const auto run = runOne(r);
            double least = 1, share = 0, y = 0;
            for (const auto& e : run->trajectory->evaluations) {
                double mean = 0;
                for (double c : e->metrics[0].values) mean += c / double(r.images);
                for (double s : e->metrics[1].values) share += (s > 0) / double(r.images * r.steps);
                least = std::min(least, mean);
            }
            const auto x = run->trajectory->last().toDoubles();
            for (std::size_t i = 1; i < x.size(); i += 2) y += x[i] / double(r.images);
            return std::array<double, 3>{least, share, y};
        };
        const auto plain = cosines(0), pushed = cosines(1.5);
        qInfo("least mean cosine: plain %.2f, steered %.2f (steering in %.0f %%); mean height %.2f → %.2f", plain[0],
              pushed[0], 100 * pushed[1], plain[2], pushed[2]);
        QVERIFY(plain[0] < 0.2 && plain[1] == 0);
        QVERIFY(pushed[1] > 0.1);
        QVERIFY(pushed[2] < plain[2] - 0.2);  // the lower arc has gained
    }

    // --- sums of sources: N(1, 1) and N(−2, 0.25) with the sum 0.7; the exact posterior has the means 2.36 and −1.66
    // and the deviation 0.447 ---
    void diracDeterministic() {
        Recipe r;
        r.model = "analytic:gaussian?d=2&mean=1,-2&eigenvalues=1,0.25";
        r.images = 2000;
        r.steps = 400;
        r.sampler = {"euler", {}};
        r.schedule = {"karras", {{"max", 20.0}, {"min", 1e-3}}};
        r.guidance = {{"multi_source", {{"sum", std::vector<double>{0.7}}}}};
        const auto run = runOne(r);
        const auto x = run->trajectory->last().toDoubles();
        double mean[2] = {}, square[2] = {}, residual = 0;
        for (std::size_t i = 0; i < x.size(); i += 2) {
            for (std::size_t k = 0; k < 2; ++k) {
                mean[k] += x[i + k] / 2000;
                square[k] += x[i + k] * x[i + k] / 2000;
            }
            residual = std::max(residual, std::abs(x[i] + x[i + 1] - 0.7));
        }
        const double stddev = std::sqrt(square[0] - mean[0] * mean[0]);
        qInfo("means %.3f %.3f, deviation %.4f, residual %.2g", mean[0], mean[1], stddev, residual);
        QVERIFY(std::abs(mean[0] - 2.13) < 0.01 && std::abs(mean[1] + 1.43) < 0.01);
        QVERIFY(std::abs(stddev - 0.024) < 0.003);
        QVERIFY(residual <= 4.5e-16);
        bool labelled = false;
        for (const auto& n : planned(r).notes) labelled |= n.text.find("seek a mode") != std::string::npos;
        QVERIFY(labelled);
        for (double v : run->trajectory->evaluations.back()->metrics[0].values) QVERIFY(v <= 4.5e-16);
    }
    // EDM's Euler with churn, and resampling: noise brings the posterior's spread back.
    void diracWithNoise_data() {
        QTest::addColumn<int>("resamplings");
        QTest::addColumn<double>("first");
        QTest::addColumn<double>("stddev");
        QTest::newRow("churn 20") << 1 << 2.26 << 0.41;
        QTest::newRow("churn 20, two rounds") << 2 << 2.31 << 0.43;
    }
    void diracWithNoise() {
        QFETCH(int, resamplings);
        QFETCH(double, first);
        QFETCH(double, stddev);
        constexpr int paths = 4000, steps = 400;
        RuleBench b({{"multi_source", {{"sum", std::vector<double>{0.7}}}}}, someModel({2}));
        std::vector<double> s;
        for (int i = 0; i < steps; ++i)
            s.push_back(std::pow(
                std::pow(20, 1 / 7.0) + (std::pow(1e-3, 1 / 7.0) - std::pow(20, 1 / 7.0)) * i / (steps - 1), 7));
        s.push_back(0);
        std::uint32_t draw = 0;
        const auto addNoise = [&](Values& x, double scale) {
            ++draw;
            for (std::size_t p = 0; p < paths; ++p) {
                double z[4];
                kernels::normal4({11, std::uint32_t(p), draw, 0}, 0, z);
                for (std::size_t k = 0; k < 2; ++k) x[2 * p + k] += scale * z[k];
            }
        };
        Values x(2 * paths);
        addNoise(x, s[0]);
        const double means[] = {1, -2}, variances[] = {1, 0.25}, gamma = std::min(20.0 / steps, std::sqrt(2.0) - 1);
        for (int i = 0; i < steps; ++i)
            for (int round = 0; round < resamplings; ++round) {
                const double sigma = s[std::size_t(i)], hot = sigma * (1 + gamma), next = s[std::size_t(i) + 1];
                addNoise(x, std::sqrt(hot * hot - sigma * sigma));
                auto m = b.moment(i, steps, hot, next);
                m.state = b.tensor(x, paths);
                const Values held = RuleBench::values(b.stack->projectedState(m));
                Values d(held.size());
                for (std::size_t k = 0; k < d.size(); ++k)
                    d[k] = means[k % 2] + variances[k % 2] / (variances[k % 2] + hot * hot) * (held[k] - means[k % 2]);
                const Values guided = RuleBench::values(b.apply(m, {{Branch::Conditional, d}}, held, paths).combined);
                for (std::size_t k = 0; k < x.size(); ++k) x[k] = held[k] + (held[k] - guided[k]) / hot * (next - hot);
                if (round + 1 < resamplings) addNoise(x, std::sqrt(sigma * sigma - next * next));
            }
        double mean = 0, square = 0;
        for (std::size_t p = 0; p < paths; ++p) {
            mean += x[2 * p] / paths;
            square += x[2 * p] * x[2 * p] / paths;
            QVERIFY(std::abs(x[2 * p] + x[2 * p + 1] - 0.7) < 1e-12);
        }
        const double got = std::sqrt(square - mean * mean);
        qInfo("mean %.3f (reference %.2f), deviation %.3f (reference %.2f)", mean, first, got, stddev);
        QVERIFY(std::abs(mean - first) < 0.04 && std::abs(got - stddev) < 0.03);
    }
    void gaussianConstraintIsTheFormula() {  // d' = d − σ/(2γ²)(y − Σ x), γ = c σ
        RuleBench b(
            {{"multi_source", {{"kind", std::string("gaussian")}, {"sum", std::vector<double>{0.7}}, {"width", 0.4}}}},
            someModel({2}));
        const Values x{1, 2}, d{0.5, 0.25};
        const double sigma = 1.5, gamma = 0.4 * sigma;
        const Values got = RuleBench::values(b.apply(b.moment(3, 10, sigma), {{Branch::Conditional, d}}, x).combined);
        for (std::size_t k = 0; k < 2; ++k) {
            const double slope = (x[k] - d[k]) / sigma - sigma / (2 * gamma * gamma) * (0.7 - 3);
            QVERIFY(near(got[k], x[k] - sigma * slope, 1e-12));
        }
    }

    // --- data consistency ---
    void knownCoordinate() {
        Recipe r;
        r.model = "analytic:gaussian2";
        r.images = 50;
        r.steps = 20;
        r.sampler = {"heun", {}};
        r.guidance = {{"data_consistency",
                       {{"observation", std::vector<double>{1.25, 0}}, {"known", std::vector<double>{1, 0}}}}};
        const auto x = runOne(r)->trajectory->last().toDoubles();
        for (std::size_t i = 0; i < x.size(); i += 2) QVERIFY(std::abs(x[i] - 1.25) < 1e-9);
    }
    void gradientStep() {  // D − ρ Aᵀ (A D − y) for the mean of coordinates
        RuleBench b({{"data_consistency",
                      {{"operator", std::string("grey")},
                       {"kind", std::string("gradient")},
                       {"step", 0.5},
                       {"observation", std::vector<double>{3, 3}}}}},
                    someModel({2}));
        const auto parts = b.apply(b.moment(), {{Branch::Conditional, {1, 2}}});
        const Values got = RuleBench::values(parts.combined);
        QVERIFY(near(got[0], 1.75, 1e-12) && near(got[1], 2.75, 1e-12));
        QVERIFY(near(parts.metrics[0].values[0], 0.75, 1e-12));
    }
    void images_data() {
        QTest::addColumn<QString>("observed");
        for (const char* o : {"mask", "blur", "downsample", "grey"}) QTest::newRow(o) << QString(o);
    }
    // The drawn image meets the observation, whatever the prompt says of the rest.
    void images() {
        QFETCH(QString, observed);
        const Image reference = drawSprite({"white", {{"red", "circle"}, {"blue", "square"}}, "above"});
        const std::string path =
            (std::filesystem::temp_directory_path() / ("meander_reference_" + observed.toStdString() + ".png"))
                .string();
        QVERIFY(writePng(path, reference).ok());
        Recipe r;
        r.model = "builtin:sprites-unet";
        r.prompt = "a red circle above a blue square on a white background";
        r.images = 2;
        r.steps = 10;
        r.attention = AttentionLevel::Off;
        r.sampler = {"ddim", {}};
        r.guidance = {
            {"data_consistency", {{"operator", observed.toStdString()}, {"reference", path}, {"sigma", 1.5}}}};
        const auto run = runOne(r);
        std::filesystem::remove(path);
        const auto& metrics = run->trajectory->evaluations.back()->metrics[0];
        QCOMPARE(metrics.name, std::string("residual"));
        for (double v : metrics.values)
            QVERIFY2(v < (observed == "blur" ? 2e-3 : 1e-6), qPrintable(QString::number(v)));
        if (observed != "mask") return;
        for (int y = 0; y < 32; ++y)
            for (int x = 0; x < 32; ++x) {
                const bool known = x < 8 || x >= 24 || y < 8 || y >= 24;
                for (int c = 0; c < 3; ++c)
                    if (known)
                        QVERIFY(std::abs(run->images.at((y * 32 + x) * 3 + c) - reference.at(x, y)[c] / 255.0) < 1e-5);
            }
    }
    void missingReferenceIsASentence() {
        Recipe r;
        r.model = "builtin:sprites-unet";
        r.guidance = {{"data_consistency", {}}};
        const auto p = plan(r);
        QVERIFY(!p && p.error().text.find("PNG") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestSteering)
#include "tst_steering.moc"
