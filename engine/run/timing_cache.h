// What this process has measured of its models: seconds that a network call, the rest of a request and the decoding of
// an image take. Written by the engine thread, read by plans on any thread.
#pragma once
#include <cstdint>

#include "engine/models/model.h"

namespace meander {

enum class Work : std::uint8_t {
    Call,     // of the network, with so many rows
    Request,  // what a sampler's request takes beside it: arithmetic, guidance, the record; of so many images
    Decode,   // of images
};

void recordSeconds(const ModelInfo& model, Work work, int rows, double seconds);
// For so many rows, from calls of as many, or by a straight line from those of other sizes; 0: not measured yet.
double measuredSeconds(const ModelInfo& model, Work work, int rows);
double measuredSecondsPerRow(const ModelInfo& model);  // of the largest call measured; 0: not measured yet
// Names the model and the size of its states, on which time and memory depend.
std::string costKeyOf(const ModelInfo& model);

}  // namespace meander
