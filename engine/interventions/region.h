// A part of the image on which an intervention acts: the parameter `region`.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/nn/site.h"

namespace meander::intervention {

// Fractions of the sides of the image.
struct Region {
    double left = 0, top = 0, right = 1, bottom = 1;
    // Of the cells of a grid, row by row: 1 where the centre lies inside, else 0.
    std::vector<float> cells(nn::Grid grid) const;
};

ParamSpec regionParam();
// Nothing: everywhere. Throws Failure where the list is no rectangle; `owner` starts its sentence.
std::optional<Region> regionOf(const Params& p, const std::string& owner);

}  // namespace meander::intervention
