// One request answered by a stack of rules, outside any run: branches are given, the combination is looked at.
#pragma once
#include <QtTest>
#include <cmath>
#include <functional>
#include <map>

#include "engine/guidance/guidance.h"
#include "engine/models/model.h"
#include "engine/recipe/recipe.h"

namespace meander::bench {

using Values = std::vector<double>;

inline Params resolved(const std::string& rule, const Params& given = {}) {
    auto p = resolveParams(findGuidance(rule)->params, given, rule);
    if (!p) qFatal("%s", p.error().text.c_str());
    return *p;
}

// A text model of images by default.
inline ModelInfo someModel(Shape state = {8, 8, 4}) {
    ModelInfo m;
    m.id = m.name = "bench";
    m.process = Process::varianceExploding(0.002, 80);
    m.conditioning = ConditioningKind::Text;
    m.state.shape = state;
    m.state.type = DType::F64;
    m.state.kind = state.rank() == 3 ? StateKind::Image : StateKind::Points;
    return m;
}

class RuleBench {
public:
    explicit RuleBench(std::vector<Choice> rules, ModelInfo info = someModel(),
                       std::function<void(Recipe&)> change = {})
        : model(std::move(info)), backend(kernels::createCpuBackend({1})) {
        recipe.prompt = std::string("a");
        recipe.steps = 10;
        recipe.sampler = {std::string("euler"), {}};
        for (auto& r : rules) recipe.guidance.push_back({r.id, resolved(r.id, r.params)});
        if (change) change(recipe);
        stack = std::make_unique<GuidanceStack>(recipe, model);
    }

    Tensor tensor(const Values& v, std::int64_t rows = 1) const {
        std::vector<std::int64_t> extents{rows};
        for (auto e : model.state.shape.extents()) extents.push_back(e);
        return upload(*backend, HostTensor::fromDoubles(Shape(extents), v));
    }
    GuidanceMoment moment(int step = 3, int steps = 10, double tau = 1, double target = 0.5) const {
        GuidanceMoment m{.process = model.process,
                         .parametrization = model.parametrization,
                         .sigmaData = model.sigmaData,
                         .state = {}};
        m.tau = tau;
        m.target = target;
        m.step = step;
        m.steps = steps;
        m.isFirst = !stack->hasSeen();
        m.isOwnState = true;
        return m;
    }
    // Branches without an entry are not there.
    GuidanceParts apply(GuidanceMoment m, const std::vector<std::pair<Branch, Values>>& answers,
                        const Values& state = {}, std::int64_t rows = 1) {
        m.state = tensor(state.empty() ? Values(answers.front().second.size()) : state, rows);
        GuidanceParts parts(tensor(answers.front().second, rows));
        for (const auto& [branch, v] : answers) {
            const Tensor t = branch == Branch::Conditional ? parts.conditional : tensor(v, rows);
            parts.branches.emplace_back(branch, t);
            if (branch == Branch::Unconditional) parts.unconditional = t;
        }
        stack->apply(m, parts);
        return parts;
    }
    static Values values(const Tensor& t) { return download(t).toDoubles(); }

    ModelInfo model;
    Recipe recipe;
    std::unique_ptr<Backend> backend;
    std::unique_ptr<GuidanceStack> stack;
};

// Why the rule at `position` does nothing; empty: it acts.
inline std::string idleAt(const RuleBench& b, std::size_t position = 0) {
    const auto* rule = findGuidance(b.recipe.guidance[position].id);
    return rule->idle ? rule->idle({b.recipe.guidance[position].params, b.model, b.recipe, position}) : "";
}

inline bool near(double a, double b, double relative) {
    return std::abs(a - b) <= relative * std::max(std::abs(a), std::abs(b)) + 1e-300;
}

}  // namespace meander::bench
