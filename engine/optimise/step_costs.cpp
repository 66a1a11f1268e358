#include "engine/optimise/step_costs.h"

#include <cmath>

#include "engine/optimise/recorded_model.h"

namespace meander {
namespace {

// Distance of a state from the line through two others, divided by √d (GITS; the diagnostic G1 of one point).
class Chord {
public:
    Chord(const State& start, const State& end) : m_end(end), m_along(end) {
        for (std::size_t i = 0; i < end.size(); ++i) m_along[i] -= start[i];
        const double length = norm(m_along);
        for (double& v : m_along) v = length > 0 ? v / length : 0;
    }
    double distance(const State& y) const {
        double along = 0, squares = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double rest = m_end[i] - y[i];
            along += rest * m_along[i];
            squares += rest * rest;
        }
        return std::sqrt(std::max(0.0, squares - along * along) / double(y.size()));
    }

private:
    const State& m_end;
    State m_along;
};

double meanAbsolute(const State& a, const State& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum / double(a.size());
}

double costOf(StepCost cost, const State& reached, const State& state, const Chord& chord) {
    switch (cost) {
    case StepCost::L1: return meanAbsolute(reached, state);
    case StepCost::L2: return rmsDifference(reached, state);
    case StepCost::Squared: return std::pow(rmsDifference(reached, state), 2);
    case StepCost::AtEnd: break;  // needs the level
    case StepCost::Deviation: return chord.distance(reached) - chord.distance(state);
    }
    return 0;
}

}  // namespace

CostMatrix stepCosts(const ReferencePaths& reference, StepCost cost) {
    const std::optional<RecordedModel> model =
        cost == StepCost::AtEnd ? std::optional<RecordedModel>(std::in_place, reference) : std::nullopt;
    const int last = reference.intervals();
    CostMatrix costs(last + 1);
    for (int i = 0; i < last; ++i)
        for (int j = i + 1; j <= last; ++j) costs.at(i, j) = 0;
    const double share = 1.0 / double(reference.paths.size());
    const auto missed = [&](const ReferencePath& path, int i, int j) {
        State e = reference.eulerStep(path, i, j);
        for (std::size_t k = 0; k < e.size(); ++k) e[k] -= path.states[std::size_t(j)][k];
        return e;
    };
    for (const ReferencePath& path : reference.paths) {
        const Chord chord(path.states.front(), path.states.back());
        for (int i = 0; i < last; ++i)
            for (int j = i + 1; j <= last; ++j)
                costs.at(i, j) +=
                    share
                    * (model ? model->rmsAtEnd(missed(path, i, j), j)
                             : costOf(cost, reference.eulerStep(path, i, j), path.states[std::size_t(j)], chord));
    }
    return costs;
}

}  // namespace meander
