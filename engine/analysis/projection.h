// G5: a path seen in three named, linear axes. The chord from the end to the start is taken out first, because it holds
// all but a few hundred-thousandths of the variance; then PC1 and PC2 are the principal components of what is left,
// from the T × T Gram matrix. Axes have different scales: print them. Sources: diff-analyzer; GITS (Chen et al. 2024)
// for the boomerang; method of snapshots (Sirovich 1987) for the Gram matrix.
#pragma once
#include <array>

#include "engine/analysis/path.h"

namespace meander {

struct ProjectionBasis {
    State origin;                // the end of the pinned path
    State chord, first, second;  // unit vectors; empty when the path has no such direction
    double chordLength = 0;
    std::array<double, 3> shares{};  // explained variance of PC1, PC2, PC3 after the chord was removed
    double chordShare = 0;           // of the whole path's variance along its own first principal component
};

// Sign rule: the middle of the path has positive PC1 and PC2.
ProjectionBasis fitProjection(const std::vector<State>& frames);
// Several runs in one basis: residuals of all are pooled, origin and chord are the first one's.
ProjectionBasis fitProjection(const std::vector<std::vector<State>>& paths);

struct ProjectedPoint {
    double along = 0;  // 0 at the end, chordLength at the start
    double first = 0, second = 0;
};
std::vector<ProjectedPoint> project(const ProjectionBasis& basis, const std::vector<State>& frames);

// "PC1 93 %, PC2 6 % · axes ×240": how much finer the cross axes are drawn than the chord.
std::string captionOf(const ProjectionBasis& basis, const std::vector<ProjectedPoint>& points);

}  // namespace meander
