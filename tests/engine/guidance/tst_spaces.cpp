// Guidance in every space, for every parametrization, at the first and the last level of every process: a formula can
// be written there and read back, and no rule that may be written in a space makes infinite numbers of finite ones.
#include "engine/guidance/spaces.h"
#include "engine/process/terminal.h"
#include "tests/engine/guidance/rule_bench.h"

#include <set>

using namespace meander;
using namespace meander::bench;

namespace {

struct Named {
    const char* name;
    Process process;
};
std::vector<Named> processes() {
    return {
        {"edm", Process::varianceExploding(0.002, 80)},
        {"sd15", Process::vpScaledLinear(1000, 0.00085, 0.012)},
        {"cosine", Process::vpCosine(1000)},
        {"zero SNR", Process::vpScaledLinear(1000, 0.00085, 0.012).withZeroTerminalSnr()},
        {"zero SNR, ComfyUI", Process::vpScaledLinear(1000, 0.00085, 0.012).withZeroTerminalSnr(terminalSignalComfyUi)},
        {"linear, 10 steps", Process::vpLinear(10, 1e-4, 0.02)},
        {"linear, 100,000 steps, zero SNR", Process::vpLinear(100'000, 1e-4, 0.02).withZeroTerminalSnr()},
        {"flow", Process::rectifiedFlow(1000, 3)}};
}
const char* const spaces[] = {"x0", "epsilon", "v", "velocity", "output"};

// Every rule whose formula may be written in another space, with the parameter that names it; a combination before
// those that tame one.
std::vector<std::pair<const GuidanceRule*, std::string>> rulesWithSpaces() {
    std::vector<std::pair<const GuidanceRule*, std::string>> rules;
    for (const GuidanceRule& rule : guidanceRules())
        for (const ParamSpec& p : rule.params)
            if (p.kind == ParamKind::Choice && p.choices.size() == std::size(spaces)
                && std::any_of(p.choices.begin(), p.choices.end(), [](const auto& c) { return c.id == "velocity"; }))
                rules.emplace_back(&rule, p.key);
    return rules;
}

// ε, score and LCM's ε say nothing about the data where a flow holds no signal; such a network cannot be evaluated
// there.
bool isUndefined(const Process& p, Parametrization kind, double tau) {
    return p.signal(tau) == 0
           && (kind == Parametrization::Epsilon || kind == Parametrization::Score
               || kind == Parametrization::LcmEpsilon);
}

}  // namespace

class TestSpaces : public QObject {
    Q_OBJECT
private slots:
    void everyLevel_data() {
        QTest::addColumn<int>("process");
        QTest::addColumn<int>("parametrization");
        const auto all = processes();
        for (int p = 0; p < int(all.size()); ++p)
            for (int k = 0; k < parametrizationCount; ++k)
                QTest::addRow("%s, %s", all[std::size_t(p)].name, nameOf(Parametrization(k))) << p << k;
    }
    void everyLevel() {
        QFETCH(int, process);
        QFETCH(int, parametrization);
        const auto kind = Parametrization(parametrization);
        ModelInfo info = someModel({2, 2, 3});
        info.process = processes()[std::size_t(process)].process;
        info.parametrization = kind;
        const Process& p = info.process;
        const Values state{1.5, -0.4, 0.2, -2, 0.7, 1.1, 0.3, -1.2, 0.6, 2.1, -0.8, 0.1},
            c{0.5, -0.1, 0.3, 0.2, -0.6, 0.4, -0.3, 0.7, 0.1, -0.5, 0.2, 0.9},
            u{0.4, 0.2, -0.2, 0.1, -0.3, 0.5, -0.1, 0.4, 0.3, -0.2, 0.6, 0.7};
        for (const double tau : {p.maximum(), p.minimum()}) {
            if (isUndefined(p, kind, tau)) continue;
            for (const char* space : spaces) {
                RuleBench b({{"cfg", {}}}, info);
                GuidanceMoment m = b.moment(3, 10, tau, tau / 2);
                const Space s = spaceOf(space, m);
                const Tensor y = b.tensor(state), d = b.tensor(c);
                const Values back = RuleBench::values(s.back(s.from(d, y), y));
                for (std::size_t i = 0; i < c.size(); ++i)
                    QVERIFY2(std::abs(back[i] - c[i]) < 1e-9 * (1 + tau),
                             qPrintable(QString("%1 at %2: %3").arg(space).arg(tau).arg(back[i])));
                for (const auto& [rule, key] : rulesWithSpaces()) {
                    RuleBench acting({{"cfg", {{"rescale", 0.5}}}, {rule->id, {{key, std::string(space)}}}}, info);
                    const auto parts = acting.apply(acting.moment(3, 10, tau, tau / 2),
                                                    {{Branch::Conditional, c}, {Branch::Unconditional, u}}, state);
                    for (const double v : RuleBench::values(parts.combined))
                        QVERIFY2(std::isfinite(v),
                                 qPrintable(QString("%1 in %2 at %3").arg(rule->id.c_str(), space).arg(tau)));
                }
            }
        }
    }
    void everyRuleIsWalked() {
        std::set<std::string> ids;
        for (const auto& [rule, key] : rulesWithSpaces()) ids.insert(rule->id);
        for (const char* id :
             {"cfg", "cfg_zero_star", "apg", "tcfg", "rescale", "renorm", "magnitude_aware", "frequency_decoupled"})
            QVERIFY2(ids.contains(id), id);
    }
    // At the boundary a consistency model returns the state, and its output cannot be told from x̂0: combined as x̂0.
    void boundaryOfConsistency() {
        ModelInfo info = someModel({1});
        info.process = Process::vpScaledLinear(1000, 0.00085, 0.012);
        info.parametrization = Parametrization::LcmEpsilon;
        RuleBench b({{"cfg_zero_star", {}}}, info);
        QVERIFY(spaceOf("output", b.moment(3, 10, info.process.minimum())).isEstimate());
        QVERIFY(!spaceOf("output", b.moment(3, 10, info.process.maximum())).isEstimate());
    }
};

QTEST_GUILESS_MAIN(TestSpaces)
#include "tst_spaces.moc"
