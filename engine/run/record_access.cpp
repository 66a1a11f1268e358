#include "engine/run/record_access.h"

#include <algorithm>

namespace meander {

const Evaluation* evaluationAt(const Trajectory& t, int index) {
    return index >= 0 && std::size_t(index) < t.evaluations.size() ? t.evaluations[std::size_t(index)].get() : nullptr;
}

const HostTensor& stateAtStep(const Trajectory& t, int step) {
    if (step <= 0) return t.initial;
    return std::size_t(step) <= t.steps.size() ? t.steps[std::size_t(step) - 1]->state : t.last();
}

double levelAt(const Trajectory& t, int step) {
    if (t.levels.empty()) return 0;
    return t.levels[std::min(std::size_t(std::max(0, step)), t.levels.size() - 1)];
}

}  // namespace meander
