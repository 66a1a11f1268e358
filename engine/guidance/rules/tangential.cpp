// TCFG, tangential damping (Kwon et al. 2025): the unconditional output is projected on the first right-singular vector
// of the 2 × N matrix [c; u], which drops what is tangential to both; combinations after it extrapolate from the damped
// one. On ε in ComfyUI, on the network's output in diffusers.
#include <cmath>

#include "engine/guidance/rule_common.h"
#include "engine/guidance/spaces.h"

namespace meander::guidance {
namespace {

class Tangential final : public GuidanceRun {
public:
    Tangential(const Params& p, const GuidanceSetup& setup)
        : m_window(p), m_space(text(p, "space")), m_isConditioned(setup.model.conditioning != ConditioningKind::None) {}

    // It follows what later rules ask; alone it wants nothing.
    void apply(const GuidanceMoment& m, GuidanceParts& parts) override {
        if (!m_isConditioned || !parts.unconditional || !m_window.holds(m)) return;
        const Space s = spaceOf(m_space, m);
        const Tensor c = s.from(parts.conditional, m.state), u = s.from(parts.unconditional, m.state);
        auto onC = c.backend().dotRows(c, c), onU = c.backend().dotRows(u, u);
        const auto across = c.backend().dotRows(c, u);
        for (std::size_t i = 0; i < onC.size(); ++i) {
            // First eigenvector (a, b) of the Gram matrix; v = (a c + b u)/√λ, and ⟨u, v⟩ v = (a⟨c, u⟩ + b⟨u, u⟩)/λ ·
            // (a c + b u).
            const double cc = onC[i], uu = onU[i], cu = across[i];
            const double lambda = 0.5 * (cc + uu) + std::hypot(0.5 * (cc - uu), cu);
            double a = cu, b = lambda - cc;
            if (std::abs(lambda - uu) > std::abs(b)) a = lambda - uu, b = cu;
            const double length = std::hypot(a, b);
            if (!(lambda > 0) || !(length > 0)) {
                onC[i] = 0;
                onU[i] = 1;
                continue;
            }
            a /= length;
            b /= length;
            const double share = (a * cu + b * uu) / lambda;
            onC[i] = share * a;
            onU[i] = share * b;
        }
        parts.unconditional = s.back(mixedRows(c, onC, u, onU), m.state);
    }

private:
    Window m_window;
    std::string m_space;
    bool m_isConditioned;
};

std::string idle(const GuidanceContext& c) {
    if (const std::string why = whyNothingFollows(c); !why.empty()) return why;
    if (const std::string why = whyWindowIsEmpty(c); !why.empty()) return why;
    return whyConditionsAreEqual(c);
}

}  // namespace

GuidanceRule tangential() {
    const std::vector<ParamSpec> params = withWindow({spaceParam("epsilon")});
    return {.id = "tcfg",
            .label = "Tangential damping",
            .group = "Before a combination",
            .summary = "Drops from the unconditional estimate what does not line up with the conditional one",
            .source = "Kwon et al. 2025, TCFG",
            .cost = "nothing",
            .params = params,
            .make = made<Tangential>,
            .idle = idle};
}

}  // namespace meander::guidance
