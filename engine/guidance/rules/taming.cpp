// Rules after a combination that compare it with the conditional estimate: rescale (Lin et al. 2024), CFG-Norm and the
// renormalisation of Lumina 2, and "mahiro".
#include <algorithm>
#include <cmath>

#include "engine/guidance/grid.h"
#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

class Rescale final : public GuidanceRun {
public:
    explicit Rescale(const Params& p) : m_window(p), m_phi(p, "phi", "phi_curve"), m_space(text(p, "space")) {}
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        const double phi = m_phi.at(m);
        if (phi == 0 || !m_window.holds(m)) return;
        const Space s = spaceOf(m_space, m);
        parts.combined =
            s.back(rescaledRows(s.from(parts.combined, m.state), s.from(parts.conditional, m.state), phi), m.state);
    }

private:
    Window m_window;
    Followed m_phi;
    std::string m_space;
};

// Per pixel, the combination's norm over channels may not exceed the conditional one; then · strength.
class CfgNorm final : public GuidanceRun {
public:
    explicit CfgNorm(const Params& p) : m_window(p), m_strength(real(p, "strength")) {}
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_window.holds(m)) return;
        Planes d = Planes::of(parts.combined);
        const Planes reference = Planes::of(parts.conditional);
        const auto n = std::size_t(d.channels);
        for (std::size_t pixel = 0; pixel * n < d.values.size(); ++pixel) {
            double own = 0, wanted = 0;
            for (std::size_t k = pixel * n; k < (pixel + 1) * n; ++k) {
                own += d.values[k] * d.values[k];
                wanted += reference.values[k] * reference.values[k];
            }
            const double factor = m_strength * std::min(1.0, std::sqrt(wanted) / (std::sqrt(own) + 1e-8));
            for (std::size_t k = pixel * n; k < (pixel + 1) * n; ++k) d.values[k] *= factor;
        }
        parts.combined = d.tensor(parts.combined);
    }

private:
    Window m_window;
    double m_strength;
};

// The whole state's norm may be at most `limit` times the conditional one.
class Renorm final : public GuidanceRun {
public:
    explicit Renorm(const Params& p) : m_window(p), m_limit(real(p, "limit")), m_space(text(p, "space")) {}
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_window.holds(m)) return;
        const Space s = spaceOf(m_space, m);
        const Tensor d = s.from(parts.combined, m.state);
        const auto wanted = normRows(s.from(parts.conditional, m.state));
        auto factors = normRows(d);
        for (std::size_t i = 0; i < factors.size(); ++i)
            factors[i] = factors[i] > m_limit * wanted[i] ? m_limit * wanted[i] / factors[i] : 1;
        parts.combined = s.back(scaledRows(d, std::move(factors)), m.state);
    }

private:
    Window m_window;
    double m_limit;
    std::string m_space;
};

// Between the combination and the plain leap w·c, by how alike √|w·u| and √|their mean| are, cosine over channels, mean
// over pixels.
class Mahiro final : public GuidanceRun {
public:
    explicit Mahiro(const Params& p) : m_window(p), m_scale(real(p, "scale")) {}
    void ask(const GuidanceMoment& m, EvaluationPlan& w) const override {
        if (m_window.holds(m)) w.want(Branch::Unconditional);
    }
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_window.holds(m) || !parts.unconditional) return;
        Planes d = Planes::of(parts.combined);
        const Planes c = Planes::of(parts.conditional), u = Planes::of(parts.unconditional);
        const auto root = [](double v) { return std::copysign(std::sqrt(std::abs(v)), v); };
        const auto n = std::size_t(d.channels), perRow = std::size_t(d.perRow());
        for (std::size_t r = 0; r < std::size_t(d.rows); ++r) {
            double alike = 0;
            for (std::size_t pixel = r * perRow; pixel < (r + 1) * perRow; pixel += n) {
                double across = 0, left = 0, right = 0;
                for (std::size_t k = pixel; k < pixel + n; ++k) {
                    const double a = root(m_scale * u.values[k]), b = root((m_scale * c.values[k] + d.values[k]) / 2);
                    across += a * b;
                    left += a * a;
                    right += b * b;
                }
                alike += across / std::max(std::sqrt(left) * std::sqrt(right), 1e-8);
            }
            const double share = (alike / double(perRow / n) + 1) / 2;
            for (std::size_t k = r * perRow; k < (r + 1) * perRow; ++k)
                d.values[k] = share * d.values[k] + (1 - share) * m_scale * c.values[k];
        }
        parts.combined = d.tensor(parts.combined);
    }

private:
    Window m_window;
    double m_scale;
};

std::string afterNothing(const GuidanceContext& c) {
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return whyNothingPrecedes(c);
}

}  // namespace

GuidanceRule rescale() {
    return afterCombination(
        {.id = "rescale",
         .label = "Rescale",
         .group = {},
         .summary = "Brings the deviation of the combined estimate back to the conditional one",
         .source = "Lin et al. 2024, eq. 15-16",
         .cost = "nothing",
         .params = {realParam("phi", "φ", 0.7, 0, 1, "Share of the correction; 0 is off."), spaceParam("x0"),
                    curveParam("phi_curve", "Curve of φ", 0, 1, "correction's share")},
         .make = made<Rescale>,
         .idle = [](const GuidanceContext& c) {
             return Followed(c.params, "phi", "phi_curve").isAlways(0) ? std::string("Rescale has no effect at φ 0.")
                                                                       : afterNothing(c);
         }});
}

GuidanceRule cfgNorm() {
    return afterCombination(
        {.id = "cfg_norm",
         .label = "CFG-Norm",
         .group = {},
         .summary = "No pixel of the combined estimate may be longer than the conditional one",
         .source = "ComfyUI, CFGNorm",
         .cost = "nothing",
         .params = {realParam("strength", "Strength", 1, 0, 100, "Factor on the result; 1 keeps it.")},
         .make = made<CfgNorm>,
         .idle = [](const GuidanceContext& c) {
             return real(c.params, "strength") == 1 ? afterNothing(c) : whyWindowIsEmpty(c);
         }});
}

GuidanceRule renorm() {
    return afterCombination(
        {.id = "renorm",
         .label = "Renormalisation",
         .group = {},
         .summary = "The norm of the combined estimate may be at most so many times the conditional one",
         .source = "Lumina 2, RenormCFG",
         .cost = "nothing",
         .params = {realParam("limit", "Limit", 1, 0, 100, "Largest ratio of the two norms."), spaceParam("x0")},
         .make = made<Renorm>,
         .idle = afterNothing});
}

GuidanceRule mahiro() {
    return afterCombination(
        {.id = "mahiro",
         .label = "Positive direction (mahiro)",
         .group = {},
         .summary =
             "Leans towards the scaled conditional estimate where the combination differs from the unconditional one",
         .source = "ComfyUI, Mahiro",
         .cost = "one more row unless a combination asked it",
         .params = {scaleParam(4, "The weight of the combination before it.")},
         .usesUnconditional = true,
         .make = [](const Params& p, GuidanceSetup& s) -> std::unique_ptr<GuidanceRun> {
             if (s.model.conditioning == ConditioningKind::None)
                 throw Failure("The rule 'mahiro' compares with the unconditional estimate, but '" + s.model.name
                               + "' takes no prompt. Remove the rule.");
             return std::make_unique<Mahiro>(p);
         },
         .idle = whyWindowIsEmpty});
}

}  // namespace meander::guidance
