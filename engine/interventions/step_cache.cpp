#include "engine/interventions/step_cache.h"

#include <limits>

namespace meander::intervention {

nn::Decision StepCache::before(const nn::SiteCall& call) {
    const auto known = m_rows.find(call.offset);
    Row& row = m_pending[call.offset];
    row = known == m_rows.end() ? Row{} : known->second;
    if (row.grid != call.grid) row = {};
    row.grid = call.grid;
    row.saved = 0;
    ++row.age;
    if (!mayReuse(row, call) || row.made.empty()) return {};
    row.saved = row.flops;
    return {nn::Decision::Reuse, reused(row)};
}

void StepCache::after(const nn::SiteCall& call, const Tensor& made) {
    Row& row = m_pending.at(call.offset);
    std::vector<Tensor> fresh{made};
    for (std::size_t i = 0; i < row.made.size() && i < std::size_t(m_order); ++i)
        fresh.push_back(combine({{1.0 / double(row.age), fresh[i]}, {-1.0 / double(row.age), row.made[i]}}));
    row.made = std::move(fresh);
    row.age = 0;
    row.flops = call.flops;
    renewed(row);
}

void StepCache::completed() {
    for (auto& [offset, row] : m_pending) m_rows.insert_or_assign(offset, row);
}

std::optional<double> StepCache::savedFlops(std::int64_t offset) const {
    const auto row = m_pending.find(offset);
    return row == m_pending.end() ? std::nullopt : std::optional(row->second.saved);
}

double relativeDistance(const Tensor& a, const Tensor& b) {
    if (!b || a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
    Backend& backend = a.backend();
    const Tensor wide = b.converted(DType::F32), change = combine({{1, a.converted(DType::F32)}, {-1, wide}});
    const auto sum = [&](const Tensor& t) { return backend.reduceRows(kernels::Reduction::SumAbs, t).front(); };
    const double size = sum(wide);
    return size > 0 ? sum(change) / size : std::numeric_limits<double>::infinity();
}

ParamSpec mostParam() {
    return integerParam("most", "At most", 3, 1, 1000, "Evaluations that reuse one after the other.");
}

int firstTrunk(const InterventionSetup& setup, const std::string& owner) {
    const int depth = setup.model.isUNet ? 1 : 0;
    if (setup.model.trunks <= depth)
        throw Failure(owner + " reuses what the inner blocks of a network made, but '" + setup.model.name
                      + "' has no such blocks. Choose a U-Net or a diffusion transformer, for example "
                        "builtin:sprites-unet, or remove the rule.");
    return depth;
}

}  // namespace meander::intervention
