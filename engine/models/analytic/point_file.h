// Data of an empirical distribution: points from a CSV, JSON or NPY file, or the images of a folder.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace meander {

struct PointSet {
    std::vector<std::int64_t> shape;  // of one point: (dimensions) or (h, w, 3) in −1 … 1
    std::vector<double> values;       // points below each other
    std::vector<int> labels;          // empty, or one per point, from 0
    std::int64_t points() const;
};

// .csv: a point per line, numbers separated by commas; lines that begin with # and a first line of names are skipped.
// .json: [[1, 2], [3, 4]] or {"points": [[…]], "labels": [0, 1]}.
// .npy: version 1 or 2, float32 or float64, C order, (points, …).
// A folder: its PNG images, all of one size, in the order of their names.
Result<PointSet> readPoints(const std::string& path);

}  // namespace meander
