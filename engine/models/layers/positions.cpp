#include "engine/models/layers/positions.h"

#include <cmath>

namespace meander {

std::vector<float> gridPositions(int height, int width, int dim, double rowScale, double columnScale) {
    const int quarter = dim / 4;
    std::vector<float> table(std::size_t(height) * std::size_t(width) * std::size_t(dim));
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            float* row = table.data() + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * std::size_t(dim);
            for (int k = 0; k < quarter; ++k) {
                const double omega = std::pow(10000.0, -double(k) / quarter), column = x * columnScale * omega,
                             line = y * rowScale * omega;
                row[k] = float(std::sin(column));
                row[quarter + k] = float(std::cos(column));
                row[2 * quarter + k] = float(std::sin(line));
                row[3 * quarter + k] = float(std::cos(line));
            }
        }
    }
    return table;
}

}  // namespace meander
