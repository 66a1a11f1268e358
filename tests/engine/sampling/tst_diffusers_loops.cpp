// Full sampling loops against diffusers' (tests/golden/diffusers_full_loops.tsv). Their bench: the network is x t/(t +
// 1) on the native state, the start is k/N for the k-th element, ten steps. Loops come in two forms. A: the scheduler
// steps the native state. B (Euler, Heun, KDPM2, LMS): the loop overwrites the state by the scaled network input before
// each step, so it is scaled once more than the method says; that is part of the bench and done here too.
#include <QtTest>
#include <map>

#include "engine/process/parametrization.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

constexpr double nearlyClean = 1e-8;  // stands for σ = 0 where a loop starts there: the slope at 0 has no x̂0 form

enum class Predicts { Noise, V, Edm };
enum class Rule { None, Clip, Threshold };  // what happens to x̂0; Clip leaves the noise direction as it was
struct Grid {
    std::vector<double> levels;  // τ, one more than times
    std::vector<double> times;   // what the network is told in each interval
};
struct Loop {
    QString scheduler, test, sampler;
    Params params;
    Grid grid;
    Process process = Process::vpLinear(1000, 1e-4, 0.02);
    Predicts predicts = Predicts::Noise;
    Rule rule = Rule::None;
    bool formB = false;
    int first = 0;  // interval where the loop starts, from a state noised to its level
    int elements = 768;
    int occurrence = 0;  // of several rows of one name
};

ParamValue text(const char* s) { return std::string(s); }
ParamValue number(int i) { return std::int64_t(i); }

// β linear as torch has it: β and 1 − β in single precision, their product stored in single precision.
Process linearBetas(int steps, float first, float last) {
    const float step = (last - first) / float(steps - 1);
    std::vector<double> alphas;
    double product = 1;
    for (int k = 0; k < steps; ++k) {
        const float beta = k < steps / 2 ? first + step * float(k) : last - step * float(steps - 1 - k);
        product *= double(1.0f - beta);
        alphas.push_back(double(float(product)));
    }
    return Process::variancePreserving(alphas, "linear");
}

double levelAt(const Process& p, double step) { return p.tauOfStep(step); }
// Steps n−1 … 0 of `count` times `ratio`, the last level as given.
Grid leading(const Process& p, double last) {
    Grid g;
    for (int t = 900; t >= 0; t -= 100) {
        g.times.push_back(t);
        g.levels.push_back(levelAt(p, t));
    }
    g.levels.push_back(last);
    return g;
}
Grid ddimInverse(const Process& p, double initial) {
    Grid g;
    g.levels.push_back(initial);
    for (int t = 0; t <= 900; t += 100) {
        g.times.push_back(t);
        g.levels.push_back(levelAt(p, t));
    }
    return g;
}
// linspace(0, 999, 11) rounded, without one end.
Grid rounded(const Process& p, double last, bool rising = false) {
    Grid g;
    for (int i = 0; i < 10; ++i) {
        const double t = std::nearbyint(99.9 * (rising ? i : 10 - i));
        g.times.push_back(t);
        g.levels.push_back(levelAt(p, t));
    }
    g.levels.push_back(last);
    return g;
}
// linspace(0, n − 1, 10), σ itself interpolated linearly between training steps, then 0.
Grid euler(const Process& p) {
    Grid g;
    const int n = p.trainingSteps();
    for (int i = 9; i >= 0; --i) {
        const double t = (n - 1) * i / 9.0, k = std::min(std::floor(t), n - 2.0);
        g.times.push_back(t);
        g.levels.push_back(levelAt(p, k) + (t - k) * (levelAt(p, k + 1) - levelAt(p, k)));
    }
    g.levels.push_back(0);
    return g;
}
// Levels given, times those of the training steps (rounded where the scheduler does).
Grid given(const Process& p, std::vector<double> levels, double last, bool roundsTimes) {
    Grid g{levels, {}};
    for (double l : levels) g.times.push_back(roundsTimes ? std::round(p.networkTime(l)) : p.networkTime(l));
    g.levels.push_back(last);
    return g;
}
std::vector<double> karras(double high, double low) {
    auto l = karrasLevels(10, high, low);
    l.pop_back();
    return l;
}
std::vector<double> geometric(double high, double low) {
    std::vector<double> l;
    for (int i = 0; i < 10; ++i) l.push_back(high * std::pow(low / high, i / 9.0));
    return l;
}

std::vector<Loop> loops() {
    std::vector<Loop> list;
    const Process vp = linearBetas(1000, 1e-4f, 0.02f), brighter = linearBetas(1000, 0.01f, 0.02f),
                  longer = linearBetas(1100, 1e-4f, 0.02f);
    const double low = vp.minimum(), high = vp.maximum();
    const auto add = [&](const char* scheduler, const char* test, const char* sampler, Params params,
                         Grid grid) -> Loop& {
        list.push_back({scheduler, test, sampler, std::move(params), std::move(grid), vp});
        return list.back();
    };
    // DDIM
    add("ddim", "test_full_loop_no_noise", "ddim", {}, leading(vp, 0)).rule = Rule::Clip;
    add("ddim", "test_full_loop_with_v_prediction", "ddim", {}, leading(vp, 0)).predicts = Predicts::V;
    list.back().rule = Rule::Clip;
    for (const auto& [name, last] : {std::pair{"test_full_loop_with_set_alpha_to_one", 0.0},
                                     {"test_full_loop_with_no_set_alpha_to_one", brighter.minimum()}}) {
        Loop& l = add("ddim", name, "ddim", {}, leading(brighter, last));
        l.process = brighter;
        l.rule = Rule::Clip;
    }
    add("ddim", "test_full_loop_with_noise", "ddim", {}, leading(vp, 0)).first = 8;
    list.back().rule = Rule::Clip;
    add("ddim_inverse", "test_full_loop_no_noise", "euler", {}, ddimInverse(vp, nearlyClean)).rule = Rule::Clip;
    add("ddim_inverse", "test_full_loop_with_v_prediction", "euler", {}, ddimInverse(vp, nearlyClean)).predicts =
        Predicts::V;
    list.back().rule = Rule::Clip;
    for (const auto& [name, initial] :
         {std::pair{"test_full_loop_with_set_alpha_to_one", nearlyClean},
          {"test_full_loop_with_no_set_alpha_to_one",
           brighter.minimum() * (1 - 1e-7)}}) {  // a step of no length would not see the clipping
        Loop& l = add("ddim_inverse", name, "euler", {}, ddimInverse(brighter, initial));
        l.process = brighter;
        l.rule = Rule::Clip;
    }
    // PNDM
    add("pndm", "test_full_loop_no_noise", "pndm", {}, leading(vp, low));
    for (const auto& [name, last] : {std::pair{"test_full_loop_with_set_alpha_to_one", 0.0},
                                     {"test_full_loop_with_no_set_alpha_to_one", brighter.minimum()}})
        add("pndm", name, "pndm", {}, leading(brighter, last)).process = brighter;
    // DEIS, order 2 in log ρ
    const Params deis = {{"order", number(2)}, {"time", text("log_rho")}, {"lower_order_final", true}};
    add("deis", "test_full_loop_no_noise", "deis", deis, rounded(vp, low));
    add("deis", "test_full_loop_with_v_prediction", "deis", deis, rounded(vp, low)).predicts = Predicts::V;
    add("deis", "test_full_loop_with_noise", "deis", deis, rounded(vp, low)).first = 8;
    // DPM-Solver++ multistep, order 2, and backwards
    const Params multi = {{"order", number(2)}, {"lower_order_final", false}};
    add("dpm_multi", "test_full_loop_no_noise", "dpm_multistep", multi, rounded(vp, low));
    add("dpm_multi", "test_switch", "dpm_multistep", multi, rounded(vp, low));
    // Their configuration loses "end at the lowest level" on the way through the other classes.
    add("dpm_multi", "test_switch", "dpm_multistep", multi, rounded(vp, 0)).occurrence = 1;
    add("dpm_multi", "test_full_loop_with_noise", "dpm_multistep", multi, rounded(vp, low)).first = 5;
    add("dpm_multi", "test_full_loop_no_noise_thres", "dpm_multistep", multi, rounded(vp, low)).rule = Rule::Threshold;
    add("dpm_multi", "test_full_loop_with_v_prediction", "dpm_multistep", multi, rounded(vp, low)).predicts =
        Predicts::V;
    add("dpm_multi", "test_full_loop_with_karras_and_v_prediction", "dpm_multistep", multi,
        given(vp, karras(high, low), low, true))
        .predicts = Predicts::V;
    add("dpm_multi", "test_full_loop_with_lu_and_v_prediction", "dpm_multistep", multi,
        given(vp, geometric(high, low), low, true))
        .predicts = Predicts::V;
    add("dpm_multi_inverse", "test_full_loop_no_noise", "dpm_multistep", multi, rounded(vp, high, true));
    add("dpm_multi_inverse", "test_switch", "dpm_multistep", multi, rounded(vp, high, true));
    add("dpm_multi_inverse", "test_full_loop_no_noise_thres", "dpm_multistep", multi, rounded(vp, high, true)).rule =
        Rule::Threshold;
    add("dpm_multi_inverse", "test_full_loop_with_v_prediction", "dpm_multistep", multi, rounded(vp, high, true))
        .predicts = Predicts::V;
    add("dpm_multi_inverse", "test_full_loop_with_karras_and_v_prediction", "dpm_multistep", multi,
        given(vp, karras(low, high), high, true))
        .predicts = Predicts::V;
    // UniPC, order 2, bh2
    const Params unipc = {{"order", number(2)}};
    for (int elements : {768, 96}) {
        const char* scheduler = elements == 768 ? "unipc" : "unipc 1D";
        add(scheduler, "test_full_loop_no_noise", "uni_pc_bh2", unipc, rounded(vp, low)).elements = elements;
        add(scheduler, "test_full_loop_with_v_prediction", "uni_pc_bh2", unipc, rounded(vp, low)).elements = elements;
        list.back().predicts = Predicts::V;
        add(scheduler, "test_full_loop_with_noise", "uni_pc_bh2", unipc, rounded(vp, low)).elements = elements;
        list.back().first = 8;
        for (int k : {0, 1}) {
            add(scheduler, "test_switch", "uni_pc_bh2", unipc, rounded(vp, low)).elements = elements;
            list.back().occurrence = k;
        }
    }
    // EDM: the state in σ, the start with the deviation of the first marginal
    const Process edm = Process::varianceExploding(0.002, 80);
    for (const char* test : {"test_full_loop_no_noise", "test_full_loop_device"}) {
        Grid g{karrasLevels(10, 80, 0.002), {}};
        for (int i = 0; i < 10; ++i) g.times.push_back(std::log(g.levels[std::size_t(i)]) / 4);
        Loop& l = add("edm_euler", test, "euler", {}, g);
        l.process = edm;
        l.predicts = Predicts::Edm;
    }
    // Form B
    const double longLow = longer.minimum(), longHigh = longer.maximum();
    for (const auto& [scheduler, sampler] :
         {std::pair{"euler", "euler"}, {"heun", "heun"}, {"kdpm2_discrete", "dpm_2"}, {"lms", "lms"}}) {
        const Params params = QString(sampler) == "lms" ? Params{{"multistep_last", true}} : Params{};
        for (const char* test : {"test_full_loop_no_noise", "test_full_loop_device", "test_full_loop_with_v_prediction",
                                 "test_full_loop_with_noise", "test_full_loop_device_karras_sigmas"}) {
            const QString name(test);
            if (name.endsWith("karras_sigmas") && QString(sampler) == "dpm_2") continue;
            if (name.endsWith("with_noise") && QString(sampler) == "lms") continue;  // see elsewhereRows
            Loop& l = add(scheduler, test, sampler, params,
                          name.endsWith("karras_sigmas") ? given(longer, karras(longHigh, longLow), 0, false)
                                                         : euler(longer));
            l.process = longer;
            l.formB = true;
            if (name.endsWith("v_prediction")) l.predicts = Predicts::V;
            if (name.endsWith("with_noise")) l.first = 8;
        }
    }
    return list;
}

// Rows that other tests have (they draw noise or jump to the data), or that are no loop of a sampler.
const QStringList elsewhere = {
    "consistency_model", "ddpm", "euler_ancestral", "kdpm2_ancestral", "lcm", "sasolver", "score_sde_ve", "tcd",
    "unclip", "dpm_sde",
    // its loop runs twice with one history; tst_deterministic has the first pass and says what the second is
    "ipndm"};
// Started in the middle, diffusers' LMS takes the first weight of the fourth-order rule with a history of one slope:
// not a consistent method.
const QStringList elsewhereRows = {"lms test_full_loop_with_noise 0"};

struct Host : Sampling::Host {
    Tensor noise(const NoiseRequest&, const Tensor&) override { throw Failure("These loops draw no noise."); }
    void advanced(const Tensor&, const NoiseLevel&, bool) override {}
};

std::vector<double> values(const Loop& l) {
    std::vector<double> x;
    const double scale = l.predicts == Predicts::Edm || l.formB
                             ? (l.predicts == Predicts::Edm ? std::hypot(l.grid.levels[0], 1) : l.grid.levels[0])
                             : 1;
    const double level = l.grid.levels[std::size_t(l.first)], k = l.process.nativeScale(level);
    for (int i = 0; i < l.elements; ++i) {
        const double data = scale * i / l.elements, noise = double(l.elements - 1 - i) / l.elements;
        const double noised = l.formB ? data + level * noise : k * data + k * level * noise,
                     start = l.first > 0 ? noised : data;
        x.push_back(l.formB || l.predicts == Predicts::Edm ? start : start / k);
    }
    return x;
}

// x̂0 after clipping to [−1, 1], or dynamic thresholding at the 0.87 quantile, at most 0.5 (Saharia et al. 2022).
std::vector<double> ruled(const Loop& l, std::vector<double> d, double ratio) {
    if (l.rule == Rule::Clip && ratio != 1)
        for (double& v : d) v = (std::clamp(v, -1.0, 1.0) - ratio * v) / (1 - ratio);  // y' = clip(x̂0) + τ' ε̂
    if (l.rule == Rule::Threshold) {  // per image: element k belongs to image k mod 4
        for (std::size_t b = 0; b < 4; ++b) {
            std::vector<double> sizes;
            for (std::size_t i = b; i < d.size(); i += 4) sizes.push_back(std::abs(d[i]));
            std::sort(sizes.begin(), sizes.end());
            const double place = 0.87 * double(sizes.size() - 1), w = place - std::floor(place);
            const std::size_t i0 = std::size_t(place);
            const double s =
                std::min(std::max((1 - w) * sizes[i0] + w * sizes[std::min(i0 + 1, sizes.size() - 1)], 1.0), 0.5);
            for (std::size_t i = b; i < d.size(); i += 4) d[i] = std::clamp(d[i], -s, s) / s;
        }
    }
    return d;
}

// The time of the level asked at: its own in the grid, or that of a level between.
double timeAt(const Loop& l, const DenoiseRequest& q, bool isFirst) {
    if (isFirst) return l.grid.times[std::size_t(q.step)];
    for (std::size_t i = 0; i < l.grid.times.size(); ++i)
        if (l.grid.levels[i] == q.tau) return l.grid.times[i];
    return l.process.networkTime(q.tau);
}

std::vector<double> run(const Loop& l) {
    const SamplerInfo& info = *findSampler(l.sampler.toStdString());
    Host host;
    Sampling s(l.process, l.grid.levels, *resolveParams(info.params, l.params, info.label),
               upload(cpu(), HostTensor::fromDoubles({1, l.elements}, values(l))), host, l.first);
    SamplerTask task = info.run(s);
    task.resume();
    int interval = -1;  // whose first request was answered
    while (!task.done()) {
        for (DenoiseRequest& q : s.pending()) {
            const bool isFirst = std::exchange(interval, q.step) != q.step;
            const Conversion c = conversionAt(l.process,
                                              l.predicts == Predicts::Edm ? Parametrization::Edm
                                              : l.predicts == Predicts::V ? Parametrization::V
                                                                          : Parametrization::Epsilon,
                                              q.tau);
            if (l.formB && isFirst) s.x = combine({{c.input, s.x}});
            const auto y = download(l.formB && isFirst ? s.x : q.x).toDoubles();
            const double scale = l.formB && isFirst ? 1 : c.input, time = timeAt(l, q, isFirst);
            std::vector<double> d;
            // In form B a second stage, too, takes its slope between the scaled state and the x̂0 of that.
            const double state = l.formB && !isFirst ? c.input : 1;
            for (double v : y)
                d.push_back((1 - state) * v + c.fromState * state * v + c.fromOutput * scale * v * time / (time + 1));
            q.answer.denoised = q.answer.conditional =
                upload(cpu(), HostTensor::fromDoubles({1, l.elements}, ruled(l, d, q.target / q.tau)));
        }
        s.clearPending();
        task.resume();
    }
    auto x = download(s.x).toDoubles();
    for (double& v : x) v *= l.formB || l.predicts == Predicts::Edm ? 1 : l.process.nativeScale(l.grid.levels.back());
    return x;
}

QString schedulerOf(const QStringList& row) {
    const QString name = row[0].mid(int(qstrlen("test_scheduler_"))).chopped(3);
    return row[1].contains("1D") ? name + " 1D" : name;
}

// Rows with different names or values, in the file's order: (scheduler, test, occurrence) → row.
std::map<QString, QStringList> goldenRows() {
    std::map<QString, QStringList> rows;
    std::map<QString, QStringList> seen;  // key without occurrence → quantities that occurred
    for (const auto& f : readGolden("diffusers_full_loops.tsv")) {
        const QString key = schedulerOf(f) + ' ' + f[2];
        const int occurrence = int(seen[key].count(f[3]));
        seen[key] << f[3];
        rows.emplace(key + ' ' + QString::number(occurrence), f);
    }
    return rows;
}

}  // namespace

class TestDiffusersLoops : public QObject {
    Q_OBJECT
private slots:
    void everyRowIsSomewhere() {
        std::map<QString, int> mine;
        for (const auto& l : loops()) ++mine[l.scheduler + ' ' + l.test + ' ' + QString::number(l.occurrence)];
        for (const auto& [key, row] : goldenRows())
            QVERIFY2((elsewhere.contains(schedulerOf(row)) || elsewhereRows.contains(key))
                         != (mine.count(key) == 1 && mine[key] == 1),
                     qPrintable(key));
    }
    void loop_data() {
        QTest::addColumn<int>("index");
        const auto all = loops();
        for (int i = 0; i < int(all.size()); ++i)
            QTest::addRow("%s %s %d", qPrintable(all[std::size_t(i)].scheduler), qPrintable(all[std::size_t(i)].test),
                          all[std::size_t(i)].occurrence)
                << i;
    }
    void loop() {
        QFETCH(int, index);
        const Loop l = loops()[std::size_t(index)];
        const auto rows = goldenRows();
        const auto row = rows.find(l.scheduler + ' ' + l.test + ' ' + QString::number(l.occurrence));
        QVERIFY(row != rows.end());
        const auto x = run(l);
        double sum = 0;
        for (double v : x) sum += std::abs(v);
        const QStringList firsts = row->second[7].split(' ');
        const double wantedSum = row->second[5].toDouble(), wantedMean = row->second[6].toDouble();
        const auto relative = [](double a, double b) { return std::abs(a - b) / std::abs(b); };
        const double bySum = relative(sum, wantedSum), byMean = relative(sum / double(x.size()), wantedMean);
        // Single elements relative to the row's scale: one of thresholding has elements of 0.7 beside 20.
        const auto off = [&](double a, double b) { return std::abs(a - b) / std::max(std::abs(b), wantedMean); };
        const double byLast = off(x.back(), row->second[8].toDouble());
        qInfo("%s: sum %.9g (wanted %.9g, %.1e), last %.1e", QTest::currentDataTag(), sum, wantedSum, bySum, byLast);
        QVERIFY(bySum < 1e-5 && byMean < 1e-5);
        // The tensor's first elements are those of its first image: every fourth.
        for (int i = 0; i < 3; ++i) {
            const double wanted = firsts[i].toDouble();
            QVERIFY2(off(x[std::size_t(4 * i)], wanted) < 1e-5,
                     qPrintable(QString::number(x[std::size_t(4 * i)], 'g', 9) + " for " + firsts[i]));
        }
        QVERIFY(byLast < 1e-5);
    }
    // The variance of fresh noise between two training steps (asserted in diffusers' tests of DDIM and DDPM), native:
    // what a state of zeros gets from noise of ones.
    void posteriorVariances() {
        const Process p = Process::vpLinear(1000, 1e-4, 0.02);
        struct Pair {
            int from, to;
            double variance;
        };
        for (const Pair& v :
             {Pair{420, 400, 0.14771}, Pair{980, 960, 0.32460}, Pair{487, 486, 0.00979}, Pair{999, 998, 0.02}})
            for (const char* sampler : {"ddim", "ddpm"}) {
                const Tensor zeros = upload(cpu(), HostTensor::fromDoubles({1, 2}, std::vector<double>{0, 0}));
                const Params params = QString(sampler) == "ddim" ? Params{{"eta", 1.0}} : Params{};
                const Solution s =
                    solve(*findSampler(sampler), p, {p.tauOfStep(v.from), p.tauOfStep(v.to)}, zeros, params,
                          Estimator([](const Tensor& y, double) {
                              return DenoiseResult{combine({{0, y}}), {}, {}};
                          }),
                          [](const NoiseRequest&, const Tensor& like) {
                              return upload(like.backend(),
                                            HostTensor::fromDoubles(
                                                like.shape(), std::vector<double>(std::size_t(like.count()), 1.0)));
                          });
                const double got = std::pow(s.values()[0] * p.nativeScale(p.tauOfStep(v.to)), 2);
                QVERIFY2(std::abs(got - v.variance) < 1e-5,
                         qPrintable(QString("%1 %2: %3").arg(sampler).arg(v.from).arg(got, 0, 'g', 9)));
            }
    }
    // The flow-matching schedulers, whose loops diffusers does not assert: levels by our rule in their dialect, the
    // network a velocity told 1000 t. Sums in float32.
    void flowMatching_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("schedule");
        QTest::addColumn<double>("sum");
        QTest::newRow("FlowMatchEuler, shift 3") << "euler"
                                                 << "flow_shift" << 129.3494568;
        QTest::newRow("FlowMatchEuler, µ 1.15") << "euler"
                                                << "flow_dynamic" << 128.6977844;
        QTest::newRow("FlowMatchHeun, shift 3") << "heun"
                                                << "flow_shift" << 144.1593933;
    }
    void flowMatching() {
        QFETCH(QString, sampler);
        QFETCH(QString, schedule);
        QFETCH(double, sum);
        const Process p = Process::rectifiedFlow(1000);
        const Params params = schedule == "flow_shift"
                                  ? Params{{"shift", 3.0}, {"dialect", std::string("diffusers_euler")}}
                                  : Params{{"mu", 1.15}, {"dialect", std::string("diffusers")}};
        const auto levels = makeSchedule(schedule.toStdString(), p, 10, params);
        QVERIFY2(levels.ok(), levels ? "" : levels.error().text.c_str());
        std::vector<double> start;
        for (int i = 0; i < 768; ++i) start.push_back(i / 768.0);
        const RequestEstimator network = [&](const DenoiseRequest& q) {
            const Conversion c = conversionAt(p, Parametrization::FlowVelocity, q.tau);
            return DenoiseResult{
                combine({{c.fromState + c.fromOutput * c.input * c.time / (c.time + 1), q.x}}), {}, {}};
        };
        double got = 0;
        for (double v : solve(*findSampler(sampler.toStdString()), p, *levels,
                              upload(cpu(), HostTensor::fromDoubles({768}, start)), {}, network)
                            .values())
            got += std::abs(v);
        qInfo("%s: %.9g of %.9g", QTest::currentDataTag(), got, sum);
        QVERIFY(std::abs(got / sum - 1) < 2e-7);
    }
};

QTEST_GUILESS_MAIN(TestDiffusersLoops)
#include "tst_diffusers_loops.moc"
