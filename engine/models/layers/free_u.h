// FreeU (Si et al. 2023): a U-Net's backbone carries structure, its skip connections carry detail; both are weighed
// anew where they meet, without training.
#pragma once
#include "engine/models/layers/row_interventions.h"

namespace meander {

struct FreeUPlace {
    int stage;     // up block, from 0
    double width;  // channels of the backbone, in those of the first level
};

// Scales the rows that ask for it before they are joined, in place; backbone and skip (rows, h, w, c).
void freeU(const RowInterventions& changes, FreeUPlace place, const Tensor& backbone, const Tensor& skip);

}  // namespace meander
