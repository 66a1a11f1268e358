// Guidance rules against values computed by running the guiders of diffusers 0.38 and the nodes of ComfyUI 0.3 on cond
// = sin(0.11k), uncond = cos(0.23k), worse = sin(0.07k + 0.5), k = 0 … 255, shape (1, 4, 8, 8): sum of absolute values
// and the elements 0, 1 and 255. The APG rows of three dialects are the formulas in double precision.
#include "rule_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

constexpr int n = 256;
Values wave(double (*f)(double), double frequency, double phase = 0, double amplitude = 1) {
    Values v;
    for (int k = 0; k < n; ++k) v.push_back(amplitude * f(frequency * k + phase));
    return v;
}
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }

// (4, 8, 8) ↔ (8, 8, 4)
Values channelsLast(const Values& v) {
    Values out(v.size());
    for (std::size_t k = 0; k < v.size(); ++k) out[k % 64 * 4 + k / 64] = v[k];
    return out;
}
Values channelsFirst(const Values& v) {
    Values out(v.size());
    for (std::size_t k = 0; k < v.size(); ++k) out[k] = v[k % 64 * 4 + k / 64];
    return out;
}

// What the peers call with: quantities of a space at noise σ and state y.
struct Row {
    const char* name;
    std::vector<Choice> rules;
    double sum, first, second, last;
    int step = 3;
    int calls = 1;
    bool isOutput = false;  // cond and uncond are the network's output (here a velocity), not x̂0
    double sigma = 1;
    bool hasState = false;  // y = 3 sin(0.31k), else 0
    bool hasWorse = false;
    bool wantsNoise = false;  // compares y − x̂0
};

const Params slgWindow = {{"scale", 2.8}, {"from", 0.01}, {"to", 0.2}};

std::vector<Row> rows() {
    const Choice cfg{"cfg", {{"scale", 7.5}}};
    return {
        {"CFG 7.5", {cfg}, 1453.307266, -6.5, -5.5054951, 4.9574132},
        {"CFG 7.5 original formulation",
         {{"cfg", {{"scale", 7.5}, {"formulation", std::string("original")}}}},
         1658.323129,
         -7.5,
         -6.3693829,
         5.6858683},
        {"CFG 7.5 rescale 0.7",
         {{"cfg", {{"scale", 7.5}, {"rescale", 0.7}}}},
         538.262439,
         -2.4074097,
         -2.0390742,
         1.8360806},
        {"CFG 7.5 and the rule rescale 0.7",
         {cfg, {"rescale", {{"phi", 0.7}}}},
         538.262439,
         -2.4074097,
         -2.0390742,
         1.8360806},
        {"CFG 7.5 interval off at step 3",
         {{"cfg", {{"scale", 7.5}, {"from", 0.4}}}},
         163.516273,
         0,
         0.1097783,
         0.2224577},
        {"CFG-Zero* 7.5 step 3",
         {{"cfg_zero_star", {{"scale", 7.5}}}},
         1226.386679,
         0.0178355,
         0.8407031,
         1.6594083,
         3,
         1,
         true},
        {"CFG-Zero* 7.5 step 0", {{"cfg_zero_star", {{"scale", 7.5}}}}, 0, 0, 0, 0, 0, 1, true},
        {"APG diffusers cap 15 eta 1",
         {{"apg", {{"scale", 7.5}, {"norm_cap", 15.0}, {"eta", 1.0}, {"dialect", std::string("diffusers")}}}},
         1356.259525,
         -6.0257549,
         -5.0958004,
         4.6119475},
        {"APG diffusers cap 15 eta 0",
         {{"apg", {{"scale", 7.5}, {"norm_cap", 15.0}, {"eta", 0.0}, {"dialect", std::string("diffusers")}}}},
         977.614996,
         -6.0257549,
         -5.8691702,
         3.0447690},
        {"APG diffusers cap 5 eta 0",
         {{"apg", {{"scale", 7.5}, {"norm_cap", 5.0}, {"eta", 0.0}, {"dialect", std::string("diffusers")}}}},
         217.707543,
         -1.3419182,
         -1.3072789,
         0.6775915},
        {"APG diffusers cap 5 eta 0 momentum −0.75, second call",
         {{"apg",
           {{"scale", 7.5},
            {"norm_cap", 5.0},
            {"eta", 0.0},
            {"momentum", -0.75},
            {"dialect", std::string("diffusers")}}}},
         141.954545,
         -0.875,
         -0.8525174,
         0.4416143,
         3,
         2},
        {"SLG with CFG 7.5, step 1",
         {cfg, {"slg", slgWindow}},
         1886.980172,
         -7.8423915,
         -6.7090855,
         6.9215941,
         1,
         1,
         false,
         1,
         false,
         true},
        {"SLG before CFG",
         {{"slg", slgWindow}, cfg},
         1886.980172,
         -7.8423915,
         -6.7090855,
         6.9215941,
         1,
         1,
         false,
         1,
         false,
         true},
        {"SEG with CFG 7.5",
         {cfg, {"seg", {{"scale", 2.8}}}},
         1886.980172,
         -7.8423915,
         -6.7090855,
         6.9215941,
         1,
         1,
         false,
         1,
         false,
         true},
        {"PAG with CFG 7.5",
         {cfg, {"pag", {{"scale", 2.8}}}},
         1886.980172,
         -7.8423915,
         -6.7090855,
         6.9215941,
         1,
         1,
         false,
         1,
         false,
         true},
        {"SLG not at the first step",
         {cfg, {"slg", slgWindow}},
         1453.307266,
         -6.5,
         -5.5054951,
         4.9574132,
         0,
         1,
         false,
         1,
         false,
         true},
        {"CFG-Zero* on the noise, x̂0 given",
         {{"cfg_zero_star",
           {{"scale", 7.5},
            {"zero_steps", std::int64_t(0)},
            {"space", std::string("epsilon")},
            {"combined_in", std::string("x0")}}}},
         1408.005608,
         -5.9073124,
         -4.9284148,
         4.6575150,
         3,
         1,
         false,
         1,
         true},
        {"CFG-Norm", {cfg, {"cfg_norm", {}}}, 146.534034, -0.6282093, -0.5406743, 0.5088458},
        {"Rescale 0.7 on v at σ 2, as noise",
         {{"cfg", {{"scale", 7.5}, {"rescale", 0.7}, {"rescale_space", std::string("v")}}}},
         699.245641,
         2.4797482,
         2.9023132,
         -3.1750493,
         3,
         1,
         false,
         2,
         true,
         false,
         true},
    };
}

}  // namespace

class TestGoldenGuidance : public QObject {
    Q_OBJECT
private slots:
    void vectors_data() {
        QTest::addColumn<int>("row");
        const auto all = rows();
        for (int i = 0; i < int(all.size()); ++i) QTest::newRow(all[std::size_t(i)].name) << i;
    }
    void vectors() {
        QFETCH(int, row);
        const Row r = rows()[std::size_t(row)];
        ModelInfo model = someModel();
        model.blocks = {{"mid_block", 4, 8, 8, 64}};
        RuleBench b(r.rules, model);
        const Values c = channelsLast(wave(sine, 0.11)), u = channelsLast(wave(cosine, 0.23)),
                     w = channelsLast(wave(sine, 0.07, 0.5)), y = channelsLast(wave(sine, 0.31, 0, 3));
        if (r.isOutput) {  // a flow at y = 0: v = (y − x̂0)/t
            b.model.process = Process::rectifiedFlow();
            b.model.parametrization = Parametrization::FlowVelocity;
        }
        const double tau = r.isOutput ? 0.5 : r.sigma;
        const auto asEstimate = [&](const Values& f) {
            Values d = f;
            if (r.isOutput)
                for (double& v : d) v *= -tau;
            return d;
        };
        std::vector<std::pair<Branch, Values>> answers{{Branch::Conditional, asEstimate(c)},
                                                       {Branch::Unconditional, asEstimate(u)}};
        if (r.hasWorse) answers.emplace_back(Branch(Branch::Changed, 0), w);
        Values got;
        for (int call = 0; call < r.calls; ++call)
            got = RuleBench::values(b.apply(b.moment(r.step, 10, tau), answers, r.hasState ? y : Values(n)).combined);
        for (std::size_t k = 0; k < got.size(); ++k) {
            if (r.isOutput) got[k] /= -tau;
            if (r.wantsNoise) got[k] = y[k] - got[k];
        }
        const Values out = channelsFirst(got);
        double sum = 0;
        for (double v : out) sum += std::abs(v);
        QVERIFY2(near(sum, r.sum, 1e-5) || std::abs(sum - r.sum) < 1e-6,
                 qPrintable(QString("sum %1, expected %2").arg(sum, 0, 'f', 6).arg(r.sum, 0, 'f', 6)));
        const double expected[] = {r.first, r.second, r.last}, actual[] = {out[0], out[1], out[255]};
        for (int i = 0; i < 3; ++i)
            QVERIFY2(near(actual[i], expected[i], 1e-5) || std::abs(actual[i] - expected[i]) < 2e-6,
                     qPrintable(QString("element %1 is %2, expected %3").arg(i).arg(actual[i]).arg(expected[i])));
    }

    void apgDialects_data() {
        QTest::addColumn<double>("cap");
        QTest::addColumn<double>("eta");
        QTest::addColumn<QString>("dialect");
        QTest::addColumn<double>("sum");
        struct {
            double cap, eta, sums[3];
        } table[] = {{0, 1, {1453.307209, 1453.307209, 1658.323047}},
                     {15, 1, {1356.259319, 1369.185169, 1561.050653}},
                     {15, 0, {977.614878, 994.453205, 1145.638079}},
                     {5, 0, {217.707515, 349.722858, 397.693367}},
                     {5, 0.5, {261.476628, 416.891770, 467.031070}}};
        const char* dialects[] = {"diffusers", "paper", "comfyui"};
        for (const auto& t : table)
            for (int d = 0; d < 3; ++d)
                QTest::addRow("%s cap %g eta %g", dialects[d], t.cap, t.eta)
                    << t.cap << t.eta << QString(dialects[d]) << t.sums[d];
    }
    void apgDialects() {
        QFETCH(double, cap);
        QFETCH(double, eta);
        QFETCH(QString, dialect);
        QFETCH(double, sum);
        Params p{{"scale", 7.5}, {"eta", eta}, {"dialect", dialect.toStdString()}};
        if (cap > 0) p["norm_cap"] = cap;
        RuleBench b({{"apg", p}});
        double got = 0;
        for (double v :
             RuleBench::values(b.apply(b.moment(), {{Branch::Conditional, channelsLast(wave(sine, 0.11))},
                                                    {Branch::Unconditional, channelsLast(wave(cosine, 0.23))}})
                                   .combined))
            got += std::abs(v);
        QVERIFY2(near(got, sum, 1e-8), qPrintable(QString::number(got, 'f', 6)));
    }
};

QTEST_GUILESS_MAIN(TestGoldenGuidance)
#include "tst_golden.moc"
