// What a model of points says about its plane at one noise level: x̂0, velocity and, for exact models, the density. For
// views of 1-D and 2-D models; runs on a backend of its own, in any thread.
#pragma once
#include <string>
#include <vector>

#include "engine/models/model.h"

namespace meander {

struct FieldBounds {
    double left = -1, bottom = -1, right = 1, top = 1;
};

struct FieldGrid {
    int columns = 0, rows = 0, dimensions = 2;
    FieldBounds bounds;
    double tau = 0;
    // (rows, columns) from the bottom left; places are cell centres, in integration coordinates y.
    std::vector<double> denoisedX, denoisedY;
    std::vector<double> velocityX, velocityY;  // dy/dτ = (y − x̂0)/τ
    std::vector<double> logDensity;            // empty when the model does not know it
    std::vector<double> dataX, dataY;          // draws of the data, when the model can make them
};

// `columns` × `columns` places for two dimensions, `columns` × 1 for one. τ 0 gives the density of nearly clean data
// and no velocities.
Result<FieldGrid> evaluateField(const std::string& modelId, const Prompt& prompt, double tau, const FieldBounds& bounds,
                                int columns, int dataPoints = 0);

}  // namespace meander
