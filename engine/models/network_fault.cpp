#include "engine/models/network_fault.h"

#include <algorithm>
#include <cmath>

namespace meander {

std::string brokenWeight(WeightSource& source, const std::vector<std::pair<std::string, kernels::Shape>>& names,
                         const std::string& owner) {
    for (const auto& [name, shape] : names) {
        const std::vector<float> values = source.read(name, shape).floats();
        const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
        if (bad == values.end()) continue;
        const auto dot = name.rfind('.');
        return "The weight '" + name + "' in the layer '" + (dot == std::string::npos ? name : name.substr(0, dot))
               + "' of " + owner + " is " + (std::isnan(*bad) ? "not a number (NaN)" : "infinite") + " at element "
               + std::to_string(bad - values.begin() + 1) + " of " + std::to_string(values.size())
               + ", so its file is damaged or was converted badly: use another copy of the model.";
    }
    return {};
}

bool isFinite(const Tensor& t) {
    const auto sums = t.backend().reduceRows(kernels::Reduction::SumAbs, t);
    return std::all_of(sums.begin(), sums.end(), [](double v) { return std::isfinite(v); });
}

void FirstNotFinite::after(const nn::SiteCall& call, const Tensor& residual) {
    if (where.empty() && !isFinite(residual.converted(DType::F32))) where = call.site.path;
}

}  // namespace meander
