// A run as files in a folder: images with their recipe inside, film strip, trajectory.csv, diagnostics.csv, attention
// maps with a description of how each was made, recipe.json and run.json; points as points.npy.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/imaging/image.h"
#include "engine/run/trajectory.h"

namespace meander {

// States to images in [0, 1]; none: what the model's pixel map gives without its network (engine/imaging/pixel_map.h).
using Decode = std::function<HostTensor(const HostTensor& states)>;

struct ExportOptions {
    bool images = true, strip = true, tables = true, attention = true;
    int attentionSide = 256;  // pixels of a heat map
    Decode decode;
};
// Names of the files that were written, relative to the folder.
Result<std::vector<std::string>> exportRun(const Run& run, const std::string& folder,
                                           const ExportOptions& options = {});

// The estimates x̂0 of one image, first evaluation of every step, then the result; side by side. Empty for points.
Image filmStrip(const Run& run, int image, int height = 96, const Decode& decode = {});
// One row per evaluation; what guidance rules measured is the mean over the images.
std::string trajectoryCsv(const Trajectory& t);

}  // namespace meander
