// What came of a sweep: a row for each cell, quality against cost, images in one sheet.
#pragma once
#include <optional>
#include <vector>

#include "engine/imaging/image.h"
#include "engine/run/trajectory.h"
#include "engine/sweep/sweep.h"

namespace meander {

struct CellResult {
    RunStatus status = RunStatus::Queued;
    int number = 0;       // of the run
    int evaluations = 0;  // for one image
    int shared = 0;       // of these, answered together with equal ones of other cells
    double seconds = 0;
    // Share of the images that show what the prompt of the sprites asks for; none for other models and prompts.
    std::optional<double> fidelity;
    // Root mean square distance to the images of the cell with the most evaluations that draws the same: equal model,
    // prompt, class, seed, size. None for that cell, for points and for cells without images.
    std::optional<double> distance;
};

// `run` without a record will do; fidelity needs its images.
CellResult resultOf(const Run& run);
std::optional<double> fidelityOf(const HostTensor& images, const std::string& prompt);
// Cell → the cell that its images are compared with; nothing: none, or itself.
std::vector<std::optional<std::size_t>> referencesOf(const Sweep& sweep,
                                                     const std::vector<std::optional<CellResult>>& results);
std::optional<double> imageDistance(const HostTensor& a, const HostTensor& b);

// A row for each cell: place, values, run, status, measures. And the means over seeds, if the seed is on an axis.
std::string csvOf(const Sweep& sweep, const std::vector<std::optional<CellResult>>& results);
std::string seedMeansCsv(const Sweep& sweep, const std::vector<std::optional<CellResult>>& results);

struct CostQuality {
    double cost = 0, quality = 0;
};
// The points that no other beats in both, from cheap to dear.
std::vector<std::size_t> paretoLine(const std::vector<CostQuality>& points);
// Where the line turns from steep to flat: the farthest from the chord of its ends, both axes scaled to them. Nothing
// for fewer than three points on the line.
std::optional<std::size_t> kneeOf(const std::vector<CostQuality>& points, const std::vector<std::size_t>& line);

// Columns along the last axis, rows along the one before, blocks of rows for the others. Cells without an image (null)
// stay empty; images of other sizes are fitted to the largest.
Image contactSheet(const Sweep& sweep, const std::vector<std::optional<Image>>& images, int gap = 2);

}  // namespace meander
