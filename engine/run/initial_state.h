// Where a run starts: from noise, from data that is noised to the run's first level (image-to-image; clean for samplers
// that invert), or where another run ended. An inverting run and a run that starts from it are the round trip.
#pragma once
#include <string>
#include <vector>

#include "engine/run/trajectory.h"

namespace meander {

struct StartInfo {
    std::string id, label, summary;
    std::vector<ParamSpec> params;
};

const std::vector<StartInfo>& starts();
const StartInfo* findStart(const std::string& id);
// The run that a recipe starts from; empty when it starts otherwise.
std::string startRunOf(const Recipe& recipe);

// Resolved by plan(): what a run begins with, on the host.
struct StartPoint {
    bool isDrawn = false;  // exact draws of the model (Model::drawData), of the recipe's seed
    HostTensor images;     // (n, h, w, 3) F32, to be encoded
    HostTensor state;      // (n, state...): y at `tau`, or clean data
    double tau = 0;        // level of `state`; 0: clean
    std::string note;      // a sentence about what was done to the data; may be empty
};

// Throws Failure: a file that cannot be read or does not fit the model, a run without a record. `run`: the one that
// startRunOf names.
StartPoint resolveStart(const Recipe& recipe, const ModelInfo& model, const Run* run);
// The part of the levels that is visited: of data, the fraction `strength` of the intervals next to the data (all
// rounded down, at least one, as image-to-image pipelines do); of a state in between, its level and what lies beyond.
// `inverts`: from the data upwards.
std::vector<double> startLevels(std::vector<double> levels, const StartPoint& start, double strength, bool inverts);

// From clean data up to the first of the falling `levels` and back down them (SamplerInfo::roundTrip).
std::vector<double> roundTripLevels(const std::vector<double>& levels);

}  // namespace meander
