// What words and heads do in an image: where the attention to a word lies, and which heads carry it.
#pragma once
#include <cstdint>
#include <span>

#include "engine/analysis/attention_maps.h"

namespace meander {

// Share of a heat map that lies in a mask of width × height pixels, each 0 or 1; a cell counts by the share of its
// area.
double shareInside(const HeatMap& map, std::span<const std::uint8_t> mask, int width, int height);

// The same of a map that is the mask itself, seen on the grid of `map`: what its resolution allows.
double shareOfMask(const HeatMap& map, std::span<const std::uint8_t> mask, int width, int height);

// Mean probability that a head gives to a word, over places and evaluations.
struct HeadMass {
    int site = 0, head = 0;  // site: index into Trajectory::sites
    double mass = 0;
};
// Of every head that was recorded, most first.
std::vector<HeadMass> headsByMass(const Trajectory& t, int image, const Word& word);

}  // namespace meander
