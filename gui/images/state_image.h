// A state or estimate of a run as an image, on the scale of its model's pixel map (engine/imaging/pixel_map.h): exact,
// or a linear approximation of a codec that is a network, one pixel per cell. A latent without a map shows its first
// three channels, scaled by their own range. The caption says which.
#pragma once
#include <QImage>

#include "engine/run/trajectory.h"

namespace meander::gui {

enum class Quantity { Denoised, State, Noise, Change };  // x̂0, x_t, ε̂, Δ to the step before
QString quantityName(Quantity q);

bool isLatent(const ModelInfo& model);       // no map: three channels are shown
bool isApproximate(const ModelInfo& model);  // a linear map stands for the codec
// Images of the run, as many as its record has rows; at least 1.
int imageCount(const Run& run);
// What stands for the finished image (−1): of a run that was broken off before it had one, its last evaluation.
int shownEvaluation(const Run& run, int evaluation);
// Null when the record does not hold it. `evaluation` −1: the finished image.
QImage stateImage(const Run& run, int image, int evaluation, Quantity quantity, bool dark);
// The numbers behind it, (height, width, channels) of one image, for probes and metrics; empty when unknown.
struct Pixels {
    int width = 0, height = 0, channels = 0;
    std::vector<float> values;
    bool isEmpty() const { return values.empty(); }
};
Pixels statePixels(const Run& run, int image, int evaluation, Quantity quantity);
// The value of the strongest colour of a signed image, which shows the mean of the channels.
float signedLimit(const Pixels& p);

}  // namespace meander::gui
