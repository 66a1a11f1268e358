#include "engine/run/plan.h"

#include <cmath>

#include "engine/models/adapters.h"
#include "engine/models/declarations.h"
#include "engine/run/planner.h"
#include "engine/run/run_failure.h"

namespace meander {

Plan Planner::make() {
    resolveModel();
    checkNumbers();
    resolveChoices();
    makeLevels();
    fixPath();
    takeSource();
    countCost();
    estimate();
    adviseSampler();
    adviseLaw();
    adviseNoise();
    adviseSpace();
    adviseConditioning();
    return std::move(m_plan);
}

int mostImages(const StateSpec& state) { return state.isImage() ? 256 : 100000; }

std::optional<int> imageTokensOf(const ModelInfo& model) {
    if (model.state.kind != StateKind::Image) return std::nullopt;
    const Shape& s = model.state.image.rank() >= 2 ? model.state.image : model.state.shape;
    if (s.rank() < 2) return std::nullopt;
    return std::max(1, int(std::llround(double(s[0]) * double(s[1]) / 256)));
}

LoadOptions Plan::loadOptions(bool isFurther) const {
    return {resolved.precision, resolved.weights, isFurther ? std::vector<LoraChoice>() : lorasOf(resolved.adapters)};
}

ModelInfo modelOf(const Recipe& recipe, ModelInfo info) {
    info = declared(std::move(info), recipe.checkpoint);
    if (!recipe.width && !recipe.height) return info;
    const auto own = [&](int axis) { return info.state.image.rank() == 3 ? int(info.state.image[axis]) : 0; };
    const int height = recipe.height.value_or(own(0)), width = recipe.width.value_or(own(1));
    return resized(std::move(info), height, width);
}

Result<Plan> plan(const Recipe& recipe, const Run* parent, const Run* start, const Run* source) {
    auto model = inspectModel(recipe.model);
    if (!model) return model.error();
    return plan(recipe, *model, parent, start, source);
}

Result<Plan> plan(const Recipe& recipe, const ModelInfo& model, const Run* parent, const Run* start,
                  const Run* source) {
    try {
        return Planner(recipe, model, parent, start, source).make();
    } catch (const std::exception& e) {
        return errorOf(e);
    }
}

}  // namespace meander
