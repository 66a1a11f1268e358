// Adaptive projected guidance (Sadat et al. 2024): the difference c − u, gathered with momentum and capped in norm,
// loses part of what is parallel to c, which saturates. The programs that have it combine it in three ways; with η = 1
// and no cap only the third differs from CFG.
#include <cmath>

#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

class Apg final : public GuidanceRun {
public:
    Apg(const Params& p, const GuidanceSetup& setup)
        : m_from(p, setup),
          m_scale(p, "scale", "curve"),
          m_eta(p, "eta", "eta_curve"),
          m_momentum(real(p, "momentum")),
          m_capIsRms(text(p, "cap_measure") == "resolution"),
          m_warmUp(toggle(p, "warm_up")),
          m_dialect(text(p, "dialect")),
          m_space(text(p, "space")) {
        if (p.contains("norm_cap")) m_cap = real(p, "norm_cap");
        if (p.contains("cap_smoothing")) m_smoothing = real(p, "cap_smoothing");
    }

    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (acts(m) || gathers(m)) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!acts(m) && !gathers(m)) return;
        const Space s = spaceOf(m_space, m);
        const Tensor c = s.from(parts.conditional, m.state), u = s.from(parts.unconditional, m.state);
        const Tensor difference = gathered(m, combine({{1, c}, {-1, u}}));
        if (!acts(m)) return;
        const Tensor update = projected(capped(difference), c, m_eta.at(m));
        const double scale = m_scale.at(m);
        Tensor guided;
        if (m_dialect == "paper") guided = combine({{1, c}, {scale - 1, update}});
        if (m_dialect == "diffusers") guided = combine({{1, u}, {scale, update}});
        if (m_dialect == "comfyui") guided = combine({{1, c}, {scale, update}});
        parts.guide(s.back(guided, m.state));
    }
    void select(const std::vector<std::int64_t>& rows) override {
        if (m_average) m_average = gatheredRows(m_average, rows);
    }
    double weight(const GuidanceMoment& m) const override { return acts(m) ? m_scale.at(m) : 1; }

private:
    bool acts(const GuidanceMoment& m) const {
        return m_dialect == "comfyui" ? m_from.isConditioned && m_from.window.holds(m) && m_scale.at(m) != 0
                                      : m_from.acts(m, m_scale.at(m));
    }
    bool gathers(const GuidanceMoment& m) const {
        return m_warmUp && m_momentum != 0 && m_from.isConditioned && m.step < m_from.window.from * m.steps;
    }

    // Running sum: difference + momentum · what came before. Starts afresh when the noise rises (a sampler that goes
    // back).
    Tensor gathered(const GuidanceMoment& m, Tensor difference) {
        if (m_momentum == 0) return difference;
        if (m.tau > m_lastTau) m_average = {};
        m_lastTau = m.tau;
        m_average = m_average ? combine({{1, difference}, {m_momentum, m_average}}) : difference;
        return m_average;
    }
    Tensor capped(const Tensor& difference) const {
        if (!m_cap || *m_cap == 0) return difference;
        auto factors = normRows(difference);
        // stable-diffusion.cpp measures the root mean square on the scale of a 1024² image's latent: norm · 256/√n.
        const double unit = m_capIsRms ? 256 / std::sqrt(double(difference.shape().rowCount())) : 1;
        for (double& f : factors) {
            const double x = f > 0 ? *m_cap / (f * unit) : INFINITY;
            f = std::isinf(x)                     ? 1
                : m_smoothing && *m_smoothing > 0 ? x / std::pow(1 + std::pow(x, 1 / *m_smoothing), *m_smoothing)
                                                  : std::min(1.0, x);
        }
        return scaledRows(difference, std::move(factors));
    }
    // Orthogonal part + η · the part along c.
    Tensor projected(const Tensor& difference, const Tensor& c, double eta) const {
        if (eta == 1) return difference;
        auto along = c.backend().dotRows(difference, c);
        const auto squares = c.backend().dotRows(c, c);
        for (std::size_t i = 0; i < along.size(); ++i)
            along[i] = squares[i] > 0 ? (eta - 1) * along[i] / squares[i] : 0;
        return mixedRows(difference, std::vector<double>(along.size(), 1.0), c, along);
    }

    Extrapolation m_from;
    Followed m_scale, m_eta;
    double m_momentum, m_lastTau = INFINITY;
    std::optional<double> m_cap, m_smoothing;
    bool m_capIsRms, m_warmUp;
    std::string m_dialect, m_space;
    Tensor m_average;
};

std::string idle(const GuidanceContext& c) {
    // ComfyUI's scale is 0 where it does nothing.
    const bool isComfy = text(c.params, "dialect") == "comfyui";
    const Followed scale(c.params, "scale", "curve");
    if (scale.curve.empty()) return whyExtrapolationIsIdle(c, scale.constant + isComfy);
    if (scale.isAlways(isComfy ? 0 : 1)) return "Guidance has no effect: its curve is the neutral weight everywhere.";
    return whyExtrapolationIsIdle(c, 2);
}

}  // namespace

GuidanceRule apg() {
    std::vector<ParamSpec> params = {
        scaleParam(4),
        realParam(
            "eta", "η", 0, -10, 10,
            "Share of the update's part along the conditional estimate that is kept; 1 keeps all, 0 is the paper's."),
        realParam("momentum", "Momentum", 0, -0.99, 0.99,
                  "Factor on the gathered earlier differences; the paper takes −0.75 to −0.25, which lets the update "
                  "look ahead."),
        choiceParam("dialect", "Dialect",
                    {{"paper", "c + (w − 1)·update (paper, stable-diffusion.cpp, SD.Next)"},
                     {"diffusers", "u + w·update (diffusers)"},
                     {"comfyui", "c + w·update (ComfyUI, and diffusers' original formulation)"}},
                    "How the update is combined; equal only for η = 1 without a cap, and even then not the third.")};
    ParamSpec cap = realParam(
        "norm_cap", "Norm cap", 15, 0, 1e6,
        "Largest L2 norm of the difference over a whole state; absent or 0: none. Depends on the number of elements.",
        0.5);
    cap.optional = true;
    params.push_back(cap);
    params.push_back(optionalParam(
        realParam("cap_smoothing", "Smoothing of the cap", 0.1, 0, 10,
                  "Rounds the cap's corner: x/(1 + x^(1/s))^s of the ratio x; absent or 0: a hard cap.")));
    params.push_back(advanced(choiceParam(
        "cap_measure", "Cap measures",
        {{"norm", "The norm"}, {"resolution", "The norm of as many elements as a 1024² latent (stable-diffusion.cpp)"}},
        "Whether the cap grows with the size of the image.")));
    params.push_back(advanced(toggleParam(
        "warm_up", "Gather before the interval", false,
        "Momentum gathers from the first step on even where the rule does not act yet; costs a row there.")));
    params.push_back(spaceParam("x0"));
    params.push_back(curveParam("curve", "Curve", 0, 50, "weight"));
    params.push_back(curveParam("eta_curve", "Curve of η", -10, 10, "share η"));
    params = withWindow(std::move(params));
    return {.id = "apg",
            .label = "Adaptive projected guidance",
            .group = "Combination",
            .summary = "Guidance without its saturating part, with momentum and a cap on the norm",
            .source = "Sadat et al. 2024",
            .cost = "one more row while it acts",
            .params = params,
            .usesUnconditional = true,
            .guides = true,
            .make = made<Apg>,
            .idle = idle};
}

}  // namespace meander::guidance
