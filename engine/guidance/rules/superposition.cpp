// Superposition of diffusion models or prompts (Skreta et al. 2024, SuperDiff): x̂0 = Σ κᵢ D_i, with each member's
// log-density followed along the path by the Itô estimator, d log qᵢ = ⟨dx, sᵢ⟩ − ½ g² ‖sᵢ‖² dt, at no further
// evaluation. OR (a mixture): κ = softmax(T log qᵢ + ℓᵢ). AND (equal density): κ makes every log qᵢ + ℓᵢ equal at the
// next level. Everything in the scaled coordinates x = y/a, σ = τ/a, where each process is variance exploding: s = (D −
// x)/σ², g² dt = 2σ |dσ|.
//
// AND here closes the gap that is there, noise of the last step included, instead of looking ahead at the next noise as
// the paper does: the sampler draws it after the answer. The estimator is exact for paths with the full reverse noise;
// along a deterministic path it lacks the divergence of the score.
#include <algorithm>
#include <cmath>

#include "engine/guidance/rule_common.h"

namespace meander::guidance {
namespace {

// Solves A x = b in place by Gauss-Jordan with pivots; members that cannot be told apart share (x = what the pivot
// leaves at 0).
void solve(std::vector<double>& a, std::vector<double>& b) {
    const std::size_t n = b.size();
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
        if (!(std::abs(a[pivot * n + k]) > 1e-300)) {
            for (std::size_t j = 0; j < n; ++j) a[k * n + j] = j == k;
            b[k] = 1.0 / double(n + 1);
            continue;
        }
        for (std::size_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
        std::swap(b[k], b[pivot]);
        for (std::size_t i = 0; i < n; ++i) {
            if (i == k) continue;
            const double f = a[i * n + k] / a[k * n + k];
            for (std::size_t j = k; j < n; ++j) a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (std::size_t k = 0; k < n; ++k) b[k] /= a[k * n + k];
}

class Superposition final : public GuidanceRun {
public:
    Superposition(const Params& p, GuidanceSetup& s)
        : m_window(p),
          m_params(p),
          m_mode(text(p, "mode")),
          m_temperature(real(p, "temperature")),
          m_scale(real(p, "scale")) {
        const auto prompts = partsOf(text(p, "prompts")), models = partsOf(text(p, "models"));
        // Members of weight 0 have no part in a fixed mixture and are not evaluated.
        const auto has = [&](std::size_t member) { return m_mode != "fixed" || at(p, "weights", member, 1) != 0; };
        const auto add = [&](const std::string& name, Branch branch, std::size_t member) {
            m_members.emplace_back(name, branch);
            m_fixed.push_back(at(p, "weights", member, 1));
        };
        add("the recipe", Branch::Conditional, 0);
        for (std::size_t i = 0; i < prompts.size(); ++i)
            if (has(1 + i)) add(prompts[i], s.prompt(prompts[i]), 1 + i);
        for (std::size_t i = 0, first = 1 + prompts.size(); i < models.size(); ++i)
            if (has(first + i)) add(models[i], s.otherModel(models[i]), first + i);
        m_isMixture = !prompts.empty() || !models.empty();
        m_isGuided = m_scale != 1 && s.model.conditioning != ConditioningKind::None;
        m_isStochastic = addsNoise(s.recipe);
        if (p.contains("limit")) m_limit = real(p, "limit");
    }

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (!acts(m)) return;
        for (const auto& member : m_members) w.want(member.second);
        if (m_isGuided) w.want(Branch::Unconditional);
    }

    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!acts(m)) return;
        std::vector<Tensor> d;
        for (const auto& member : m_members) d.push_back(parts.of(member.second));
        const std::size_t rows = std::size_t(d.front().rows());
        if (m.isStepStart && m.signal() > 0) follow(m, d);
        const auto kappa = weights(m, parts, d, rows);
        Tensor mixed = combineRows(d, kappa);
        if (m_isGuided) mixed = combine({{m_scale, mixed}, {1 - m_scale, parts.unconditional}});
        parts.guide(mixed);
        for (std::size_t i = 0; i < m_members.size(); ++i) {
            parts.metrics.push_back({"weight " + m_members[i].first, kappa[i]});
            if (!m_logs.empty()) parts.metrics.push_back({"log density " + m_members[i].first, m_logs[i]});
        }
    }
    void select(const std::vector<std::int64_t>& chosen) override {
        for (auto& logs : m_logs) {
            std::vector<double> next;
            for (auto r : chosen) next.push_back(logs[std::size_t(r)]);
            logs = std::move(next);
        }
        if (m_before) m_before = gatheredRows(m_before, chosen);
        for (auto& t : m_estimates) t = gatheredRows(t, chosen);
    }
    double weight(const GuidanceMoment& m) const override { return acts(m) && m_isGuided ? m_scale : 1; }

private:
    bool acts(const GuidanceMoment& m) const { return m_isMixture && m_window.holds(m); }

    // Brings the log-densities to the present state: dx since the last step with the scores that were there.
    void follow(const GuidanceMoment& m, const std::vector<Tensor>& d) {
        const Tensor x = combine({{1 / m.signal(), m.state}});
        const double sigma = m.sigma();
        if (m_logs.empty()) start(x, d.front(), sigma);
        if (m_before && sigma < m_sigma) {
            const Tensor dx = combine({{1, x}, {-1, m_before}});
            const double variance = m_sigma * m_sigma, spent = 2 * m_sigma * (m_sigma - sigma);
            for (std::size_t i = 0; i < m_logs.size(); ++i) {
                const Tensor score = combine({{1 / variance, m_estimates[i]}, {-1 / variance, m_before}});
                const auto along = x.backend().dotRows(dx, score), square = x.backend().dotRows(score, score);
                for (std::size_t r = 0; r < along.size(); ++r) m_logs[i][r] += along[r] - 0.5 * spent * square[r];
            }
        }
        m_before = x;
        m_estimates = d;
        m_sigma = sigma;
    }
    // At the first finite noise level all members are taken for the same wide Gaussian, as the paper does.
    void start(const Tensor& x, const Tensor& estimate, double sigma) {
        const double n = double(x.shape().rowCount());
        auto logs = x.backend().reduceRows(kernels::Reduction::SumSquares, combine({{1, x}, {-1, estimate}}));
        for (double& v : logs)
            v = -0.5 * v / (sigma * sigma) - 0.5 * n * std::log(2 * 3.14159265358979323846 * sigma * sigma);
        m_logs.assign(m_members.size(), logs);
    }

    std::vector<std::vector<double>> weights(const GuidanceMoment& m, const GuidanceParts& parts,
                                             const std::vector<Tensor>& d, std::size_t rows) const {
        const std::size_t n = d.size();
        std::vector<std::vector<double>> kappa(n, std::vector<double>(rows, 1.0 / double(n)));
        if (m_mode == "fixed") {
            double sum = 0;
            for (const double w : m_fixed) sum += w;
            for (std::size_t i = 0; i < n; ++i) kappa[i].assign(rows, sum != 0 ? m_fixed[i] / sum : 1.0 / double(n));
        }
        if (m_logs.empty()) return kappa;
        if (m_mode == "or")
            for (std::size_t r = 0; r < rows; ++r) mixture(kappa, r);
        if (m_mode == "and") equalise(m, parts, d, kappa);
        return kappa;
    }
    void mixture(std::vector<std::vector<double>>& kappa, std::size_t r) const {
        double highest = -INFINITY, sum = 0;
        for (std::size_t i = 0; i < kappa.size(); ++i)
            highest = std::max(highest, kappa[i][r] = m_temperature * m_logs[i][r] + at(m_params, "bias", i, 0));
        for (auto& k : kappa) sum += k[r] = std::exp(k[r] - highest);
        for (auto& k : kappa) k[r] /= sum;
    }
    // Linear in κ: with e_j = D_j − D_0 the mean move is dx = base + γ w Σ κ_j e_j, and log qᵢ + ℓᵢ + ⟨dx, sᵢ⟩ − ½ g²
    // ‖sᵢ‖² must not depend on i.
    void equalise(const GuidanceMoment& m, const GuidanceParts& parts, const std::vector<Tensor>& d,
                  std::vector<std::vector<double>>& kappa) const {
        const double a = m.signal(), sigma = m.sigma(), next = m.process.sigma(m.target);
        if (!(a > 0) || !(next < sigma)) return;
        const std::size_t n = d.size() - 1, rows = kappa.front().size();
        const double spent = 2 * sigma * (sigma - next),
                     gain = m_isStochastic ? spent / (sigma * sigma) : 1 - next / sigma, w = m_isGuided ? m_scale : 1;
        Backend& b = d.front().backend();
        const Tensor x = combine({{1 / a, m.state}});
        const Tensor base = m_isGuided ? combine({{gain * (1 - w), parts.unconditional}, {gain * w, d[0]}, {-gain, x}})
                                       : combine({{gain, d[0]}, {-gain, x}});
        std::vector<Tensor> e;
        for (std::size_t i = 0; i < n; ++i) e.push_back(combine({{1, d[i + 1]}, {-1, d[0]}}));
        const Tensor first = combine({{1, d[0]}, {-1, x}});
        const auto firstSquare = b.dotRows(first, first);
        std::vector<std::vector<double>> products, right(n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) products.push_back(b.dotRows(e[i], e[j]));
            const auto moved = b.dotRows(base, e[i]);
            const Tensor own = combine({{1, d[i + 1]}, {-1, x}});
            const auto square = b.dotRows(own, own);
            for (std::size_t r = 0; r < rows; ++r)
                right[i].push_back(
                    -(m_logs[i + 1][r] + at(m_params, "bias", i + 1, 0) - m_logs[0][r] - at(m_params, "bias", 0, 0))
                        * sigma * sigma
                    - moved[r] + 0.5 * spent * (square[r] - firstSquare[r]) / (sigma * sigma));
        }
        for (std::size_t r = 0; r < rows; ++r) {
            std::vector<double> matrix(n * n), solution(n);
            for (std::size_t i = 0; i < n; ++i) {
                for (std::size_t j = 0; j < n; ++j) matrix[i * n + j] = gain * w * products[i * n + j][r];
                solution[i] = right[i][r];
            }
            solve(matrix, solution);
            double rest = 1;
            for (std::size_t i = 0; i < n; ++i) {
                double k = std::isfinite(solution[i]) ? solution[i] : 1.0 / double(n + 1);
                if (m_limit) k = std::clamp(k, -*m_limit, *m_limit);
                kappa[i + 1][r] = k;
                rest -= k;
            }
            kappa[0][r] = rest;
        }
    }

    Window m_window;
    Params m_params;
    std::string m_mode;
    double m_temperature, m_scale, m_sigma = 0;
    std::optional<double> m_limit;
    bool m_isMixture = false, m_isGuided = false, m_isStochastic = false;
    std::vector<std::pair<std::string, Branch>> m_members;
    std::vector<double> m_fixed;              // weight of each
    std::vector<std::vector<double>> m_logs;  // [member][row]
    Tensor m_before;                          // x at the last step's start
    std::vector<Tensor> m_estimates;          // D_i there
};

std::string idle(const GuidanceContext& c) {
    if (partsOf(text(c.params, "prompts")).empty() && partsOf(text(c.params, "models")).empty())
        return "Superposition has no effect: no further prompt or model is named.";
    return whyWindowIsEmpty(c);
}

std::string advice(const GuidanceContext& c) {
    const std::string mode = text(c.params, "mode");
    if (addsNoise(c.recipe) || (mode != "or" && mode != "and")) return {};
    return "The log-densities of a superposition are followed exactly only with a sampler that adds noise; along a "
           "deterministic path they lack the divergence of the scores. Choose Euler ancestral, or an η of 1.";
}

}  // namespace

GuidanceRule superposition() {
    const std::vector<ParamSpec> params = withWindow(
        {choiceParam("mode", "Mode",
                     {{"or", "OR: a mixture"},
                      {"and", "AND: equal density"},
                      {"average", "Average"},
                      {"fixed", "Fixed weights"}},
                     "How the members are weighed."),
         textParam("prompts", "Further prompts",
                   "One member each, separated by |; the recipe's own prompt is the first member. Classes by name or "
                   "number."),
         textParam("models", "Further models",
                   "Ids or paths, one member each, separated by |; they see the recipe's prompt."),
         realParam("temperature", "Temperature T", 1, 0, 1000, "OR: how sharply the denser member wins.", 0.5),
         listParam("bias", "Bias ℓ", -1000, 1000,
                   "Added to each member's log-density, the recipe's first; OR: a prior, AND: a lift."),
         listParam("weights", "Weights", -100, 100,
                   "Fixed weights, the recipe's first; they are divided by their sum."),
         realParam("scale", "Scale", 1, 0, 50,
                   "Classifier-free weight of the mixture over the unconditional estimate; 1 is off.", 0.25),
         optionalParam(
             realParam("limit", "Limit of κ", 50, 1, 1e6, "AND: largest weight of a member; absent: none.", 1))});
    return {.id = "superposition",
            .label = "Superposition",
            .group = "Several concepts and models",
            .summary = "Mixes prompts or models by their densities along the path: OR, AND, average",
            .source = "Skreta et al. 2024, SuperDiff",
            .cost = "one more row for each further prompt or model while it acts",
            .params = params,
            .guides = true,
            .make = made<Superposition>,
            .idle = idle,
            .advice = advice};
}

}  // namespace meander::guidance
