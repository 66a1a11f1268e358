#include "engine/run/plan.h"

#include <cmath>

#include "engine/run/planner.h"
#include "engine/run/run_failure.h"

namespace meander {

Plan Planner::make() {
    checkNumbers();
    resolveChoices();
    makeLevels();
    fixPath();
    countCost();
    estimate();
    adviseSampler();
    adviseNoise();
    adviseSpace();
    adviseConditioning();
    return std::move(m_plan);
}

int mostImages(StateKind kind) { return kind == StateKind::Points ? 100000 : 256; }

std::optional<int> imageTokensOf(const ModelInfo& model) {
    if (model.state != StateKind::Image) return std::nullopt;
    const Shape& s = model.imageShape.rank() >= 2 ? model.imageShape : model.stateShape;
    if (s.rank() < 2) return std::nullopt;
    return std::max(1, int(std::llround(double(s[0]) * double(s[1]) / 256)));
}

Result<Plan> plan(const Recipe& recipe, const Run* parent, const Run* start) {
    auto model = inspectModel(recipe.model);
    if (!model) return model.error();
    return plan(recipe, *model, parent, start);
}

Result<Plan> plan(const Recipe& recipe, const ModelInfo& model, const Run* parent, const Run* start) {
    try {
        return Planner(recipe, model, parent, start).make();
    } catch (const std::exception& e) {
        return errorOf(e);
    }
}

}  // namespace meander
