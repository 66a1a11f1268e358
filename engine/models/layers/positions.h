// Fixed sinusoidal positions of a grid of patches.
#pragma once
#include <vector>

namespace meander {

// (height·width, dim), row by row: the first half of dim encodes the column, the second the row, each as [sin p·ω_k |
// cos p·ω_k], ω_k = 10000^(−k/(dim/4)); p = index·scale. As in MAE, DiT and diffusers' get_2d_sincos_pos_embed.
std::vector<float> gridPositions(int height, int width, int dim, double rowScale = 1, double columnScale = 1);

}  // namespace meander
