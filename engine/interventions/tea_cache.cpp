// TeaCache (Liu et al. 2025): how much the output of a network changes from one evaluation to the next is estimated
// from what its first block is given, the normed tokens modulated by the time, whose relative change a polynomial turns
// into that of the output. Changes add up; where their sum stays below a threshold the blocks are not computed.
#include "engine/interventions/step_cache.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "TeaCache";

// As published with the method's code, highest power first; other networks are taken as they are.
struct Polynomial {
    const char* architecture;
    double coefficients[5];
};
constexpr Polynomial published[] = {
    {"FluxTransformer2DModel", {4.98651651e+02, -2.83781631e+02, 5.58554382e+01, -3.82021401e+00, 2.64230861e-01}},
    {"Lumina2Transformer2DModel", {393.76566581, -603.50993606, 209.10239044, -23.00726601, 0.86377344}},
};

std::vector<double> polynomialOf(const Params& p, const ModelInfo& model) {
    const auto own = p.find("polynomial");
    if (own != p.end())
        if (const auto& list = std::get<std::vector<double>>(own->second); !list.empty()) return list;
    for (const Polynomial& known : published)
        if (model.architecture == known.architecture)
            return {std::begin(known.coefficients), std::end(known.coefficients)};
    return {1, 0};
}

class TeaCache final : public StepCache {
public:
    TeaCache(const Params& p, const InterventionSetup& s)
        : StepCache(firstTrunk(s, label)),
          m_polynomial(polynomialOf(p, s.model)),
          m_threshold(real(p, "threshold")),
          m_most(integer(p, "most")) {}

protected:
    bool mayReuse(Row& row, const nn::SiteCall& call) override {
        row.now = (*call.start)();
        double change = 0;
        for (const double c : m_polynomial) change = change * relativeDistance(row.now, row.signal) + c;
        row.distance += change;
        row.signal = std::move(row.now);
        return row.distance < m_threshold && row.age <= m_most;
    }
    void renewed(Row& row) override { row.distance = 0; }

private:
    std::vector<double> m_polynomial;
    double m_threshold;
    std::int64_t m_most;
};

}  // namespace

InterventionInfo teaCache() {
    return {
        .id = "tea_cache",
        .label = label,
        .summary = "Reuses the blocks until their modulated input has changed enough",
        .source = "Liu et al. 2025, TeaCache",
        .params = {realParam("threshold", "Threshold", 0.25, 0, 100,
                             "Sum of the estimated changes from which the blocks are computed again; 0 is off.", 0.01),
                   listParam("polynomial", "Polynomial", -1e9, 1e9,
                             "From the change of the input to that of the output, highest power first; empty: the "
                             "published one of the network (Flux.1, Lumina Image 2), else the change itself."),
                   mostParam()},
        .hasMemory = true,
        .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
            return std::make_shared<TeaCache>(p, s);
        }};
}

}  // namespace meander::intervention
