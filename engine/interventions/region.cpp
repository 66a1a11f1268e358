#include "engine/interventions/region.h"

#include "engine/core/param_specs.h"
#include "engine/core/result.h"

namespace meander::intervention {

std::vector<float> Region::cells(nn::Grid grid) const {
    std::vector<float> inside;
    for (int y = 0; y < grid.height; ++y)
        for (int x = 0; x < grid.width; ++x) {
            const double fx = (x + 0.5) / grid.width, fy = (y + 0.5) / grid.height;
            inside.push_back(fx >= left && fx < right && fy >= top && fy < bottom ? 1.0f : 0.0f);
        }
    return inside;
}

ParamSpec regionParam() {
    return optionalParam(listParam("region", "Region", 0, 1,
                                   "Left, top, right and bottom of the part of the image where it acts, as fractions "
                                   "of its sides; absent: everywhere."));
}

std::optional<Region> regionOf(const Params& p, const std::string& owner) {
    const auto it = p.find("region");
    if (it == p.end()) return {};
    const auto& v = std::get<std::vector<double>>(it->second);
    if (v.empty()) return {};
    if (v.size() != 4 || v[0] >= v[2] || v[1] >= v[3])
        throw Failure(owner
                      + " acts in a region of four numbers: left, top, right and bottom as fractions of the sides, the "
                        "first two smaller than the last two. Give such numbers, or leave the region out.");
    return Region{v[0], v[1], v[2], v[3]};
}

}  // namespace meander::intervention
