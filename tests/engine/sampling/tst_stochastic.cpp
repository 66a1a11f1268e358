// Stochastic samplers on an exact Gaussian: the law of the result (mean, variances, covariance) against samples, its order of convergence, strong order along one
// Brownian path, and the deterministic samplers that they become without noise.
#include <QtTest>
#include <cmath>

#include "tests/engine/sampling/stochastic_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

struct Case {
    const char* id;
    Params params = {};
    double order = 1;        // weak: of mean and variances, where the signal is constant
    double flowOrder = 0;    // the same for flow; 0: as above
    const char* name = "";
    const char* refined = nullptr;  // a parameter that grows with the steps
    Params at(int steps) const {
        Params p = params;
        if (refined) p[refined] = std::int64_t(steps / 5);
        return p;
    }
};

// Every stochastic sampler with constant coefficients, in the form that keeps the marginal. Orders are what the bias of the mean and the variance of the result does
// when the steps double; ancestral steps are exact in law where their ODE step is, so they have its order.
std::vector<Case> cases() {
    return {{"ddim", {{"eta", 1.0}}},
            {"euler_ancestral"},
            {"euler_ancestral", {{"eta", 0.6}}, 1, 0, "eta 0.6"},
            {"euler_ancestral_cfg_pp"},
            {"dpm_2_ancestral", {}, 2},
            {"dpmpp_2s_ancestral", {}, 2},
            {"dpmpp_2s_ancestral_cfg_pp", {{"form", std::string("outside")}}, 2},
            {"res_multistep_ancestral", {{"exact_marginal", true}}, 2},
            {"res_multistep_ancestral_cfg_pp", {{"exact_marginal", true}}, 2},
            {"ddpm", {{"exact_marginal", true}}},
            {"ddpm", {{"exact_marginal", true}, {"variance", std::string("fixed_large")}}, 1, 0, "large"},
            {"edm_churn", {{"s_churn", 4.0}}, 2},
            {"edm_churn", {{"s_churn", 4.0}, {"method", std::string("euler")}}, 1, 0, "euler"},
            {"edm_churn", {{"s_churn", 4.0}, {"method", std::string("dpm_2")}}, 2, 0, "dpm_2"},
            {"restart", {{"t_max", 2.0}}, 2, 0, "", "inner_steps"},
            {"dpmpp_sde", {}, 2},
            {"dpmpp_2m_sde", {}, 2},
            {"dpmpp_2m_sde_heun", {}, 2},
            {"dpmpp_3m_sde", {}, 2},
            {"seeds_2", {}, 2},
            {"seeds_3", {}, 2},
            {"exp_heun_2_x0_sde", {}, 2},
            {"er_sde", {}, 1},
            {"er_sde", {{"order", std::int64_t(1)}, {"noise_scale", std::string("sde")}}, 1, 0, "1 sde"},
            {"er_sde", {{"order", std::int64_t(2)}, {"noise_scale", std::string("sde_2")}}, 1, 0, "2 sde_2"},
            {"sa_solver", {}, 2},
            {"sa_solver_pece", {}, 2},
            {"euler_maruyama"},
            {"predictor_corrector", {{"corrector_steps", std::int64_t(0)}}},
            {"accelerated_sde", {}, 2, 1},
            {"langevin", {{"denoise", false}}, 1, 0.5},
            {"cycle_sde"}};
}

void caseRows() {
    QTest::addColumn<int>("index");
    QTest::addColumn<int>("space");
    const auto list = cases();
    for (int i = 0; i < int(list.size()); ++i)
        for (int p = 0; p < 3; ++p) QTest::addRow("%s %s %s", list[std::size_t(i)].id, list[std::size_t(i)].name, spaces()[std::size_t(p)].name) << i << p;
}

double lawError(const ExactLaw& law, const PlaneGaussian& g, const Process& process, double tau) {
    const double a = process.signal(tau);
    double sum = 0;
    for (int i = 0; i < 2; ++i) {
        const double variance = a * a * g.variances[i] + tau * tau, m = law.mean[i] - a * g.axisMean(i), v = law.variance[i] / variance - 1;
        sum += m * m / variance + v * v;
    }
    return std::sqrt(sum);
}

}  // namespace

class TestStochastic : public QObject {
    Q_OBJECT
private slots:
    void everyStochasticSamplerIsTested() {
        QSet<QString> known{"predictor_corrector", "reflected", "lcm"};  // lcm does not keep a marginal; reflected: its own test
        for (const auto& c : cases()) known.insert(c.id);
        for (const auto& info : samplers())
            if (info.stochastic && info.group == "Stochastic") QVERIFY2(known.contains(QString::fromStdString(info.id)), info.id.c_str());
    }

    void samplesHaveTheExactLaw_data() { caseRows(); }
    // 200 000 particles against the exact law of the same few steps: mean, variances and covariance within three standard errors. A noise used twice, a wrong deviation
    // or a wrong mean shows at once, and no discretisation bias is in the way.
    void samplesHaveTheExactLaw() {
        QFETCH(int, index);
        QFETCH(int, space);
        const Case c = cases()[std::size_t(index)];
        const Space& s = spaces()[std::size_t(space)];
        const SamplerInfo* info = findSampler(c.id);
        QVERIFY(info);
        auto levels = logSnrLevels(s.process, s.high, s.low, 5);
        levels.push_back(0);
        const PlaneGaussian g;
        const ExactLaw law = exactLaw(*info, s.process, levels, c.params, g);
        QVERIFY(law.draws > 0);
        const auto start = planeStart(g, s.process, levels.front(), 200000, 7);
        const auto got = solve(*info, s.process, levels, start, c.params, planeEstimator(s.process, g), addressedNoise(11)).values();
        const auto z = deviations(got, law.inPlane());
        for (double v : z) QVERIFY2(std::abs(v) < 3, qPrintable(QString("%1 %2 %3 %4 %5").arg(z[0]).arg(z[1]).arg(z[2]).arg(z[3]).arg(z[4])));
    }

    void lawConverges_data() { caseRows(); }
    // The law of the result tends to that of the data with the order that the sampler has: no bias is left.
    void lawConverges() {
        QFETCH(int, index);
        QFETCH(int, space);
        const Case c = cases()[std::size_t(index)];
        const Space& s = spaces()[std::size_t(space)];
        const SamplerInfo* info = findSampler(c.id);
        const PlaneGaussian g;
        std::vector<double> errors;
        for (int steps : {20, 40, 80, 160}) errors.push_back(lawError(exactLaw(*info, s.process, logSnrLevels(s.process, s.high, s.low, steps), c.at(steps), g), g, s.process, s.low));
        const double order = std::log2(errors[2] / errors[3]), wanted = space == 2 && c.flowOrder > 0 ? c.flowOrder : c.order;
        qInfo("%s: %.2e %.2e %.2e %.2e order %.2f %.2f", QTest::currentDataTag(), errors[0], errors[1], errors[2], errors[3], std::log2(errors[1] / errors[2]), order);
        QVERIFY2(order > wanted - 0.25, qPrintable(QString::number(order)));
    }
};

QTEST_GUILESS_MAIN(TestStochastic)
#include "tst_stochastic.moc"
