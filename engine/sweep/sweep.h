// A sweep: one recipe with up to four of its settings, or groups of settings, varied over a grid. A value that a
// project keeps: what was asked, and which run carries out which cell.
#pragma once
#include <string>
#include <vector>

#include "engine/recipe/recipe.h"

namespace meander {

constexpr std::size_t mostSweepAxes = 4, mostSweepCells = 4096;

struct SweepAxis {
    std::vector<std::string> keys;                 // of settings (recipe_settings.h); several change together
    std::vector<std::vector<std::string>> values;  // [place along the axis][key]

    int size() const { return int(values.size()); }
    std::string label() const;           // "Steps", "Sampler and steps"
    std::string label(int place) const;  // "12", "heun, 12"
    bool operator==(const SweepAxis&) const = default;
};

struct SweepCell {
    std::string run;      // id; empty: none carries it out
    std::string problem;  // why none does, a sentence
    bool operator==(const SweepCell&) const = default;
};

struct Sweep {
    std::string id, name, created;  // created: ISO 8601 UTC
    Recipe base;
    std::vector<SweepAxis> axes;
    std::vector<SweepCell> cells;  // one for each place, the last axis changing fastest; several may name one run

    std::size_t size() const;                        // cells that the axes have
    std::vector<int> place(std::size_t cell) const;  // along each axis
    std::size_t cellAt(const std::vector<int>& place) const;
    // The base with the settings of a cell. Throws Failure where one cannot be set.
    Recipe recipe(std::size_t cell) const;
    std::string label(std::size_t cell) const;  // "heun · 12"
    bool operator==(const Sweep&) const = default;
};

Json toJson(const Sweep& s);
Result<Sweep> sweepFromJson(const Json& j);

// "guidance.scale=1,2,4", "steps=4:20:4" (from, to, by), "prompt=@prompts.txt" (a file with one value a line). A comma
// that belongs to a value is written "\,". With several keys, "sampler=heun,euler;steps=10,20", they change together.
// Throws Failure.
SweepAxis sweepAxis(const std::string& text);
std::vector<std::string> sweepValues(const std::string& text);
// As sweepValues reads them.
std::string textOfValues(const std::vector<std::string>& values);
// Throws Failure with a sentence: no axis, too many, one without values, an unknown or repeated setting.
void checkAxes(const std::vector<SweepAxis>& axes);

}  // namespace meander
