// What is wrong with a network whose answer is not a number: the weight that is not finite, else the layer where the
// numbers leave their type.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/hook.h"
#include "engine/weights/weight_source.h"

namespace meander {

// Remembers which weights a part of a model has read, so that they can be looked through when it fails.
class WeightsRead final : public WeightSource {
public:
    explicit WeightsRead(WeightSource& below) : m_below(below) {}
    bool has(const std::string& name) const override { return m_below.has(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override {
        names.emplace_back(name, shape);
        return m_below.read(name, shape);
    }
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override { return m_below.shapeOf(name); }

    std::vector<std::pair<std::string, kernels::Shape>> names;

private:
    WeightSource& m_below;
};

// A sentence about the first weight that holds a value that is not finite; empty: none does. `owner`: "the network".
std::string brokenWeight(WeightSource& source, const std::vector<std::pair<std::string, kernels::Shape>>& names,
                         const std::string& owner);

// Observes the residual branches of a network; `where` is the path of the first whose values are not finite.
class FirstNotFinite final : public nn::SiteHook {
public:
    bool actsAt(const nn::Site& site) const override {
        return site.kind != nn::SiteKind::Skip && site.kind != nn::SiteKind::Trunk;
    }
    bool observesResidual(const nn::SiteCall&) const override { return where.empty(); }
    void after(const nn::SiteCall& call, const Tensor& residual) override;

    std::string where;
};

bool isFinite(const Tensor& t);

}  // namespace meander
